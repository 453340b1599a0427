"""What people are told, in their words: one short line a message.

What has happened is the rules' to say. Here is which of it makes a message, and what is held back so that nobody
is told twice: how people are reached, nothing of the show.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from daemon.observability.wording import describe_fact, span
from statemachine import facts

Level = Literal["info", "success", "warning", "failure"]
"""Apprise's words for how grave it is."""

AGAIN_AFTER: Final = 600.0
"""Seconds in which the same trouble is sent once: a refused encoder tries again every few seconds, for hours."""
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


Urgency = tuple[str, Level, float]
"""What it is about, how grave it is, and for how long the same again is no news."""


def of_fact(fact: facts.Fact) -> Message | None:
    """What a fact is worth telling, if anything."""
    about = _WORTH_TELLING.get(type(fact))
    urgency = about(fact) if about is not None else None
    return None if urgency is None else Message(describe_fact(fact, shown), *urgency)


def _on_air(fact: facts.OnAirChanged) -> Urgency | None:
    # Adopted: the daemon was started anew, the picture is what it was. The same input: it may be back within a second;
    # what lasts, or comes again and again, is sent as that.
    if fact.adopted or fact.same_input:
        return None
    return "on_air", "success" if fact.streamer else "warning", math.inf


def _handover(fact: facts.HandoverEnded) -> Urgency | None:
    nobody_left_the_air = fact.outcome == "cut_failed" and not fact.to_streamer
    return ("handover:", "failure", AGAIN_AFTER) if nobody_left_the_air else None


def _lineup(fact: facts.LineupChanged) -> Urgency | None:
    return (f"kick:{fact.streamer}", "warning", 0.0) if fact.what in ("kicked", "blocked") else None


def _measured(fact: facts.SilenceOnAir | facts.MeasuredOnAir | facts.MeasuredInLine) -> Urgency | None:
    # What is only seen may be a pause. That it is over is told where it was told to be so: see ``notifier``.
    if fact.step == "seen":
        return None
    quantity = "sound" if isinstance(fact, facts.SilenceOnAir) else fact.quantity
    return f"{quantity}:{fact.streamer}", "info" if fact.step in ("over", "unmeasured") else "warning", AGAIN_AFTER


def _studio_mode(fact: facts.StudioModeChanged) -> Urgency:
    on: Level = "failure" if fact.policy == "hold" else "warning"
    return "studio_mode", on if fact.on else "success", AGAIN_AFTER


def _low_bitrate(fact: facts.LowBitrate) -> Urgency:
    return f"bitrate:{fact.streamer}", "info" if fact.step == "over" else "warning", AGAIN_AFTER


_WORTH_TELLING: Final[Mapping[type[facts.Fact], Callable[[Any], Urgency | None]]] = {
    facts.OnAirChanged: _on_air,
    facts.HandoverEnded: _handover,
    facts.LineupChanged: _lineup,
    facts.SilenceOnAir: _measured,
    facts.MeasuredOnAir: _measured,
    facts.MeasuredInLine: _measured,
    facts.LowBitrate: _low_bitrate,
    facts.StudioModeChanged: _studio_mode,
    facts.ProblemFound: lambda fact: (f"problem:{fact.streamer}", "failure", AGAIN_AFTER),
    facts.ProblemOver: lambda fact: (f"problem:{fact.streamer}", "success", AGAIN_AFTER),
    facts.PluginFailed: lambda fact: ("plugin", "warning", AGAIN_AFTER),
    facts.PluginWorks: lambda fact: ("plugin", "info", AGAIN_AFTER),
    facts.ProgramElsewhere: lambda fact: ("program", "failure", AGAIN_AFTER),
    facts.ProgramBack: lambda fact: ("program", "success", AGAIN_AFTER),
    facts.StandbyGivenUp: lambda fact: ("standby", "warning", AGAIN_AFTER),
    facts.StandbyTakenUp: lambda fact: ("standby", "info", AGAIN_AFTER),
    facts.OrphanReported: lambda fact: (f"orphan:{fact.input}", "warning", AGAIN_AFTER),
    facts.FixtureMissing: lambda fact: (f"fixture:{fact.name}", "warning", AGAIN_AFTER),
    facts.FixtureFound: lambda fact: (f"fixture:{fact.name}", "info", AGAIN_AFTER),
    facts.ForeignInputsSeen: lambda fact: (f"foreign:{fact.owner}", "failure", AGAIN_AFTER),
}
"""Each kind of fact that somebody may want to hear of; what its function answers with None is sent to nobody."""


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
