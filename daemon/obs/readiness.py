"""Does an input really play? What one look after the other proves.

PLAYING is not a picture: obs-gstreamer copies the state of any element, and ffmpeg_source says it before the network
opens. The width tells of a first frame, but stays on a frozen input. So three things have to agree: the state, a width,
and a media cursor that moves. A cursor that stands still is a stall, whatever state OBS reports: an input whose
publisher has died stays PLAYING for ever.
"""

from dataclasses import dataclass

from daemon.core.readings import DEAD, PLAYING, Look

QUICK = 0.05
"""Seconds between looks at an input that buffers: the most that obs-gstreamer's unlocked query should bear."""
QUICK_FOR = 5.0
"""Seconds for which it is looked at so often, and longer where its picture has a size."""
WATCHING = 0.2
"""Seconds between looks at an input that plays."""
DEAD_FOR = 3.0
"""Seconds after which an error or an end counts; the plugins start again after two or one."""
NO_PICTURE_FOR = 9.0
"""Seconds of sound without a picture after which none is expected. An encoder left to itself sends a keyframe every 250
frames, and a server without a GOP cache passes on what comes before it."""
STILL = 0.25
"""Seconds without motion until it is told: soon enough for the rules to act on it, and no news of every late frame."""
STILL_QUICK_FOR = 2.0
"""Seconds that a picture that seems to stand still is looked at quickly: after that it is decided what is done."""
STARTING = 5.0
"""Seconds that an adopted input may take to its first motion: OBS, restarted, has just begun to open it."""
MOST_GAP = 0.2
"""Seconds of standstill that two looks prove at most: where OBS itself stood still, nothing is known of the stream."""


@dataclass(frozen=True, slots=True)
class StateSeen:
    """OBS reports another state than before."""

    state: str


@dataclass(frozen=True, slots=True)
class Ready:
    """It plays, so many seconds after the first look."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """It will not play any more."""

    reason: str
    code: str = ""
    """no_video: it plays sound but no picture."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """No new picture for so many seconds. Told soon: whether that is too long is not for the watch to say."""

    seconds: float
    blank: bool = False
    """An error or an end, at which both kinds of input clear their last picture (``clear_on_end`` of obs-gstreamer,
    ``clear_on_media_end`` of OBS's own media source). Told after the standstill itself where that came first."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A picture that stood still moves again, if only for this look."""


Observation = StateSeen | Ready | Failed | Stalled | Resumed


class Judge:
    """Draws conclusions from looks. No clock and no I/O.

    ``began`` is the time from which the seconds count; with ``proven`` no proof is asked for, as of an input that is on
    air already.
    """

    def __init__(self, *, began: float, poll_interval: float, proven: bool = False) -> None:
        self.began = began
        self.proven = proven
        self._poll_interval = poll_interval
        self._last: Look | None = None
        self._moved_until = began
        """When the picture moved last, as exactly as the cursor tells."""
        self._slow = False
        """It seems to stand still."""
        self._told_still = False
        self._told_blank = False
        self._moved = False
        self._dead_since: float | None = None
        self._heard = 0.0
        """Seconds of sound that have played without a picture."""

    @property
    def last(self) -> Look | None:
        """What was seen last."""
        return self._last

    @property
    def interval(self) -> float:
        """Seconds until the next look is due."""
        last = self._last
        if last is not None and last.state in DEAD:
            # The plugin is about to take its pipeline down and make a new one: a bad moment for a query.
            return max(self._poll_interval, WATCHING)
        if self.proven:
            quick = self._slow and last is not None and last.at - self._moved_until < STILL_QUICK_FOR
            return QUICK if quick else WATCHING
        if last is None or last.at - self.began < QUICK_FOR or last.width > 0:
            return QUICK
        return max(self._poll_interval, QUICK)

    def see(self, look: Look) -> tuple[Observation, ...]:
        """What this look adds."""
        last, self._last = self._last, look
        observations: list[Observation] = []
        if last is None or last.state != look.state:
            observations.append(StateSeen(look.state))
        step = 0.0
        if last is not None and last.cursor is not None and look.cursor is not None:
            step = look.cursor - last.cursor
        plays = step > 0 and look.state == PLAYING and last is not None and last.state == PLAYING
        if self.proven:
            observations += self._motion(look, last, step)
        elif self._dies(look, plays=plays):
            observations.append(Failed(f"its media state is {look.state}"))
        elif self._is_blind(look, step if plays else 0.0):
            observations.append(Failed("it plays sound but no picture", "no_video"))
        elif plays and look.width > 0:
            self.proven = self._moved = True
            self._moved_until = look.at
            observations.append(Ready(look.at - self.began))
        return tuple(observations)

    def _dies(self, look: Look, *, plays: bool) -> bool:
        # Not the state alone: an input that tries again and again is OPENING or even PLAYING in between.
        if look.state in DEAD and self._dead_since is None:
            self._dead_since = look.at
        elif plays:
            self._dead_since = None
        return self._dead_since is not None and look.at - self._dead_since >= DEAD_FOR

    def _is_blind(self, look: Look, step: float) -> bool:
        self._heard = 0.0 if look.width > 0 else self._heard + min(step, 1000 * MOST_GAP) / 1000
        return self._heard >= NO_PICTURE_FOR

    def _motion(self, look: Look, last: Look | None, step: float) -> list[Observation]:
        if last is None:
            self._moved_until = look.at
            return []
        gap = look.at - last.at
        # One that has died is a picture that stands still, and is watched on: its plugin may bring it back.
        if step != 0 and look.state not in DEAD:
            # The cursor goes by the clock, so it tells when it stopped between two looks. One that jumps back is a
            # stream begun anew, which moves as well.
            self._moved_until = min(look.at, last.at + step / 1000) if step > 0 else look.at
            self._slow = look.at - self._moved_until > gap / 2
            self._moved = True
            if self._told_still:
                self._told_still = self._told_blank = False
                return [Resumed()]
            return []
        if look.state not in DEAD:  # which OBS says of the input, not of itself
            self._moved_until += max(0.0, gap - MOST_GAP)
        self._slow = True
        still = look.at - self._moved_until
        news = not self._told_still or (look.state in DEAD and not self._told_blank)
        if news and still >= (STILL if self._moved else STARTING):
            self._told_still, self._told_blank = True, look.state in DEAD
            return [Stalled(still, self._told_blank)]
        return []
