"""``motherstream backup`` and ``restore``: the database as one file. ``motherstream store``: the one that is shared."""

import argparse
import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from daemon.cli.channel import add_channel
from daemon.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from daemon.cli.output import complain, write_line
from daemon.config.loader import load
from daemon.core.ports import PortError
from daemon.journal.archive import BackupError, Contents, backup, restore
from daemon.shared.migrate import Migrated, MigrationError, migrate
from daemon.shared.postgres import Postgres
from daemon.shared.streamers import WITHIN
from daemon.streamers.store import StreamerError


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
    text = "the store that daemons share (store.url)"
    verbs = commands.add_parser("store", help=text, description=f"{text[0].upper()}{text[1:]}.").add_subparsers(
        metavar="ACTION", required=True
    )
    text = "bring this channel's keys, settings, history and line-up into the shared store, while its daemon is stopped"
    move = add_channel(verbs.add_parser("migrate", help=text, description=text[0].upper() + text[1:] + "."))
    text = "leave out streamers that the store knows by another key: these keys are no longer valid"
    move.add_argument("--skip-known", action="store_true", help=text)
    move.set_defaults(action=lambda arguments: _done(_migrate, arguments))


def _done(action: Callable[[argparse.Namespace], None], arguments: argparse.Namespace) -> int:
    try:
        action(arguments)
    except (BackupError, MigrationError, PortError, StreamerError) as error:
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


def _migrate(arguments: argparse.Namespace) -> None:
    config = load(arguments.config, os.environ)
    url = config.store.url.get_secret_value()
    if not url:
        raise MigrationError("there is no shared store: set store.url")

    async def work() -> Migrated:
        postgres = Postgres(url, within=WITHIN)
        try:
            return await migrate(config.store.path, postgres, config.channel, skip_known=arguments.skip_known)
        finally:
            await postgres.close()

    moved = asyncio.run(work())
    what = f", the line-up and settings of {config.channel}, {moved.handovers} hand-overs" if moved.line_up else ""
    write_line(f"brought {moved.streamers} streamers into the shared store{what}")
    if moved.left_out:
        write_line(f"left out, as the store has them with another key: {', '.join(moved.left_out)}")
    if not moved.line_up:
        write_line(f"the store has the line-up of {config.channel} already")


def _words(contents: Contents) -> str:
    return f"{contents.streamers} streamers, {contents.handovers} hand-overs"
