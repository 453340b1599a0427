"""What people are told, in their words: one short line a message."""

import math
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final, Literal

from daemon.observability.wording import describe_fact, span
from statemachine import facts

Level = Literal["info", "success", "warning", "failure"]
"""Apprise's words for how grave it is."""

AGAIN_AFTER: Final = 600.0
"""Seconds in which the same trouble is told once: OBS tries to publish again every few seconds, for hours."""
LONGEST_NAME: Final = 64
LONGEST_TEXT: Final = 300
MOST_TOPICS: Final = 500


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
    urgency = _urgency(fact)
    return None if urgency is None else Message(describe_fact(fact, shown), *urgency)


def _urgency(fact: facts.Fact) -> tuple[str, Level, float] | None:
    """What it is about, how grave it is, and for how long the same again is no news; None where nobody is told."""
    match fact:
        case facts.OnAirChanged(adopted=True):
            return None  # the daemon was started anew, the picture is what it was
        case facts.OnAirChanged(same_input=True):
            return None  # it may be back within a second; what lasts, or comes again and again, is told as that
        case facts.OnAirChanged():
            return "on_air", "success" if fact.streamer else "warning", math.inf
        case facts.HandoverEnded(outcome="cut_failed", to_streamer=""):
            return "handover:", "failure", AGAIN_AFTER
        case facts.ProblemFound():
            return f"problem:{fact.streamer}", "failure", AGAIN_AFTER
        case facts.ProblemOver():
            return f"problem:{fact.streamer}", "success", AGAIN_AFTER
        case facts.PluginFailed():
            return "plugin", "warning", AGAIN_AFTER
        case facts.PluginWorks():
            return "plugin", "info", AGAIN_AFTER
        case facts.SilenceOnAir(step="warn" | "over"):
            return f"sound:{fact.streamer}", "info" if fact.step == "over" else "warning", AGAIN_AFTER
        case facts.ProgramElsewhere():
            return "program", "failure", AGAIN_AFTER
        case facts.ProgramBack():
            return "program", "success", AGAIN_AFTER
        case facts.StudioModeChanged(on=True):
            return "studio_mode", "failure" if fact.policy == "hold" else "warning", AGAIN_AFTER
        case facts.StudioModeChanged():
            return "studio_mode", "success", AGAIN_AFTER
        case facts.LineupChanged(what="kicked" | "blocked"):
            return f"kick:{fact.streamer}", "warning", 0.0
        case facts.LowBitrate():
            return f"bitrate:{fact.streamer}", "info" if fact.step == "over" else "warning", AGAIN_AFTER
        case facts.StandbyGivenUp():
            return "standby", "warning", AGAIN_AFTER
        case facts.StandbyTakenUp():
            return "standby", "info", AGAIN_AFTER
        case facts.OrphanReported():
            return f"orphan:{fact.input}", "warning", AGAIN_AFTER
        case facts.FixtureMissing():
            return f"fixture:{fact.name}", "warning", AGAIN_AFTER
        case facts.FixtureFound():
            return f"fixture:{fact.name}", "info", AGAIN_AFTER
        case facts.ForeignInputsSeen():
            return f"foreign:{fact.owner}", "failure", AGAIN_AFTER
    return None


def of_refusal(code: str, message: str) -> Message:
    """A publisher that was refused, and why."""
    # The seconds go by, the refusal is the same.
    why = re.sub(r" for another [0-9.]+ s$", "", message)
    return Message(f"a publisher was refused: {why}", f"refused:{code}:{why}", "warning", AGAIN_AFTER)


def shown(name: str) -> str:
    """A streamer's name as a chat may show it: without what would call people (@everyone) or make a link of it."""
    plain = "".join(char if char.isprintable() else "?" for char in name[:LONGEST_NAME])
    return re.sub(r"([@<])", "\\1\u200b", plain)


class Deduplicator:
    """Lets through what is news. What is held back is counted and told with the next one on the topic."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[Message, float, int]] = OrderedDict()

    def is_news(self, message: Message, now: float) -> bool:
        """Whether it would be let through."""
        last, at, _ = self._last.get(message.topic, (None, -math.inf, 0))
        return last is None or last.text != message.text or now - at >= message.quiet

    def filter(self, message: Message, now: float) -> Message | None:
        """The message as it is to be told, or None where it was told already."""
        last, at, suppressed = self._last.get(message.topic, (None, -math.inf, 0))
        same = last is not None and last.text == message.text
        if last is not None and not self.is_news(message, now):
            self._last[message.topic] = (last, at, suppressed + 1)
            return None
        self._last[message.topic] = (message, now, 0)
        self._last.move_to_end(message.topic)
        while len(self._last) > MOST_TOPICS:
            self._last.popitem(last=False)
        if suppressed and same and math.isfinite(message.quiet):
            return replace(message, text=f"{message.text} ({suppressed} more like it in {span(now - at)})")
        return message
