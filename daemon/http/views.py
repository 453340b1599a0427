"""The rules' view as the API's JSON."""

from collections.abc import Callable, Sequence
from typing import Final

from daemon.config.types import FIRST_CHANNEL
from daemon.core.clock import iso
from daemon.core.ports import ObsInfo
from daemon.core.probing import Report
from daemon.http.shapes import show
from daemon.ingest.refusals import Refusal
from daemon.observability.problems import sentence
from statemachine.facts import HandoverEnded
from statemachine.lineup.entry import Problem
from statemachine.view import Fault, OnAir, Place, ProgramView, Standby, StandbyOff, View

Measured = Callable[[str], Report | None]

OWN_KIND: Final = "ffmpeg_source"
"""OBS's own media source."""


def nothing(session: str) -> None:
    """What is measured where nobody measures."""


def status(
    view: View,
    obs: ObsInfo,
    refused: Sequence[Refusal] = (),
    measured: Measured = nothing,
    channel: str = FIRST_CHANNEL,
) -> show.Status:
    """``GET /status``; ``measured`` tells what a probe says of a session."""
    return {
        "channel": channel,
        "state": view.state.value,
        "attempt": view.attempt,
        "held": view.held,
        "covered": view.covered or None,
        "on_air": _on_air(view.on_air) if view.on_air else None,
        "program": _program(view.program),
        "standby": _standby(view.standby) if view.standby else None,
        "standby_off": _standby_off(view.standby_off) if view.standby_off else None,
        "queue": [_place(view, place, measured) for place in view.queue],
        "obs": {
            "connected": obs.connected,
            "version": obs.version,
            "websocket": obs.websocket,
            "source_kind": OWN_KIND if view.fallen_back else obs.source_kind,
        },
        "last_switch": _switch(view.last_switch) if view.last_switch else None,
        "refused": [_refusal(refusal) for refusal in refused],
        "owner": None,
    }


def queue(view: View, measured: Measured = nothing) -> show.Queue:
    """``GET /queue``: the line-up in more detail, and who is blocked."""
    return {
        "held": view.held,
        "queue": [
            {
                **_place(view, place, measured),
                "publishing": place.publishing,
                "has_turn": place.has_turn,
                "turn": place.turn_length,
                "stalled": place.stalled,
                "failures": place.failures,
                "grace_remaining": None if place.grace_ends is None else _seconds(max(0.0, place.grace_ends - view.at)),
            }
            for place in view.queue
        ],
        "blocked": [
            {"streamer": name, "seconds": _seconds(max(0.0, until - view.at))}
            for name, until in sorted(view.blocks.items())
        ],
    }


def _on_air(on_air: OnAir) -> show.OnAir:
    return {
        "streamer": on_air.streamer,
        "input": on_air.input,
        "since": iso(on_air.since),
        "seconds": _seconds(on_air.seconds),
        "remaining": None if on_air.remaining is None else _seconds(on_air.remaining),
        "silent_since": None if on_air.silent_since is None else iso(on_air.silent_since),
        "live": on_air.live,
    }


def _program(program: ProgramView) -> show.Program:
    return {
        "scene": program.scene,
        "studio_mode": program.studio_mode,
        "shown": program.shown,
        "held": program.barred,
        "input": program.input,
        "blank": program.blank,
    }


def _standby(standby: Standby) -> show.Standby:
    return {"streamer": standby.streamer, "input": standby.input, "ready": standby.ready}


def _standby_off(off: StandbyOff) -> show.StandbyOff:
    lag = None if off.render_lag is None else round(off.render_lag, 3)
    return {"reason": off.reason, "since": None if off.since is None else iso(off.since), "render_lag": lag}


def _refusal(refusal: Refusal) -> show.RefusedPublisher:
    return {
        "at": iso(refusal.at),
        "streamer": refusal.streamer or None,
        "address": refusal.address or None,
        "reason": refusal.reason,
        "message": refusal.message,
        "count": refusal.count,
    }


def _place(view: View, place: Place, measured: Measured) -> show.Place:
    report = measured(place.session) if place.session else None
    return {
        "streamer": place.streamer,
        "position": place.position,
        "since": iso(place.since),
        "problem": _problem(place.problem) if place.problem else None,
        "passed_over": place.passed_over,
        "faults": [_fault(fault) for fault in view.faults.get(place.streamer, ())],
        "probe": _probed(view, place, report) if report is not None else None,
    }


def _fault(fault: Fault) -> show.Fault:
    message = sentence(fault.reason, f"{fault.value:.2f}")
    return {"reason": fault.reason, "message": message, "since": iso(fault.since), "value": round(fault.value, 3)}


def _probed(view: View, place: Place, report: Report) -> show.Probed:
    sound = report["sound"]
    since = {fault.reason: iso(fault.since) for fault in view.faults.get(place.streamer, ())}
    played = [
        each.input for each in (view.on_air, view.standby) if each is not None and each.streamer == place.streamer
    ]
    return {
        "video": report["video"],
        "audio": report["audio"],
        "kbps": report["kbps"],
        "level": sound["level"] if sound else None,
        "loudness": sound["loudness"] if sound else None,
        "peak": sound["peak"] if sound else None,
        "balance": sound["balance"] if sound else None,
        "drift": report["drift"],
        "silent_since": since.get("silent"),
        "black_since": since.get("black"),
        "gain": next((view.gains[name] for name in played if name in view.gains), 0.0),
        "preview": report["picture"] is not None,
        "problem": report["problem"],
    }


def _problem(problem: Problem) -> show.PlaceProblem:
    return {"reason": problem.reason, "message": sentence(problem.reason, problem.detail)}


def _switch(ended: HandoverEnded) -> show.Switch:
    return {
        "from": ended.from_streamer,
        "to": ended.to_streamer,
        "reason": ended.reason,
        "outcome": ended.outcome,
        "seconds": _seconds(ended.seconds),
    }


def _seconds(value: float) -> float:
    return round(value, 3)
