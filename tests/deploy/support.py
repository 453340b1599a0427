"""What the tests of scripts, units and configurations share."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""
DEPLOY = ROOT / "deploy"

# Debian keeps nginx and logrotate in sbin, which is not on every user's path.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def run(
    *command: str | Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    within: float = 60.0,
    answer: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, without a terminal. ``env`` is added to this one's; ``answer`` is its input."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": PATH, **(env or {})},
        input=answer or "",
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )


def done(result: subprocess.CompletedProcess[str]) -> str:
    """What a program said, which must have ended well."""
    assert result.returncode == 0, f"{result.args} ended with {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout


def rewritten(source: Path, target: Path, changes: Mapping[str, str]) -> Path:
    """A copy in which each text, which must be there, is replaced."""
    text = source.read_text()
    for old, new in changes.items():
        assert old in text, f"{source} has no {old!r}"
        text = text.replace(old, new)
    target.write_text(text)
    target.chmod(source.stat().st_mode)
    return target


def fake(folder: Path, name: str, lines: Sequence[str]) -> Path:
    """A program of that name which runs these lines of shell."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text("\n".join(("#!/bin/sh", *lines, "")))
    program.chmod(0o755)
    return program


Unit = dict[str, dict[str, list[str]]]


def read_unit(path: Path) -> Unit:
    """A systemd unit: section, key, values in their order."""
    unit: Unit = {}
    section: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return unit
