"""``motherstream status`` and ``motherstream queue``: the API's answers as lines of text."""

from collections.abc import Iterator
from typing import Any

from daemon.config.types import FIRST_CHANNEL
from daemon.observability.wording import STANDBY_OFF, clock, place, printable, program

REFUSALS_SHOWN = 3
"""The newest ones: who asks for the status wants to see them in passing."""

Answer = dict[str, Any]
"""A JSON object as the API gave it."""


def status_lines(status: Answer) -> Iterator[str]:
    """What is on air, on standby and waiting, and what is amiss."""
    if (channel := status.get("channel", FIRST_CHANNEL)) != FIRST_CHANNEL:
        yield f"channel  {printable(channel)}"
    yield f"state    {status['state']}" + ("  (held)" if status["held"] else "")
    yield _on_air(status)
    if amiss := program(status.get("program")):
        yield f"program  {printable(amiss)}"
    yield from _standby(status)
    yield from _waiting(status)
    yield from _refused(status)
    obs = status["obs"]
    yield from _owner(status.get("owner"))
    yield f"obs      {'connected, ' + str(obs['version']) if obs['connected'] else 'not connected'}"
    yield from _last_switch(status)


def queue_lines(queue: Answer, status: Answer) -> Iterator[str]:
    """The line-up in its order, and who is blocked from it."""
    for row in queue["queue"]:
        state, _ = place(row, status["on_air"], status["standby"])
        yield f"{row['position']:>3}  {printable(row['streamer'])}  ({state}; since {row['since']})"
    if not queue["queue"]:
        yield "the line-up is empty: it fills as streamers publish"
    for row in queue["blocked"]:
        yield f"blocked: {printable(row['streamer'])} for another {clock(row['seconds'])}"
    if queue["held"]:
        yield "held: no turn ends by the clock"


def _on_air(status: Answer) -> str:
    if on_air := status["on_air"]:
        left = "" if on_air["remaining"] is None else f", {clock(on_air['remaining'])} left"
        return f"on air   {printable(on_air['streamer'])} for {clock(on_air['seconds'])}{left}  [{on_air['input']}]"
    if (own := (status.get("program") or {}).get("input")) and not status["program"].get("blank"):
        return f"on air   unknown streamer  [{printable(own)}]"
    return "on air   nobody"


def _standby(status: Answer) -> Iterator[str]:
    if standby := status["standby"]:
        how = "ready" if standby["ready"] else "buffering"
        yield f"standby  {printable(standby['streamer'])} ({how})  [{standby['input']}]"
    elif off := status.get("standby_off"):
        yield f"standby  {STANDBY_OFF.get(off['reason'], off['reason'])}"


def _waiting(status: Answer) -> Iterator[str]:
    on_air = status["on_air"]
    waiting = [row["streamer"] for row in status["queue"] if not on_air or row["streamer"] != on_air["streamer"]]
    yield f"waiting  {printable(', '.join(waiting) or 'nobody')}"
    for row in status["queue"]:
        if row.get("problem"):
            yield f"problem  {printable(row['streamer'])}: {row['problem']['message']}"


def _refused(status: Answer) -> Iterator[str]:
    for refusal in status.get("refused", [])[:REFUSALS_SHOWN]:
        who = refusal["streamer"] or refusal["address"] or "somebody"
        yield printable(f"refused  {who} ({refusal['reason']}): {refusal['message']}")


def _owner(owner: Answer | None) -> Iterator[str]:
    """Where two daemons share the channel."""
    if owner is None:
        return
    heir = owner["heir"]
    if owner["here"]:
        after = f"; heir {printable(heir['name'])}" if heir else "; no heir"
        if heir and not heir["sees_obs"]:
            after += ", which does not reach OBS"
        yield f"owner    this daemon, epoch {owner['epoch']}{after}"
    elif owner["name"]:
        yield f"owner    {printable(owner['name'])} at {printable(owner['address'])}; this daemon is its heir"
    else:
        yield "owner    nobody: this daemon takes over in a moment"
    if owner["problem"]:
        yield f"store    {printable(owner['problem'])}"
    elif owner["lag"]:
        yield f"store    {owner['lag']} events behind"


def _last_switch(status: Answer) -> Iterator[str]:
    if last := status["last_switch"]:
        who = printable(f"last     {last['from'] or 'nobody'} -> {last['to'] or 'nobody'} ({last['reason']}): ")
        yield f"{who}{last['outcome']} in {last['seconds']:.3f} s"
