"""What people are told, in their words: one short line a message."""

import math
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final, Literal

from daemon.observability.event_log import FIXTURES
from daemon.observability.problems import POOR, sentence
from statemachine import facts

Level = Literal["info", "success", "warning", "failure"]
"""Apprise's words for how grave it is."""

AGAIN_AFTER: Final = 600.0
"""Seconds in which the same trouble is told once: OBS tries to publish again every few seconds, for hours."""
LONGEST_NAME: Final = 64
LONGEST_TEXT: Final = 300
MOST_TOPICS: Final = 500

STUDIO_MODE: Final = {
    "leave": "OBS's studio mode was on: it is switched off, so that viewers see the hand-overs",
    "drive": "OBS's studio mode is on: hand-overs go by its transition",
    "hold": "OBS's studio mode is on: no hand-over is made until it is switched off",
}
"""What is done about studio mode, by obs.studio_mode."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell."""

    text: str
    topic: str
    """What it is about: of two messages on one topic with one text the second is no news for ``quiet`` seconds."""
    level: Level = "info"
    quiet: float = 0.0


def of_fact(fact: facts.Fact) -> Message | None:
    """What a fact is worth telling, if anything."""
    match fact:
        case facts.OnAirChanged(adopted=True):
            return None  # the daemon was started anew, the picture is what it was
        case facts.OnAirChanged(same_input=True):
            return None  # it may be back within a second; what lasts, or comes again and again, is told as that
        case facts.OnAirChanged(streamer=""):
            return Message("nobody is on air", "on_air", "warning", math.inf)
        case facts.OnAirChanged(streamer=streamer):
            return Message(f"{shown(streamer)} is on air", "on_air", "success", math.inf)
        case facts.HandoverEnded(outcome="cut_failed", to_streamer=""):
            text = "the show could not go on: OBS did not change the picture"
            return Message(text, "handover:", "failure", AGAIN_AFTER)
        case facts.ProblemFound(streamer=streamer, reason=reason, detail=detail):
            text = f"{shown(streamer)} could not be put on air: {sentence(reason, detail)}"
            return Message(text, f"problem:{streamer}", "failure", AGAIN_AFTER)
        case facts.ProblemOver(streamer=streamer):
            return Message(f"{shown(streamer)} has a picture now", f"problem:{streamer}", "success", AGAIN_AFTER)
        case facts.PluginFailed():
            text = "obs-gstreamer shows no picture in OBS: OBS's own media source takes its place"
            return Message(text, "plugin", "warning", AGAIN_AFTER)
        case facts.PluginWorks():
            return Message("obs-gstreamer shows pictures again", "plugin", "info", AGAIN_AFTER)
        case facts.SilenceOnAir(step="warn", streamer=streamer, seconds=seconds):
            text = f"{shown(streamer)} is on air without sound for {span(seconds)}"
            return Message(text, f"sound:{streamer}", "warning", AGAIN_AFTER)
        case facts.SilenceOnAir(step="over", streamer=streamer):
            return Message(f"{shown(streamer)}'s sound is back", f"sound:{streamer}", "info", AGAIN_AFTER)
        case facts.ProgramElsewhere(scene=scene, streamer=streamer, clock_stands=stands):
            clock = "; the turn's clock stands still" if stands else ""
            text = f"viewers do not see {shown(streamer) or 'the show'}: OBS shows the scene {shown(scene)}{clock}"
            return Message(text, "program", "failure", AGAIN_AFTER)
        case facts.ProgramBack(streamer=streamer, seconds=seconds):
            text = f"viewers see {shown(streamer) or 'the show'} again, after {span(seconds)}"
            return Message(text, "program", "success", AGAIN_AFTER)
        case facts.StudioModeChanged(on=True, policy=policy):
            return Message(
                STUDIO_MODE[policy], "studio_mode", "failure" if policy == "hold" else "warning", AGAIN_AFTER
            )
        case facts.StudioModeChanged():
            return Message("OBS's studio mode is off", "studio_mode", "success", AGAIN_AFTER)
        case facts.LineupChanged(what="kicked", streamer=streamer):
            return Message(f"{shown(streamer)} was kicked", f"kick:{streamer}", "warning")
        case facts.LineupChanged(what="blocked", streamer=streamer):
            return Message(f"{shown(streamer)} is kept out", f"kick:{streamer}", "warning")
        case facts.LowBitrate(step="over", streamer=streamer):
            return Message(f"{shown(streamer)}'s bitrate is well again", f"bitrate:{streamer}", "info", AGAIN_AFTER)
        case facts.LowBitrate(step=step, streamer=streamer, kbps=kbps):
            what = f"{shown(streamer)} sends only {kbps:.0f} kbit/s{POOR.get(step, '')}"
            return Message(what, f"bitrate:{streamer}", "warning", AGAIN_AFTER)
        case facts.StandbyGivenUp(render_lag=lag):
            text = f"OBS renders {lag:.0%} of its frames late: the next streamer is not made ready ahead for now"
            return Message(text, "standby", "warning", AGAIN_AFTER)
        case facts.StandbyTakenUp():
            return Message("OBS does well: the next streamer is made ready ahead again", "standby", "info", AGAIN_AFTER)
        case facts.OrphanReported(input=name):
            text = f"OBS did not remove the input {name}; it is tried again later"
            return Message(text, f"orphan:{name}", "warning", AGAIN_AFTER)
        case facts.FixtureMissing(what=what, name=name):
            text = f"{FIXTURES.get(what, what)} {name} is not in OBS: the show goes on without it"
            return Message(text, f"fixture:{name}", "warning", AGAIN_AFTER)
        case facts.FixtureFound(what=what, name=name):
            return Message(f"{FIXTURES.get(what, what)} {name} is in OBS again", f"fixture:{name}", "info", AGAIN_AFTER)
        case facts.ForeignInputsSeen(owner=owner):
            text = f"another Motherstream ({owner}) uses this prefix or scene in this OBS: stop it, or give it its own"
            return Message(text, f"foreign:{owner}", "failure", AGAIN_AFTER)
    return None


def of_refusal(code: str, message: str) -> Message:
    """A publisher that was not let in, and why."""
    # The seconds go by, the refusal is the same.
    why = re.sub(r" for another [0-9.]+ s$", "", message)
    return Message(f"a publisher was refused: {why}", f"refused:{code}:{why}", "warning", AGAIN_AFTER)


def shown(name: str) -> str:
    """A streamer's name as a chat may show it: without what would call people (@everyone) or make a link of it."""
    plain = "".join(char if char.isprintable() else "?" for char in name[:LONGEST_NAME])
    return re.sub(r"([@<])", "\\1\u200b", plain)


def span(seconds: float) -> str:
    """A length of time as people say it: "30 seconds", "5 minutes", "2 hours"."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length or round(seconds) == length:
            count = round(seconds / length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    count = round(seconds)
    return f"{count} second{'' if count == 1 else 's'}"


class Repeats:
    """Lets through what is news. What is held back is counted and told with the next one on the topic."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[Message, float, int]] = OrderedDict()

    def is_news(self, message: Message, now: float) -> bool:
        """Whether it would be let through."""
        last, at, _ = self._last.get(message.topic, (None, -math.inf, 0))
        return last is None or last.text != message.text or now - at >= message.quiet

    def admit(self, message: Message, now: float) -> Message | None:
        """The message as it is to be told, or None where it was told already."""
        last, at, held_back = self._last.get(message.topic, (None, -math.inf, 0))
        same = last is not None and last.text == message.text
        if last is not None and not self.is_news(message, now):
            self._last[message.topic] = (last, at, held_back + 1)
            return None
        self._last[message.topic] = (message, now, 0)
        self._last.move_to_end(message.topic)
        while len(self._last) > MOST_TOPICS:
            self._last.popitem(last=False)
        if held_back and same and math.isfinite(message.quiet):
            return replace(message, text=f"{message.text} ({held_back} more like it in {span(now - at)})")
        return message
