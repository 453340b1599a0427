"""``motherstream``: the daemon itself, and the commands that talk to it."""

import argparse
import asyncio
import errno
import gc
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon import __version__
from daemon.cli.channel import add_channel
from daemon.cli.client import Client, ClientError, quoted
from daemon.cli.exit_codes import EXIT_CONFIG, EXIT_DONE, EXIT_FAILED
from daemon.cli.lineup import FORMER, add_arguments, as_help, asks
from daemon.cli.output import complain, make_ready, to_stderr, write_check, write_json, write_line, write_text
from daemon.cli.pair import add_parsers as add_pair_parsers
from daemon.cli.show import queue_lines, status_lines
from daemon.cli.store import add_parsers as add_store_parsers
from daemon.cli.streamer import add_parser as add_streamer_parser
from daemon.config.loader import ConfigError, load
from daemon.config.model import Config
from daemon.core.operator import USE_CASES
from daemon.core.shapes import LONGEST_TURN
from daemon.core.use_case import UseCase
from daemon.http.addresses import dashed
from statemachine.handover.table import as_table, mermaid

NOTIFY_SECONDS = 40.0
"""That the daemon may take to try every target."""

Action = Callable[[argparse.Namespace], int]
"""Runs one command; its exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says how it went."""
    make_ready()
    words = list(sys.argv[1:] if argv is None else argv)
    if words:
        words[0] = FORMER.get(words[0], words[0])
    arguments = _parser().parse_args(words)
    action: Action = arguments.action
    try:
        code = action(arguments)
        sys.stdout.flush()  # here, where it is told if it fails
        return code
    except ConfigError as error:
        to_stderr(error)
        return EXIT_CONFIG
    except ClientError as error:
        complain(error)
        return EXIT_FAILED
    except BrokenPipeError:
        # `motherstream queue | head`: the reader has gone, which is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename is not None:
            raise
        complain(f"the answer could not be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motherstream",
        description="Hands one shared live stream from streamer to streamer in OBS, without a blank frame.",
    )
    parser.add_argument("--version", action="version", version=f"motherstream {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add = _Commands(commands)
    add.with_config("run", _run, "run the daemon")
    add.with_config("check", _check, "validate the configuration, then check OBS and the RTMP server: one line each")
    _add_line_up(add)
    _add_people(add)
    _add_notify(add)
    add_streamer_parser(commands)
    add_store_parsers(commands)
    add_pair_parsers(commands, _client)
    watch = add.with_config("watch", _watch, "the dashboard in the terminal, until Ctrl-C")
    watch.add_argument("--once", action="store_true", help="print one frame and exit")
    states = add("states", _states, "print the state machine, generated from its table")
    states.add_argument("--format", choices=("table", "mermaid"), default="table", help="default: %(default)s")
    completion = add("completion", _completion, "print a completion script for the shell")
    completion.add_argument("shell", choices=("bash", "zsh"))
    _add_demo(add)
    return parser


@dataclass(frozen=True, slots=True)
class _Commands:
    """Commands are added here one by one, each with what runs it and what it is for."""

    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]"

    def __call__(self, name: str, action: Action, text: str) -> argparse.ArgumentParser:
        sub = self.subparsers.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(action=action)
        return sub

    def with_config(self, name: str, action: Action, text: str) -> argparse.ArgumentParser:
        return add_channel(self(name, action, text))


def _add_line_up(add: _Commands) -> None:
    """What is shown of the line-up, and what moves it."""
    for name, action, text in (
        ("status", _status, "show what is on air, on standby and waiting"),
        ("queue", _queue, "list the line-up"),
    ):
        add.with_config(name, action, text).add_argument(
            "--json", action="store_true", help="print the API's answer as JSON"
        )
    for case in USE_CASES:
        add_arguments(add.with_config(dashed(case.name), _use_case(case), as_help(case)), case)
    turn = add.with_config("turn", _turn, "set the length of turns, for everybody or for one streamer in the line-up")
    turn.add_argument("seconds", type=int, metavar="SECONDS", help="length of a turn, counted from the picture")
    turn.add_argument("--streamer", metavar="NAME", help="only for this streamer, until it leaves or its turn is over")
    turn.add_argument("--restart", action="store_true", help="restart the current turn")


def _add_people(add: _Commands) -> None:
    """Who may publish at all, for now."""
    block = add.with_config("block-last", _block_last, "whether the last streamer on air may come straight back")
    text = "on: it may not; off: it may; show: print which (the default)"
    block.add_argument("choice", choices=("on", "off", "show"), nargs="?", default="show", help=text)


def _add_notify(add: _Commands) -> None:
    notify = add("notify", _notify_test, "send test notifications")
    test = notify.add_subparsers(metavar="COMMAND", required=True).add_parser("test", help="send a test to each target")
    add_channel(test).description = "Send a test message to each target of notify.urls, and report which were sent."


def _duration(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds <= LONGEST_TURN:
        raise argparse.ArgumentTypeError(f"must be 0 to {LONGEST_TURN} seconds")
    return seconds


def _add_demo(add: _Commands) -> None:
    demo = add("demo", _demo, "run a whole studio on this machine: OBS, an RTMP server, streamers taking turns")
    demo.add_argument(
        "--duration", type=_duration, default=0.0, metavar="SECONDS", help="stop after this long (0: on Ctrl-C)"
    )
    text = "how many take turns (default: %(default)s)"
    demo.add_argument("--streamers", type=int, default=3, choices=range(2, 7), metavar="2..6", help=text)
    demo.add_argument("--port", type=int, default=8000, help="port of the API and the dashboard; 0 picks a free one")
    demo.add_argument("--keep", metavar="DIR", type=Path, help="keep the recording and the logs here")
    text = "how many channels share OBS and the RTMP server (default: %(default)s)"
    demo.add_argument("--channels", type=int, default=1, choices=(1, 2), metavar="1..2", help=text)
    text = "with PostgreSQL, and two daemons for the first channel, of which one is killed"
    demo.add_argument("--pair", action="store_true", help=text)


def _config(arguments: argparse.Namespace) -> Config:
    return load(arguments.config, os.environ)


def _client(arguments: argparse.Namespace) -> Client:
    config = load(arguments.config, os.environ, client=True)
    return Client(config.http.host, config.http.port, config.http.token.get_secret_value())


def _run(arguments: argparse.Namespace) -> int:
    # Its own end by default. The configuration has not been read yet, so a reload that comes now has nothing to do.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.disable()  # until it runs: what is imported stays, and to look for garbage takes a tenth of the time
    try:
        from daemon.app import run  # noqa: PLC0415  # the client commands start faster without it

        return run(arguments.config)
    finally:
        gc.enable()


def _check(arguments: argparse.Namespace) -> int:
    from daemon.cli.check import check  # noqa: PLC0415  # it brings the adapters, as the daemon does

    config = _config(arguments)
    write_check("configuration", None, ok=True)
    results = asyncio.run(check(config))
    for result in results:
        write_check(result.what, result.detail, ok=result.ok)
    return EXIT_DONE if all(result.ok for result in results) else EXIT_FAILED


def _demo(arguments: argparse.Namespace) -> int:
    from daemon.studio.demo import demo  # noqa: PLC0415  # the studio is for this alone
    from daemon.studio.more import Plan  # noqa: PLC0415  # so is this

    plan = Plan(
        arguments.streamers,
        arguments.port,
        arguments.duration,
        arguments.keep,
        second_channel=arguments.channels > 1,
        pair=arguments.pair,
    )
    return asyncio.run(demo(plan))


def _watch(arguments: argparse.Namespace) -> int:
    from daemon.cli.watch import watch  # noqa: PLC0415  # rich takes a while to load

    return watch(_client(arguments), arguments.once)


def _states(arguments: argparse.Namespace) -> int:
    write_text(mermaid() if arguments.format == "mermaid" else as_table())
    return EXIT_DONE


def _completion(arguments: argparse.Namespace) -> int:
    from daemon.cli.completion import completion  # noqa: PLC0415  # shtab is for this alone

    write_text(completion(_parser(), arguments.shell))
    return EXIT_DONE


def _use_case(case: UseCase) -> Action:
    ask = asks(case, _client)

    def action(arguments: argparse.Namespace) -> int:
        write_line(_message(ask(arguments)))
        return EXIT_DONE

    return action


def _turn(arguments: argparse.Namespace) -> int:
    whose = f"&streamer={quoted(arguments.streamer)}" if arguments.streamer else ""
    restart = "true" if arguments.restart else "false"
    write_line(_message(_client(arguments).post(f"/update-timer/{arguments.seconds}?reset_time={restart}{whose}")))
    return EXIT_DONE


def _block_last(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    blocked = bool(client.get("/block-toggle")["is_blocked"])
    if arguments.choice != "show" and blocked != (arguments.choice == "on"):
        blocked = bool(client.post("/block-toggle")["is_blocked"])
    write_line(
        "the last one on air may not come straight back" if blocked else "the last one on air may come straight back"
    )
    return EXIT_DONE


def _notify_test(arguments: argparse.Namespace) -> int:
    answer = _client(arguments).post("/notify/test", timeout=NOTIFY_SECONDS)
    for row in answer["targets"]:
        write_check(row["target"], row["problem"], ok=row["ok"])
    return EXIT_DONE if all(row["ok"] for row in answer["targets"]) else EXIT_FAILED


def _message(answer: Any) -> str:
    return str(answer["message"]) if isinstance(answer, dict) and "message" in answer else "done"


def _status(arguments: argparse.Namespace) -> int:
    status = _client(arguments).get("/status")
    if arguments.json:
        write_json(status)
    else:
        write_line("\n".join(status_lines(status)))
    return EXIT_DONE


def _queue(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    queue = client.get("/queue")
    if arguments.json:
        write_json(queue)
    else:
        write_line("\n".join(queue_lines(queue, client.get("/status"))))
    return EXIT_DONE
