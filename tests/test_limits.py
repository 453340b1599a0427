"""What the linters let pass says why."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRAGMA = re.compile(r"#\s*(?:ruff:\s*noqa|flake8:\s*noqa|noqa|type:\s*ignore|mypy:|pyright:|pragma:)", re.IGNORECASE)
WITH_REASON = re.compile(
    r"#\s(?:ruff: )?(?:noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*|type: ignore\[[a-z-]+(?:, [a-z-]+)*\])  # \S.*\w.*"
)
"""What is let pass by its code, and then the reason, as in ``# noqa: S311  # it spreads, and keeps no secret``."""


def files(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def without_reason(text: str) -> list[str]:
    """The comments that switch a linter off and do not say why."""
    comments = (each.string for each in tokens(text) if each.type == tokenize.COMMENT)
    return [comment for comment in comments if PRAGMA.search(comment) and not WITH_REASON.fullmatch(comment)]


def exceptions(toml: str) -> Iterator[tuple[str, str]]:
    """Each line of pyproject.toml by which a linter looks away, and what stands above it."""
    table, above, within = "", "", False
    for line in map(str.strip, toml.splitlines()):
        if line.startswith("["):
            table = line
        looks_away = table == "[tool.ruff.lint.per-file-ignores]" or (table == "[tool.ruff.lint]" and within)
        if line.startswith('"') and looks_away:
            yield line, above
        within = line.startswith("ignore = [") or (within and line != "]")
        # One reason may be that of several lines, one below the other.
        above = above if line.startswith('"') else line


def test_a_reason_is_told_from_none() -> None:
    given = "a = 1  # noqa: S311  # it spreads\nb = 2  # type: ignore[misc, arg-type]  # bound as it is now\n"
    assert without_reason(given) == []
    for bare in ("# noqa", "# noqa: S311", "# type: ignore", "# type: ignore[misc]", "# noqa: S311  #", "# pragma: x"):
        assert without_reason(f"a = 1  {bare}\n") == [bare]
    assert without_reason('a = "# noqa"\n') == []


@pytest.mark.parametrize("package", ["daemon", "statemachine", "tests"])
def test_whatever_a_linter_is_told_to_let_pass_bears_its_reason(package: str) -> None:
    found = {str(path.relative_to(ROOT)): without_reason(path.read_text(encoding="utf-8")) for path in files(package)}
    assert {path: bare for path, bare in found.items() if bare} == {}


def test_a_reason_above_an_exception_is_told_from_none() -> None:
    toml = '[tool.ruff.lint]\nselect = ["E"]\nignore = [\n  # Why.\n  "A",\n  "B",\n]\n'
    assert list(exceptions(toml)) == [('"A",', "# Why."), ('"B",', "# Why.")]
    assert list(exceptions('[tool.ruff.lint.per-file-ignores]\n"a" = ["B"]\n')) == [
        ('"a" = ["B"]', "[tool.ruff.lint.per-file-ignores]")
    ]


def test_each_exception_in_the_configuration_of_the_linters_bears_its_reason() -> None:
    found = list(exceptions((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert len(found) > 3
    assert [line for line, above in found if not above.startswith("# ")] == []


def test_each_module_without_types_is_let_pass_for_a_reason() -> None:
    toml = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    first = [part.lstrip().partition("\n")[0] for part in toml.split("[[tool.mypy.overrides]]")[1:]]
    assert first
    assert [line for line in first if not line.startswith("# ")] == []
