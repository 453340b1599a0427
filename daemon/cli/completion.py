"""What makes a shell complete the `motherstream` command: written by shtab from the parser, so that it knows them all.

Streamers' names are not completed. They are strangers' text, and bash evaluates the words that a completion hands it.
"""

import argparse
from pathlib import Path

import shtab


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for `shell`, which is bash or zsh."""
    _mark_paths(parser)
    return str(shtab.complete(parser, shell))


def _mark_paths(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        if action.type is Path:
            paths = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
            action.complete = paths  # type: ignore[attr-defined]  # where shtab looks for it
        elif isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _mark_paths(command)
