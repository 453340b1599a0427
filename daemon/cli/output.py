"""What the commands print: answers on stdout, everything else on stderr. Nothing else in the project prints."""

import json
import sys
from typing import Any


def write_line(text: str) -> None:
    """One line, or several, of the answer."""
    print(text)  # noqa: T201  # the one place for it


def write_text(text: str) -> None:
    """A text that brings its own line ends: another program is to read it."""
    print(text, end="")  # noqa: T201  # the one place for it


def write_json(value: Any) -> None:
    """The answer as JSON that people can read, too."""
    write_line(json.dumps(value, indent=2))


def write_check(what: str, detail: str | None, *, ok: bool) -> None:
    """One line of a check: whether it passed, what it was, and what there is to say of it."""
    write_line(f"{'ok   ' if ok else 'FAIL '} {what}" + (f": {detail}" if detail else ""))


def complain(error: object) -> None:
    """What went wrong, under the program's name."""
    to_stderr(f"motherstream: {error}")


def note(text: str) -> None:
    """What is worth knowing besides, and no part of the answer."""
    to_stderr(f"note: {text}")


def to_stderr(text: object) -> None:
    """One line, or several, that no program is to take for the answer."""
    print(text, file=sys.stderr)  # noqa: T201  # the one place for it
