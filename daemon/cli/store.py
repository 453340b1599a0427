"""``motherstream backup`` and ``motherstream restore``: the database as one file."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from daemon.cli.channel import add_channel
from daemon.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from daemon.cli.output import complain, write_line
from daemon.config.loader import load
from daemon.journal.archive import BackupError, Contents, backup, restore


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both to the command line."""

    def add(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        return add_channel(sub)

    save = add("backup", "save the database (keys, settings, history, line-up) to a file; works while the daemon runs")
    save.add_argument("file", type=Path, metavar="FILE", help="file to write, readable by you alone")
    save.add_argument("--force", action="store_true", help="overwrite an existing file")
    save.set_defaults(action=lambda arguments: _done(_backup, arguments))
    put_back = add(
        "restore", "restore a saved database, while the daemon is stopped; the current one is kept beside it"
    )
    put_back.add_argument("file", type=Path, metavar="FILE", help="a file that `motherstream backup` saved")
    put_back.set_defaults(action=lambda arguments: _done(_restore, arguments))


def _done(action: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    try:
        action(arguments)
    except BackupError as error:
        complain(error)
        return EXIT_FAILED
    return EXIT_DONE


def _backup(arguments: argparse.Namespace) -> None:
    path = load(arguments.config, os.environ).store.path
    contents = backup(path, arguments.file, force=arguments.force)
    write_line(f"saved {path} as {arguments.file}: {_words(contents)}")


def _restore(arguments: argparse.Namespace) -> None:
    path = load(arguments.config, os.environ).store.path
    contents = restore(path, arguments.file)
    since = "of unknown age" if contents.age is None else f"as of {contents.age:.0f} s ago"
    write_line(f"{path} is {since}: {_words(contents)}")
    if not contents.line_up:
        write_line("hooks and lists will rebuild the line-up")
    if contents.kept is not None:
        write_line(f"the previous database is kept as {contents.kept}")


def _words(contents: Contents) -> str:
    return f"{contents.streamers} streamers, {contents.handovers} hand-overs"
