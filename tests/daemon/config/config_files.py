"""Reading a configuration file that a test has just written."""

from pathlib import Path

import pytest

from daemon.config.loader import ConfigError, ConfigProblem, load
from daemon.config.model import Config


def read(file: Path, text: str, **environ: str) -> Config:
    file.write_text(text, "utf-8")
    return load(file, environ)


def problems(file: Path, text: str, **environ: str) -> list[ConfigProblem]:
    with pytest.raises(ConfigError) as caught:
        read(file, text, **environ)
    return list(caught.value.problems)


def messages(file: Path, text: str, **environ: str) -> list[str]:
    return [f"{problem.key}: {problem.message}" for problem in problems(file, text, **environ)]
