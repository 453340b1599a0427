"""``motherstream streamer``: who may publish, and with which key.

Works on the daemon's file, or on the store that daemons share, so also without a daemon; those that run notice within a
second.
"""

import argparse
import contextlib
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from daemon.cli.channel import add_channel
from daemon.cli.exit_codes import EXIT_DONE, EXIT_FAILED
from daemon.cli.output import as_argument, complain, note, write_json, write_line
from daemon.config.loader import load
from daemon.config.model import Config
from daemon.config.types import is_loopback
from daemon.core.clock import iso
from daemon.core.ports import PortError
from daemon.core.shapes import LONGEST_TURN
from daemon.ingest.stream import NAME
from daemon.shared.streamers import SharedStreamers
from daemon.streamers.store import StreamerError, StreamerStore

if TYPE_CHECKING:
    from types import EllipsisType

DEFAULT_APP = "live"

_LIVE_GOES_ON = "a live stream continues: motherstream kick {name} ends it"
"""A key is asked for when a publish begins, and not again."""

Streamers = StreamerStore | SharedStreamers
StoreAction = Callable[[argparse.Namespace, Streamers, Config], None]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``streamer`` and what it can do to the command line."""
    text = "add, list, change and remove streamers and the keys they publish with"
    streamer = commands.add_parser("streamer", help=text, description=text[0].upper() + text[1:] + ".")
    verbs = streamer.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, action: StoreAction, text: str, *, named: bool = True) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add_channel(sub)
        if named:
            sub.add_argument("name", metavar="NAME", help="the name that people see")
        sub.set_defaults(action=lambda arguments: _run(action, arguments))
        return sub

    def with_key(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        text = "the server as streamers reach it, rtmp://HOST:PORT/APP (default: that of ingest.rtmp_url)"
        sub.add_argument("--server", type=_server, metavar="URL", help=text)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        return sub

    turn = with_key(add("add", _add, "add a streamer and print its key, which is shown only once"))
    turn.add_argument("--turn", type=_seconds, metavar="SECONDS", help="length of its turns (default: queue.turn)")
    add("list", _list, "list the streamers", named=False).add_argument("--json", action="store_true", help="as JSON")
    add("remove", _remove, "remove a streamer and void its key")
    with_key(add("rotate", _rotate, "make a new key, which is shown only once, and void the old one"))
    change = add("set", _set, "change a streamer")
    what = change.add_argument_group("changes (at least one)")
    what.add_argument(
        "--turn", type=_seconds_or_default, default=..., metavar="SECONDS", help='length of its turns, or "default"'
    )
    either = what.add_mutually_exclusive_group()
    for option, enabled, text in (("--enable", True, "let it publish"), ("--disable", False, "refuse it")):
        either.add_argument(option, action="store_const", const=enabled, dest="enabled", default=..., help=text)
    change.set_defaults(misused=change.error)


def _run(action: StoreAction, arguments: argparse.Namespace) -> int:
    config = load(arguments.config, os.environ, client=True)
    try:
        action(arguments, streamers_of(config), config)
    except (StreamerError, PortError) as error:
        complain(error)
        return EXIT_FAILED
    return EXIT_DONE


def streamers_of(config: Config) -> Streamers:
    """Where this channel's streamers are: in its own file, or in the store that it shares. Raises PortError."""
    url = config.store.url.get_secret_value()
    return SharedStreamers(url) if url else StreamerStore(config.store.path)


# --- the actions ---------------------------------------------------------------------------------------------


def _add(arguments: argparse.Namespace, store: Streamers, config: Config) -> None:
    is_new = not store.is_there()
    key = store.add(arguments.name, arguments.turn)
    _show_key(arguments, store, config, key)
    if is_new and isinstance(store, StreamerStore):
        note(f"created the file {store.path.absolute()}: make sure that the daemon uses the same (store.path)")
    if config.queue.auth != "keys":
        note(f'queue.auth is "{config.queue.auth}", so this key is not asked for')


def _rotate(arguments: argparse.Namespace, store: Streamers, config: Config) -> None:
    _show_key(arguments, store, config, store.rotate(arguments.name))
    note(_LIVE_GOES_ON.format(name=as_argument(arguments.name)))


def _remove(arguments: argparse.Namespace, store: Streamers, _config: Config) -> None:
    name = store.remove(arguments.name)
    write_line(f"{name} was removed, and its key is void")
    note(_LIVE_GOES_ON.format(name=as_argument(name)))


def _set(arguments: argparse.Namespace, store: Streamers, _config: Config) -> None:
    turn: float | EllipsisType | None = arguments.turn
    if turn is ... and arguments.enabled is ...:
        arguments.misused("say what to change: --turn, --enable or --disable")
    row = store.set(arguments.name, turn=turn, enabled=arguments.enabled)
    write_line(f"{row.name} is {'enabled' if row.enabled else 'disabled'}, with {_turn(row.turn)}")
    if arguments.enabled is False:
        note(_LIVE_GOES_ON.format(name=as_argument(row.name)))
    elif isinstance(turn, float):
        between = "=" if row.name.startswith("-") else " "
        command = f"motherstream turn {turn:.0f} --streamer{between}{shlex.quote(row.name)}"
        note(f"from its next publish on; for one that is in the line-up: {command}")


def _list(arguments: argparse.Namespace, store: Streamers, _config: Config) -> None:
    rows = store.list()
    if arguments.json:
        plain = [
            {"streamer": r.name, "turn": r.turn, "enabled": r.enabled, "added": iso(r.added_at), "key": iso(r.key_at)}
            for r in rows
        ]
        write_json(plain)
        return
    if not rows:
        write_line(f"there are no streamers in {store.where}: add one with `motherstream streamer add NAME`")
        return
    # The name comes last: how wide it is on a terminal is hard to tell.
    write_line(f"{'STATE':8}  {'TURN':>8}  {'ADDED':10}  {'KEY SINCE':10}  NAME")
    for row in rows:
        turn = "default" if row.turn is None else f"{row.turn:g} s"
        state = "enabled" if row.enabled else "disabled"
        write_line(f"{state:8}  {turn:>8}  {iso(row.added_at)[:10]}  {iso(row.key_at)[:10]}  {row.name}")


def _show_key(arguments: argparse.Namespace, store: Streamers, config: Config, key: str) -> None:
    row = store.find_by_key(key)
    if row is None:
        raise StreamerError("somebody else changed the key at the same time: try again")
    played = config.ingest.rtmp_url
    place = publish_place(row.name, key, arguments.server or publish_server(played), played)
    if arguments.json:
        body = {"streamer": row.name, "turn": row.turn, "key": key, "server": place.server}
        write_json({**body, "stream_key": place.stream_key, "url": place.url})
    else:
        write_line(f"{row.name} may publish, with {_turn(row.turn)}, to")
        write_line(f"  {place.url}")
        write_line("In OBS (Settings, Stream, Service: Custom…) that is")
        write_line(f"  Server      {place.server}")
        write_line(f"  Stream key  {place.stream_key}")
        write_line("Only the key's hash is stored, so it cannot be shown again. If it is lost or has leaked:")
        write_line(f"  motherstream streamer rotate {as_argument(row.name)}")
    if is_loopback(urlsplit(place.server).hostname or ""):
        note("that address only works on this machine: give streamers one that they can reach (--server)")


# --- what to paste where -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublishPlace:
    """What a streamer is to be told."""

    server: str
    stream_key: str

    @property
    def url(self) -> str:
        """Both in one, for programs that want one."""
        return f"{self.server}/{self.stream_key}"


def publish_place(name: str, key: str, server: str, rtmp_url: str = "{stream}") -> PublishPlace:
    """``NAME?key=KEY`` where the name can be a stream's; else the key itself is the stream's name.

    Where ``ingest.rtmp_url`` names the stream, as ``…/live?stream_key={stream_key}`` does, that one is to be published.
    """
    played, _, query = rtmp_url.partition("?")
    stream = played.rpartition("/")[2]
    if "{stream}" not in rtmp_url and "{stream_key}" in query and NAME.fullmatch(stream):
        return PublishPlace(server, f"{stream}?stream_key={key}")
    if "{stream}" not in rtmp_url and "{stream_key}" in played:
        return PublishPlace(server, key)
    return PublishPlace(server, f"{name}?key={key}" if NAME.fullmatch(name) else key)


def publish_server(rtmp_url: str) -> str:
    """Where to publish, guessed from where to play: host and port of ``ingest.rtmp_url``, and its app, else "live"."""
    # Braces are no part of a URL: the rest of it is parsed without the placeholders' help.
    parts = urlsplit(rtmp_url.replace("{app}", DEFAULT_APP))
    app = parts.path.strip("/").rpartition("/")[0]
    if not re.fullmatch(r"[A-Za-z0-9_/-]+", app):
        app = DEFAULT_APP
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{app}"


def _server(text: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in ("rtmp", "rtmps") and parts.hostname and re.fullmatch(r"[^\s?#]+", text):
            return text.rstrip("/") if parts.path.strip("/") else f"{text.rstrip('/')}/{DEFAULT_APP}"
    raise argparse.ArgumentTypeError("must be rtmp://HOST:PORT/APP or rtmps://…")


# --- helpers -------------------------------------------------------------------------------------------------


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if 1 <= seconds <= LONGEST_TURN:
            return seconds
    raise argparse.ArgumentTypeError(f"must be 1 to {LONGEST_TURN} seconds")


def _seconds_or_default(text: str) -> float | None:
    return None if text == "default" else _seconds(text)


def _turn(turn: float | None) -> str:
    return "turns as long as everybody's" if turn is None else f"turns of {turn:g} s"
