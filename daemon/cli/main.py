"""``motherstream``: the daemon itself, and the commands that talk to it."""

import argparse
import asyncio
import errno
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from daemon import __version__
from daemon.cli.client import Client, ClientError, quoted
from daemon.cli.store import add_parsers as add_store_parsers
from daemon.cli.streamer import add_parser as add_streamer_parser
from daemon.config.loader import ConfigError, load
from daemon.config.model import Config
from daemon.observability.wording import STANDBY_OFF, clock, place, printable, program
from statemachine.handover.table import as_table, mermaid

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG = 0, 1, 2, 78
"""78 is sysexits' EX_CONFIG: systemd's RestartPreventExitStatus knows it."""
NOTIFY_SECONDS = 40.0
"""That the daemon may take to try every target."""


FORMER: Final = {"let-in": "unblock"}
"""Commands by their former names, which scripts may use."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code says how it went."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words:
        words[0] = FORMER.get(words[0], words[0])
    arguments = _parser().parse_args(words)
    action: Callable[[argparse.Namespace], int] = arguments.action
    try:
        code = action(arguments)
        sys.stdout.flush()  # here, where it is told if it fails
        return code
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    except ClientError as error:
        print(f"motherstream: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        # `motherstream queue | head`: the reader has gone, which is its right.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename is not None:
            raise
        print(f"motherstream: the answer could not be written: {error.strerror}", file=sys.stderr)
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

    def add(name: str, action: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(action=action)
        return sub

    def with_config(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
        sub.add_argument("--config", type=Path, metavar="FILE", help="configuration file (TOML)")
        return sub

    with_config(add("run", _run, "run the daemon"))
    with_config(add("check", _check, "validate the configuration, then check OBS and the RTMP server: one line each"))
    for name, action, text in (
        ("status", _status, "show what is on air, on standby and waiting"),
        ("queue", _queue, "list the line-up"),
    ):
        sub = with_config(add(name, action, text))
        sub.add_argument("--json", action="store_true", help="print the API's answer as JSON")
    with_config(add("skip", _post("/queue/skip"), "end the current turn"))
    with_config(add("hold", _post("/queue/hold"), "stop turns from ending by the clock until `release`"))
    with_config(add("release", _post("/queue/release"), "let turns end by the clock again"))
    move = with_config(add("move", _move, "move a waiting streamer to another position"))
    move.add_argument("name", metavar="NAME", help="the streamer")
    move.add_argument("position", type=int, metavar="POSITION", help="1 is next after the one on air")
    remove = with_config(add("remove", _remove, "take a streamer out of the line-up until the next publish"))
    remove.add_argument("name", metavar="NAME", help="the streamer")
    turn = with_config(add("turn", _turn, "set the length of turns, for everybody or for one streamer in the line-up"))
    turn.add_argument("seconds", type=int, metavar="SECONDS")
    turn.add_argument("--streamer", metavar="NAME", help="only for this streamer, until it leaves or its turn is over")
    turn.add_argument("--restart", action="store_true", help="restart the current turn")
    block = with_config(add("block-last", _block_last, "whether the last streamer on air may come straight back"))
    block.add_argument("choice", choices=("on", "off", "show"), nargs="?", default="show")
    kick = with_config(add("kick", _kick, "disconnect a streamer and block it for a while"))
    kick.add_argument("name", metavar="NAME", help="the streamer")
    kick.add_argument("--seconds", type=float, default=300.0, help="how long to block it (default: 300)")
    unblock = with_config(add("unblock", _unblock, "let a blocked streamer publish again"))
    unblock.add_argument("name", metavar="NAME", help="the streamer")
    notify = add("notify", _notify_test, "send test notifications")
    test = notify.add_subparsers(metavar="COMMAND", required=True).add_parser("test", help="send a test to each target")
    with_config(test).description = "Send a test message to each target of notify.urls, and report which were sent."
    add_streamer_parser(commands)
    add_store_parsers(commands)
    watch = with_config(add("watch", _watch, "the dashboard in the terminal, until Ctrl-C"))
    watch.add_argument("--once", action="store_true", help="print one frame and exit")
    states = add("states", _states, "print the state machine, generated from its table")
    states.add_argument("--format", choices=("table", "mermaid"), default="table")
    completion = add("completion", _completion, "print a completion script for the shell")
    completion.add_argument("shell", choices=("bash", "zsh"))
    demo = add("demo", _demo, "run a whole studio on this machine: OBS, an RTMP server, streamers taking turns")
    demo.add_argument(
        "--duration", type=float, default=0.0, metavar="SECONDS", help="stop after this long (0: on Ctrl-C)"
    )
    demo.add_argument("--streamers", type=int, default=3, choices=range(2, 7), metavar="2..6")
    demo.add_argument("--port", type=int, default=8000, help="port of the API and the dashboard; 0 picks a free one")
    demo.add_argument("--keep", metavar="DIR", type=Path, help="keep the recording and the logs here")
    return parser


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
        from daemon.app import run  # the client commands start faster without it

        return run(arguments.config)
    finally:
        gc.enable()


def _check(arguments: argparse.Namespace) -> int:
    from daemon.cli.check import check

    config = _config(arguments)
    print("ok    configuration")
    results = asyncio.run(check(config))
    for result in results:
        print(f"{'ok   ' if result.ok else 'FAIL '} {result.what}" + (f": {result.detail}" if result.detail else ""))
    return EXIT_DONE if all(result.ok for result in results) else EXIT_FAILED


def _demo(arguments: argparse.Namespace) -> int:
    from daemon.studio.demo import demo

    return asyncio.run(demo(arguments.streamers, arguments.port, arguments.duration, arguments.keep))


def _watch(arguments: argparse.Namespace) -> int:
    from daemon.cli.watch import watch  # rich takes a while to load

    return watch(_client(arguments), arguments.once)


def _states(arguments: argparse.Namespace) -> int:
    print(mermaid() if arguments.format == "mermaid" else as_table(), end="")
    return EXIT_DONE


def _completion(arguments: argparse.Namespace) -> int:
    from daemon.cli.completion import completion

    print(completion(_parser(), arguments.shell), end="")
    return EXIT_DONE


def _post(path: str) -> Callable[[argparse.Namespace], int]:
    def action(arguments: argparse.Namespace) -> int:
        answer = _client(arguments).post(path)
        print(_message(answer))
        return EXIT_DONE

    return action


def _kick(arguments: argparse.Namespace) -> int:
    answer = _client(arguments).post(f"/queue/{quoted(arguments.name)}/kick?seconds={arguments.seconds:g}")
    print(_message(answer))
    return EXIT_DONE


def _unblock(arguments: argparse.Namespace) -> int:
    print(_message(_client(arguments).post(f"/queue/{quoted(arguments.name)}/let-in")))
    return EXIT_DONE


def _move(arguments: argparse.Namespace) -> int:
    print(_message(_client(arguments).post(f"/queue/{quoted(arguments.name)}/move?position={arguments.position}")))
    return EXIT_DONE


def _remove(arguments: argparse.Namespace) -> int:
    print(_message(_client(arguments).delete(f"/queue/{quoted(arguments.name)}")))
    return EXIT_DONE


def _turn(arguments: argparse.Namespace) -> int:
    whose = f"&streamer={quoted(arguments.streamer)}" if arguments.streamer else ""
    restart = "true" if arguments.restart else "false"
    print(_message(_client(arguments).post(f"/update-timer/{arguments.seconds}?reset_time={restart}{whose}")))
    return EXIT_DONE


def _block_last(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    blocked = bool(client.get("/block-toggle")["is_blocked"])
    if arguments.choice != "show" and blocked != (arguments.choice == "on"):
        blocked = bool(client.post("/block-toggle")["is_blocked"])
    print("the last one on air may not come straight back" if blocked else "the last one on air may come straight back")
    return EXIT_DONE


def _notify_test(arguments: argparse.Namespace) -> int:
    answer = _client(arguments).post("/notify/test", timeout=NOTIFY_SECONDS)
    for row in answer["targets"]:
        print(
            f"{'ok   ' if row['ok'] else 'FAIL '} {row['target']}" + (f": {row['problem']}" if row["problem"] else "")
        )
    return EXIT_DONE if all(row["ok"] for row in answer["targets"]) else EXIT_FAILED


def _message(answer: Any) -> str:
    return str(answer["message"]) if isinstance(answer, dict) and "message" in answer else "done"


def _status(arguments: argparse.Namespace) -> int:
    status = _client(arguments).get("/status")
    if arguments.json:
        print(json.dumps(status, indent=2))
        return EXIT_DONE
    obs, on_air, standby = status["obs"], status["on_air"], status["standby"]
    print(f"state    {status['state']}" + ("  (held)" if status["held"] else ""))
    if on_air:
        left = "" if on_air["remaining"] is None else f", {clock(on_air['remaining'])} left"
        print(f"on air   {printable(on_air['streamer'])} for {clock(on_air['seconds'])}{left}  [{on_air['input']}]")
    elif (own := (status.get("program") or {}).get("input")) and not status["program"].get("blank"):
        print(f"on air   unknown streamer  [{printable(own)}]")
    else:
        print("on air   nobody")
    if amiss := program(status.get("program")):
        print(f"program  {printable(amiss)}")
    if standby:
        how = "ready" if standby["ready"] else "buffering"
        print(f"standby  {printable(standby['streamer'])} ({how})  [{standby['input']}]")
    elif off := status.get("standby_off"):
        print(f"standby  {STANDBY_OFF.get(off['reason'], off['reason'])}")
    waiting = [row["streamer"] for row in status["queue"] if not on_air or row["streamer"] != on_air["streamer"]]
    print(f"waiting  {printable(', '.join(waiting) or 'nobody')}")
    for row in status["queue"]:
        if row.get("problem"):
            print(f"problem  {printable(row['streamer'])}: {row['problem']['message']}")
    for refusal in status.get("refused", [])[:3]:
        who = refusal["streamer"] or refusal["address"] or "somebody"
        print(printable(f"refused  {who} ({refusal['reason']}): {refusal['message']}"))
    print(f"obs      {'connected, ' + str(obs['version']) if obs['connected'] else 'not connected'}")
    if last := status["last_switch"]:
        print(
            printable(f"last     {last['from'] or 'nobody'} -> {last['to'] or 'nobody'} ({last['reason']}): "),
            f"{last['outcome']} in {last['seconds']:.3f} s",
            sep="",
        )
    return EXIT_DONE


def _queue(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    queue = client.get("/queue")
    if arguments.json:
        print(json.dumps(queue, indent=2))
        return EXIT_DONE
    status = client.get("/status")
    for row in queue["queue"]:
        state, _ = place(row, status["on_air"], status["standby"])
        print(f"{row['position']:>3}  {printable(row['streamer'])}  ({state}; since {row['since']})")
    if not queue["queue"]:
        print("the line-up is empty: it fills as streamers publish")
    for row in queue["blocked"]:
        print(f"blocked: {printable(row['streamer'])} for another {clock(row['seconds'])}")
    if queue["held"]:
        print("held: no turn ends by the clock")
    return EXIT_DONE
