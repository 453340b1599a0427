"""Keeps what the scene tells the viewers current: who is on air, who is next, what is left of the turn.

A task of its own. It changes text inputs and scene items that are none of the daemon's inputs, only where something
is different, and waits for nobody: a hand-over never waits for it.
"""

import asyncio
import contextlib
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from daemon.config import model as configuration
from daemon.core.ports import Connection, ObsError
from statemachine import facts
from statemachine.view import View

LOOK_EVERY: Final = 1.0
"""Seconds between two looks, and between two changes of one text."""
UNUSED_EVERY: Final = 5.0
"""Seconds until the first overlay of a daemon that had none is noticed."""
RETRY: Final = 10.0
"""Seconds for which something that OBS would not change is left alone."""
LONGEST: Final = 200
"""Characters of a text."""

log = structlog.get_logger(__name__)


class OverlayPort(Protocol):
    """OBS, as much of it as is needed here."""

    @property
    def info(self) -> Connection:
        """As last heard."""

    @property
    def losses(self) -> int:
        """How often OBS was lost since the start."""

    async def call(self, request: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any request. Raises ObsError."""

    async def set_shown(self, name: str, shown: bool) -> None:
        """Show or hide a scene item. Raises ObsError."""


@dataclass(frozen=True, slots=True)
class OverlayContent:
    """How the scene is to be: each input's text, and whether each item is shown."""

    texts: Mapping[str, str]
    shown: Mapping[str, bool]


def wanted(view: View, overlays: configuration.Overlays) -> OverlayContent:
    """What follows from the show."""
    values = _values(view)
    texts = {
        overlays.on_air_text: fill(overlays.on_air_template, values),
        overlays.next_text: fill(overlays.next_template, values),
        overlays.remaining_text: fill(overlays.remaining_template, values),
    }
    on_air = view.on_air is not None
    loading = not on_air and any(place.publishing for place in view.queue)
    shown = {overlays.timer: on_air, overlays.time_remaining: on_air, overlays.loading: loading}
    for unused in (texts, shown):
        unused.pop("", None)
    return OverlayContent(texts, shown)


def any_configured(overlays: configuration.Overlays) -> bool:
    """Whether there is anything to keep current."""
    texts = (overlays.on_air_text, overlays.next_text, overlays.remaining_text)
    return any((*texts, overlays.timer, overlays.time_remaining, overlays.loading))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template's text. Empty where none of what it names is there: "Next: " alone says nothing."""
    named = re.findall(r"\{(\w+)\}", template)
    if named and not any(values.get(name) for name in named):
        return ""
    text = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], ""), template)
    return "".join(c for c in text if c == "\n" or c.isprintable())[:LONGEST]


def countdown(seconds: float) -> str:
    """``59:59``, or ``1:00:00`` from an hour on. A second that has begun counts."""
    whole = math.ceil(max(0.0, seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _values(view: View) -> dict[str, str]:
    on_air = view.on_air
    waiting = [
        place.streamer for place in view.queue if place.publishing and (not on_air or place.streamer != on_air.streamer)
    ]
    return {
        "on_air": on_air.streamer if on_air else "",
        "next": waiting[0] if waiting else "",
        "remaining": countdown(on_air.remaining) if on_air and on_air.remaining is not None else "",
        "queue": ", ".join(waiting),
    }


class OverlayUpdater:
    """``run`` is its task, ``observe`` an observer of the dispatcher: what the viewers see changes with the picture."""

    def __init__(
        self,
        obs: OverlayPort,
        view: Callable[[], View],
        settings: Callable[[], configuration.Overlays],
        now: Callable[[], float],
    ) -> None:
        self._obs = obs
        self._view = view
        self._settings = settings
        self._now = now
        self._news = asyncio.Event()
        self._losses: int | None = None
        self._is: dict[str, str | bool] = {}
        self._written_at: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._told: set[str] = set()
        self._failed = False

    def observe(self, told: Sequence[facts.Fact]) -> None:
        """Something may have to change."""
        # A hook may come every half a millisecond, and mostly no overlay is configured.
        if self._news.is_set() or not any_configured(self._settings()):
            return
        if any(isinstance(fact, facts.OnAirChanged | facts.LineupChanged) for fact in told):
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY if any_configured(self._settings()) else UNUSED_EVERY):
                    await self._news.wait()
            self._news.clear()
            try:
                await self.once()
                self._failed = False
            except Exception:
                if not self._failed:
                    self._failed = True
                    log.exception("The overlays cannot be updated; retrying")

    async def once(self) -> None:
        """Change what is different. Without OBS, or where no overlay is configured, nothing is done."""
        settings = self._settings()
        # The view of a long line-up costs more than the hook that changed it.
        if not self._obs.info.connected or not any_configured(settings):
            return
        if self._losses != self._obs.losses:
            # Another OBS, or one that others have changed meanwhile: nothing is known of it.
            self._losses = self._obs.losses
            self._is.clear()
            self._not_before.clear()
        aim = wanted(self._view(), settings)
        for name, shown in aim.shown.items():
            if self._is.get(name) is not shown and self._may(name):
                await self._try(name, shown, self._obs.set_shown(name, shown))
        for name, text in aim.texts.items():
            at = self._now()
            if (
                self._is.get(name) != text
                and self._may(name)
                and at - self._written_at.get(name, -LOOK_EVERY) >= LOOK_EVERY
            ):
                self._written_at[name] = at
                data = {"inputName": name, "inputSettings": {"text": text}, "overlay": True}
                await self._try(name, text, self._obs.call("SetInputSettings", data))

    def _may(self, name: str) -> bool:
        return self._now() >= self._not_before.get(name, 0.0)

    async def _try(self, name: str, value: str | bool, change: Awaitable[object]) -> None:
        try:
            await change
        except ObsError as error:
            self._is.pop(name, None)
            self._not_before[name] = self._now() + RETRY
            if name not in self._told:
                self._told.add(name)
                log.warning(f"The overlay '{name}' cannot be changed; retrying", input=name, reason=str(error))
        else:
            self._is[name] = value
            if name in self._told:
                self._told.discard(name)
                log.info(f"The overlay '{name}' can be changed again", input=name)
