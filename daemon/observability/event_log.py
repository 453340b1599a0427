"""Facts to log lines: the texts are those that users grep for."""

from collections.abc import Sequence

import structlog

from daemon.observability.problems import sentence
from statemachine import facts

log = structlog.get_logger(__name__)


FIXTURES = {"slate": "the slate", "input": "the input of mode static", "template": "the template"}
"""What the configuration names in OBS."""
STEPS = {
    "warn": "nothing is done yet",
    "slate": "the slate is shown until it is well again",
    "skip": "the next one follows",
    "kick": "the publisher is kicked",
}
"""What is done about a poor bitrate."""

STUDIO_MODE = {
    "leave": "it is switched off, for in it viewers are shown a copy of the scene (obs.studio_mode)",
    "drive": "hand-overs go by its transition (obs.studio_mode)",
    "hold": "NO HAND-OVER is made until it is switched off (obs.studio_mode)",
}
"""What is done about studio mode, by obs.studio_mode."""


def narrate(told: Sequence[facts.Fact]) -> None:
    """Write what has happened."""
    for fact in told:
        match fact:
            case facts.StateChanged():
                text = f"{fact.source.value} -> {fact.dest.value}"
                log.debug(text, trigger=fact.event, attempt=fact.attempt)
            case facts.HandoverEnded():
                _handover(fact)
            case facts.OnAirChanged():
                if fact.adopted and fact.input:
                    log.info("adopted the input on air", streamer=fact.streamer or None, input=fact.input)
                elif fact.same_input and not fact.streamer:
                    log.warning("nobody is on air: the picture has broken off, and OBS shows nothing of it")
                elif not fact.streamer:
                    log.warning("nobody is on air")
                else:
                    log.info("on air", streamer=fact.streamer, input=fact.input)
            case facts.ProgramElsewhere():
                _not_seen(fact)
            case facts.ProgramBack():
                text = f"viewers see {fact.streamer or 'our scene'} again"
                log.info(text, scene=fact.scene, streamer=fact.streamer or None, seconds=round(fact.seconds, 1))
            case facts.StudioModeChanged(on=False):
                log.info("OBS's studio mode is off", policy=fact.policy)
            case facts.StudioModeChanged():
                write = log.error if fact.policy == "hold" else log.warning
                write(f"OBS's studio mode is on: {STUDIO_MODE[fact.policy]}", policy=fact.policy)
            case facts.LineupChanged():
                log.info(f"line-up: {fact.what.replace('_', ' ')}", streamer=fact.streamer)
            case facts.LowBitrate(step="over"):
                log.info("the bitrate is well again", streamer=fact.streamer, kbps=round(fact.kbps))
            case facts.LowBitrate():
                text = f"the bitrate is poor: {STEPS.get(fact.step, fact.step)}"
                log.warning(text, streamer=fact.streamer, step=fact.step, kbps=round(fact.kbps))
            case facts.ProblemFound():
                log.warning(
                    f"'{fact.streamer}' cannot come on air: {sentence(fact.reason, fact.detail)}",
                    streamer=fact.streamer,
                    problem=fact.reason,
                    detail=fact.detail or None,
                )
            case facts.ProblemOver():
                log.info(f"'{fact.streamer}' has a picture now", streamer=fact.streamer, problem=fact.reason)
            case facts.PluginFailed():
                log.warning(
                    "obs-gstreamer shows nothing of what OBS's own media source plays, which takes its place for now: "
                    "OBS's log names a GStreamer element that is missing, or `motherstream check` does",
                    why=fact.why,
                )
            case facts.PluginWorks():
                log.info("obs-gstreamer shows pictures again, and makes the inputs")
            case facts.SilenceOnAir(step="over"):
                log.info("the sound on air is back", streamer=fact.streamer, seconds=round(fact.seconds, 1))
            case facts.SilenceOnAir():
                log.warning(
                    f"no sound on air for {fact.seconds:.0f}s",
                    streamer=fact.streamer,
                    step=fact.step,
                    dbfs=round(fact.level, 1),
                )
            case facts.StandbyGivenUp():
                log.warning(
                    f"standby is given up for now: OBS has rendered {fact.render_lag:.0%} of its frames late "
                    f"for {fact.seconds:.0f}s",
                    render_lag=round(fact.render_lag, 3),
                    seconds=round(fact.seconds, 1),
                )
            case facts.StandbyTakenUp():
                log.info("standby is taken up again")
            case facts.Refused():
                log.info("request refused", code=fact.code, why=fact.message)
            case facts.OrphanReported():
                log.error(
                    f"Source '{fact.input}' could not be removed: it is an orphan and swept later",
                    input=fact.input,
                    reason=fact.reason,
                )
            case facts.FixtureMissing():
                text = f"{FIXTURES.get(fact.what, fact.what)} '{fact.name}' is not in OBS: the show goes on without it"
                log.warning(text, input=fact.name, what=fact.what)
            case facts.FixtureFound():
                log.info(f"{FIXTURES.get(fact.what, fact.what)} '{fact.name}' is in OBS again", input=fact.name)
            case facts.ForeignInputsSeen():
                log.error(
                    f"{fact.inputs}: another Motherstream ({fact.owner}) uses this prefix or scene in this OBS; "
                    "its inputs are left alone, and viewers may see them in place of ours. Stop it, or give each "
                    "its own prefix and scene",
                    owner=fact.owner,
                    inputs=fact.inputs,
                )
            case facts.EventIgnored():
                log.debug("event ignored", trigger=fact.event, state=fact.state.value, why=fact.why)
            case _:
                raise TypeError(f"unknown fact {fact!r}")


def _not_seen(fact: facts.ProgramElsewhere) -> None:
    clock = "; the clock of the turn stands still" if fact.clock_stands else ""
    log.warning(
        f"viewers do not see {fact.streamer or 'what is on air'}: OBS's Program shows the scene '{fact.scene}'{clock}",
        scene=fact.scene,
        streamer=fact.streamer or None,
        studio_mode=fact.studio_mode,
    )


def _handover(fact: facts.HandoverEnded) -> None:
    fields = {
        "input": fact.input,
        "from_streamer": fact.from_streamer or None,
        "to_streamer": fact.to_streamer or None,
        "reason": fact.reason,
        "attempt": fact.attempt,
        "seconds": round(fact.seconds, 3),
    }
    match fact.outcome:
        case "completed" if fact.to_streamer:
            log.info(f"Successfully switched to new source '{fact.input}'", **fields)
        case "completed" if fact.reason == "low_bitrate":
            log.info(f"Took source '{fact.outgoing}' off air: its bitrate is poor", **fields)
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
