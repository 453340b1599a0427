"""``motherstream step-down`` and ``motherstream fleet``: two daemons of a channel, and all channels of a store."""

import argparse
import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from daemon.cli.channel import add_channel
from daemon.cli.client import Client
from daemon.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from daemon.cli.output import complain, write_json, write_line
from daemon.config.loader import load
from daemon.core.ports import PortError
from daemon.observability.wording import printable
from daemon.shared.fleet import read_fleet
from daemon.shared.postgres import Postgres
from daemon.shared.streamers import WITHIN

Row = dict[str, Any]


def add_parsers(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", client: Callable[[argparse.Namespace], Client]
) -> None:
    """Add both to the command line."""

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return add_channel(commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + "."))

    def step_down(arguments: argparse.Namespace) -> int:
        write_line(client(arguments).post("/step-down")["message"])
        return EXIT_DONE

    add("step-down", "let the channel's other daemon take over").set_defaults(action=step_down)
    fleet = add("fleet", "list all channels of the shared store: who is on air, and who owns each")
    fleet.add_argument("--json", action="store_true", help="print them as JSON")
    fleet.set_defaults(action=_fleet)


def _fleet(arguments: argparse.Namespace) -> int:
    # From the store itself, whichever daemons live.
    url = load(arguments.config, os.environ, client=True).store.url.get_secret_value()
    if not url:
        complain("there is no shared store: set store.url")
        return EXIT_FAILED
    try:
        channels = asyncio.run(_read(url))
    except PortError as error:
        complain(f"the shared store cannot be used: {error}")
        return EXIT_FAILED
    if arguments.json:
        write_json({"channels": channels})
    else:
        write_line("\n".join(fleet_lines(channels)))
    return EXIT_DONE


async def _read(url: str) -> list[Row]:
    postgres = Postgres(url, within=WITHIN)
    try:
        return await read_fleet(postgres)
    finally:
        await postgres.close()


def fleet_lines(channels: Sequence[Row]) -> Iterator[str]:
    """One line a channel, those that nobody owns first."""
    if not channels:
        yield "the shared store has no channels yet: start a daemon with store.url"
        return
    width = max(7, *(len(row["channel"]) for row in channels))
    yield f"{'CHANNEL':{width}}  {'STATE':10}  {'ON AIR':16}  {'NEXT':16}  {'OWNER':22}  {'HEIR':22}   LAG  PROBLEMS"
    for row in sorted(channels, key=lambda row: (row["owner"] is not None, not row["problems"], row["channel"])):
        heirs = ", ".join(each["name"] + ("" if each["sees_obs"] else " (no OBS)") for each in row["heirs"])
        cells = (
            f"{row['channel']:{width}}",
            f"{row['state'].lower():10}",
            f"{printable(row['on_air'] or 'nobody'):16.16}",
            f"{printable(row['next'] or 'nobody'):16.16}",
            f"{printable(row['owner']['name'] if row['owner'] else 'NOBODY'):22}",
            f"{printable(heirs) or 'none':22}",
            f"{row['lag']:>4}",
            ", ".join(row["problems"]) or "none",
        )
        yield "  ".join(cells).rstrip()
