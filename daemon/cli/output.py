"""What the commands print: answers on stdout, everything else on stderr. Nothing else in the project prints."""

import json
import os
import shlex
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any


def make_ready() -> None:
    """See to it that what is said can be written, before anything else is opened.

    Where somebody started it with a closed descriptor, the next file or socket would get that number, and with it what
    libraries write to standard error. A character that the terminal's encoding lacks is written as its escape: a name
    must not cost the key that is shown beside it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # which gets the lowest free number: this one
        setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def as_argument(name: str) -> str:
    """A name as it is typed behind a command: quoted, and told from an option."""
    return f"-- {shlex.quote(name)}" if name.startswith("-") else shlex.quote(name)


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
