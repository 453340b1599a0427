"""The rules' view as the API's JSON."""

from collections.abc import Sequence
from typing import Final

from daemon.core.clock import iso
from daemon.core.ports import ObsInfo
from daemon.http.shapes import show
from daemon.ingest.refusals import Refusal
from daemon.observability.problems import sentence
from statemachine.facts import HandoverEnded
from statemachine.lineup.entry import Problem
from statemachine.view import OnAir, Place, ProgramView, Standby, StandbyOff, View

OWN_KIND: Final = "ffmpeg_source"
"""OBS's own media source."""


def status(view: View, obs: ObsInfo, refused: Sequence[Refusal] = ()) -> show.Status:
    """``GET /status``."""
    return {
        "state": view.state.value,
        "attempt": view.attempt,
        "held": view.held,
        "on_air": _on_air(view.on_air) if view.on_air else None,
        "program": _program(view.program),
        "standby": _standby(view.standby) if view.standby else None,
        "standby_off": _standby_off(view.standby_off) if view.standby_off else None,
        "queue": [_place(place) for place in view.queue],
        "obs": {
            "connected": obs.connected,
            "version": obs.version,
            "websocket": obs.websocket,
            "source_kind": OWN_KIND if view.fallen_back else obs.source_kind,
        },
        "last_switch": _switch(view.last_switch) if view.last_switch else None,
        "refused": [_refusal(refusal) for refusal in refused],
    }


def queue(view: View) -> show.Queue:
    """``GET /queue``: the line-up in more detail, and who is blocked."""
    return {
        "held": view.held,
        "queue": [
            {
                **_place(place),
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


def _place(place: Place) -> show.Place:
    return {
        "streamer": place.streamer,
        "position": place.position,
        "since": iso(place.since),
        "problem": _problem(place.problem) if place.problem else None,
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
