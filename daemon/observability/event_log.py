"""Facts to log lines: of hand-overs in the texts that users grep for, of all else in the words of ``wording``."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog

from daemon.observability.wording import describe_fact
from statemachine import facts
from statemachine.events import Actor

log = structlog.get_logger(__name__)


def narrate(told: Sequence[facts.Fact], to: Any = log) -> None:
    """Write what has happened."""
    for fact in told:
        write = _WRITERS.get(type(fact))
        if write is None:
            raise TypeError(f"unknown fact {fact!r}")
        write(to, fact)


def narrator() -> Callable[[Sequence[facts.Fact]], None]:
    """The same with a logger that is made once, by now as the log is configured: each hook has something told."""
    return partial(narrate, to=log.bind())


# --- the hand-over -------------------------------------------------------------------------------------------


def _state(log: Any, fact: facts.StateChanged) -> None:
    log.debug(f"{fact.source.value} -> {fact.dest.value}", trigger=fact.event, attempt=fact.attempt)


def _ignored(log: Any, fact: facts.EventIgnored) -> None:
    log.debug("event ignored", trigger=fact.event, state=fact.state.value, why=fact.why)


def _on_air(log: Any, fact: facts.OnAirChanged) -> None:
    text = describe_fact(fact)
    if fact.streamer or (fact.adopted and fact.input):
        log.info(text, streamer=fact.streamer or None, input=fact.input, adopted=fact.adopted or None)
    else:
        log.warning(text)


def _handover(log: Any, fact: facts.HandoverEnded) -> None:
    fields = {
        "input": fact.input,
        "from_streamer": fact.from_streamer or None,
        "to_streamer": fact.to_streamer or None,
        "reason": fact.reason,
        "attempt": fact.attempt,
        "seconds": round(fact.seconds, 3),
        "actor": _actor(fact.actor),
    }
    match fact.outcome:
        case "completed" if fact.to_streamer:
            log.info(f"Successfully switched to new source '{fact.input}'", **fields)
        case "completed" if fact.reason == "low_bitrate":
            log.info(f"Took source '{fact.outgoing}' off air: its bitrate is too low", **fields)
        case "completed" if fact.reason == "quality":
            log.info(f"Took source '{fact.outgoing}' off air: its sound or picture is not as it should be", **fields)
        case "completed":
            log.info(f"Took source '{fact.outgoing}' off air: nobody follows", **fields)
        case "creation_failed":
            log.error(f"Failed to create GStreamer source '{fact.input}': {fact.detail}", **fields)
        case "not_ready":
            log.warning(f"New source '{fact.input}' {fact.detail}", **fields)
            log.warning("Failed to create new source", **fields)
        case "cut_failed":
            log.error(f"Failed to switch to new source '{fact.input}': {fact.detail}", **fields)
        case "superseded":
            log.info(f"New source '{fact.input}' is no longer wanted", **fields)
        case _:
            log.warning(f"New source '{fact.input}' was given up: {fact.detail}", outcome=fact.outcome, **fields)
            if fact.outcome == "media_failed":
                log.warning("Failed to create new source", outcome=fact.outcome, **fields)


# --- what viewers get ----------------------------------------------------------------------------------------


def _program_elsewhere(log: Any, fact: facts.ProgramElsewhere) -> None:
    text = describe_fact(fact)
    log.warning(text, scene=fact.scene, streamer=fact.streamer or None, studio_mode=fact.studio_mode)


def _program_back(log: Any, fact: facts.ProgramBack) -> None:
    text = describe_fact(fact)
    log.info(text, scene=fact.scene, streamer=fact.streamer or None, seconds=round(fact.seconds, 1))


def _studio_mode(log: Any, fact: facts.StudioModeChanged) -> None:
    text = describe_fact(fact)
    if fact.on:
        write = log.error if fact.policy == "hold" else log.warning
        write(f"{text} (obs.studio_mode)", policy=fact.policy)
    else:
        log.info(text, policy=fact.policy)


def _fixture_missing(log: Any, fact: facts.FixtureMissing) -> None:
    log.warning(describe_fact(fact), input=fact.name, what=fact.what)


def _fixture_found(log: Any, fact: facts.FixtureFound) -> None:
    log.info(describe_fact(fact), input=fact.name)


def _orphan(log: Any, fact: facts.OrphanReported) -> None:
    log.error(describe_fact(fact), input=fact.input, reason=fact.reason)


def _foreign(log: Any, fact: facts.ForeignInputsSeen) -> None:
    note = "its inputs are left alone, and viewers may see them instead of ours"
    log.error(describe_fact(fact), owner=fact.owner, inputs=fact.inputs, note=note)


# --- the show ------------------------------------------------------------------------------------------------


def _lineup(log: Any, fact: facts.LineupChanged) -> None:
    log.info(describe_fact(fact), what=fact.what, streamer=fact.streamer, actor=_actor(fact.actor))


def _setting(log: Any, fact: facts.SettingMade) -> None:
    log.info(describe_fact(fact), setting=fact.name, value=fact.value, actor=_actor(fact.actor))


def _refused(log: Any, fact: facts.Refused) -> None:
    log.info("request refused", code=fact.code, why=fact.message, actor=_actor(fact.actor))


def _actor(actor: Actor | None) -> str | None:
    """Of which kind, and who where that is known: "sign-in", "token nadia"."""
    return f"{actor.kind} {actor.name}".rstrip() if actor else None


# --- how a stream is -----------------------------------------------------------------------------------------


def _low_bitrate(log: Any, fact: facts.LowBitrate) -> None:
    write = log.info if fact.step == "over" else log.warning
    write(describe_fact(fact), streamer=fact.streamer, step=fact.step, kbps=round(fact.kbps))


def _silence(log: Any, fact: facts.SilenceOnAir) -> None:
    write = log.info if fact.step in ("over", "unmeasured") else log.warning
    more = {"seconds": round(fact.seconds, 1), "dbfs": round(fact.level, 1)}
    write(describe_fact(fact), streamer=fact.streamer, step=fact.step, **more)


def _measured(log: Any, fact: facts.MeasuredOnAir | facts.MeasuredInLine) -> None:
    write = log.info if fact.step in ("over", "unmeasured") else log.warning
    figures = {"value": round(fact.value, 3), "seconds": round(fact.seconds, 1)}
    write(describe_fact(fact), streamer=fact.streamer, quantity=fact.quantity, step=fact.step, **figures)


def _problem(log: Any, fact: facts.ProblemFound) -> None:
    log.warning(describe_fact(fact), streamer=fact.streamer, problem=fact.reason, detail=fact.detail or None)


def _problem_over(log: Any, fact: facts.ProblemOver) -> None:
    log.info(describe_fact(fact), streamer=fact.streamer, problem=fact.reason)


def _plugin_failed(log: Any, fact: facts.PluginFailed) -> None:
    mend = "OBS's log or `motherstream check` names the missing GStreamer element"
    log.warning(describe_fact(fact), why=fact.why, mend=mend)


def _standby_given_up(log: Any, fact: facts.StandbyGivenUp) -> None:
    log.warning(describe_fact(fact), render_lag=round(fact.render_lag, 3), seconds=round(fact.seconds, 1))


def _plain(log: Any, fact: facts.PluginWorks | facts.StandbyTakenUp) -> None:
    log.info(describe_fact(fact))


_WRITERS: Final[Mapping[type[facts.Fact], Callable[[Any, Any], None]]] = {
    facts.StateChanged: _state,
    facts.EventIgnored: _ignored,
    facts.HandoverEnded: _handover,
    facts.OnAirChanged: _on_air,
    facts.ProgramElsewhere: _program_elsewhere,
    facts.ProgramBack: _program_back,
    facts.StudioModeChanged: _studio_mode,
    facts.FixtureMissing: _fixture_missing,
    facts.FixtureFound: _fixture_found,
    facts.OrphanReported: _orphan,
    facts.ForeignInputsSeen: _foreign,
    facts.LineupChanged: _lineup,
    facts.SettingMade: _setting,
    facts.Refused: _refused,
    facts.LowBitrate: _low_bitrate,
    facts.SilenceOnAir: _silence,
    facts.MeasuredOnAir: _measured,
    facts.MeasuredInLine: _measured,
    facts.ProblemFound: _problem,
    facts.ProblemOver: _problem_over,
    facts.PluginFailed: _plugin_failed,
    facts.PluginWorks: _plain,
    facts.StandbyGivenUp: _standby_given_up,
    facts.StandbyTakenUp: _plain,
}
"""Every kind of fact, and who writes it down."""
