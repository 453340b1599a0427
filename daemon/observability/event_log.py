"""Facts to log lines: of hand-overs in the texts that users grep for, of all else in the words of ``wording``."""

from collections.abc import Sequence

import structlog

from daemon.observability.wording import describe_fact
from statemachine import facts
from statemachine.events import Actor

log = structlog.get_logger(__name__)


def narrate(told: Sequence[facts.Fact]) -> None:
    """Write what has happened."""
    for fact in told:
        match fact:
            case facts.StateChanged():
                text = f"{fact.source.value} -> {fact.dest.value}"
                log.debug(text, trigger=fact.event, attempt=fact.attempt)
            case facts.HandoverEnded():
                _handover(fact)
            case facts.OnAirChanged() if fact.streamer or (fact.adopted and fact.input):
                log.info(
                    describe_fact(fact), streamer=fact.streamer or None, input=fact.input, adopted=fact.adopted or None
                )
            case facts.OnAirChanged():
                log.warning(describe_fact(fact))
            case facts.ProgramElsewhere():
                log.warning(
                    describe_fact(fact), scene=fact.scene, streamer=fact.streamer or None, studio_mode=fact.studio_mode
                )
            case facts.ProgramBack():
                log.info(
                    describe_fact(fact),
                    scene=fact.scene,
                    streamer=fact.streamer or None,
                    seconds=round(fact.seconds, 1),
                )
            case facts.StudioModeChanged(on=False):
                log.info(describe_fact(fact), policy=fact.policy)
            case facts.StudioModeChanged():
                write = log.error if fact.policy == "hold" else log.warning
                write(f"{describe_fact(fact)} (obs.studio_mode)", policy=fact.policy)
            case facts.LineupChanged():
                log.info(describe_fact(fact), what=fact.what, streamer=fact.streamer, actor=_actor(fact.actor))
            case facts.SettingMade():
                log.info(describe_fact(fact), setting=fact.name, value=fact.value, actor=_actor(fact.actor))
            case facts.LowBitrate():
                write = log.info if fact.step == "over" else log.warning
                write(describe_fact(fact), streamer=fact.streamer, step=fact.step, kbps=round(fact.kbps))
            case facts.ProblemFound():
                log.warning(
                    describe_fact(fact), streamer=fact.streamer, problem=fact.reason, detail=fact.detail or None
                )
            case facts.ProblemOver():
                log.info(describe_fact(fact), streamer=fact.streamer, problem=fact.reason)
            case facts.PluginFailed():
                mend = "OBS's log or `motherstream check` names the missing GStreamer element"
                log.warning(describe_fact(fact), why=fact.why, mend=mend)
            case facts.PluginWorks() | facts.StandbyTakenUp():
                log.info(describe_fact(fact))
            case facts.SilenceOnAir():
                write = log.info if fact.step == "over" else log.warning
                more = {"seconds": round(fact.seconds, 1), "dbfs": round(fact.level, 1)}
                write(describe_fact(fact), streamer=fact.streamer, step=fact.step, **more)
            case facts.MeasuredOnAir():
                write = log.info if fact.step == "over" else log.warning
                figures = {"value": round(fact.value, 3), "seconds": round(fact.seconds, 1)}
                write(describe_fact(fact), streamer=fact.streamer, quantity=fact.quantity, step=fact.step, **figures)
            case facts.StandbyGivenUp():
                log.warning(describe_fact(fact), render_lag=round(fact.render_lag, 3), seconds=round(fact.seconds, 1))
            case facts.Refused():
                log.info("request refused", code=fact.code, why=fact.message, actor=_actor(fact.actor))
            case facts.OrphanReported():
                log.error(describe_fact(fact), input=fact.input, reason=fact.reason)
            case facts.FixtureMissing():
                log.warning(describe_fact(fact), input=fact.name, what=fact.what)
            case facts.FixtureFound():
                log.info(describe_fact(fact), input=fact.name)
            case facts.ForeignInputsSeen():
                note = "its inputs are left alone, and viewers may see them instead of ours"
                log.error(describe_fact(fact), owner=fact.owner, inputs=fact.inputs, note=note)
            case facts.EventIgnored():
                log.debug("event ignored", trigger=fact.event, state=fact.state.value, why=fact.why)
            case _:
                raise TypeError(f"unknown fact {fact!r}")


def _actor(actor: Actor | None) -> str | None:
    """Of which kind, and who where that is known: "sign-in", "token nadia"."""
    return f"{actor.kind} {actor.name}".rstrip() if actor else None


def _handover(fact: facts.HandoverEnded) -> None:
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
