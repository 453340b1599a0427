"""What waits to be sent to one target, and when it may go. Keeps no time of its own: each call says what time it is."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from daemon.core.backoff import Backoff
from daemon.notify.messages import Level, Message
from daemon.observability.wording import span

MOST_WAITING: Final = 100
"""Messages that may wait; the oldest go first, and are counted."""
BURST: Final = 5
"""Messages that may go one after the other."""
ONE_EACH: Final = 12.0
"""Seconds after which one more may go."""
STALE: Final = 900.0
"""Seconds after which a message is no news any more: it is left out, and counted."""
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 300.0
"""Seconds that a target which fails is left alone, doubling from the first to the longest."""
MOST_LINES: Final = 10

_GRAVITY: Final[tuple[Level, ...]] = ("info", "success", "warning", "failure")


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out in one piece: a message, or a summary of several."""

    lines: tuple[tuple[Message, float], ...]
    """Each with the time it was put in."""
    left_out: int
    """Messages that came before and never went out."""

    @property
    def level(self) -> Level:
        """That of the gravest."""
        return max((message.level for message, _ in self.lines), key=_GRAVITY.index)

    def text(self, now: float) -> str:
        """In the order in which it happened; what is older than a minute says so."""
        shown = self.lines[-MOST_LINES:]
        left_out = self.left_out + len(self.lines) - len(shown)
        head = [f"({left_out} earlier message{'' if left_out == 1 else 's'} left out)"] if left_out else []
        return "\n".join((*head, *(m.text + (f" ({span(now - at)} ago)" if now - at >= 60 else "") for m, at in shown)))


class NotificationOutbox:
    """A bounded queue with a token bucket and a pause after failures. Times are seconds, of any one clock."""

    def __init__(self, now: float) -> None:
        self._waiting: deque[tuple[Message, float]] = deque()
        self._left_out = 0
        self._tokens = float(BURST)
        self._filled_at = now
        self._pause_until = now
        self._backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        self.lost = 0
        """Messages that never went out, ever."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def pause(self) -> float:
        """Seconds that the last failure made the target wait; 0 where the last one went out."""
        return self._backoff.pause

    def put(self, message: Message, now: float) -> None:
        """Add one, at the cost of the oldest where the box is full."""
        self._waiting.append((message, now))
        self._trim()

    def wait(self, now: float) -> float | None:
        """Seconds until ``take`` may give something; None while there is nothing."""
        if not self._waiting:
            return None
        self._fill(now)
        short = 1 - self._tokens
        return max(0.0, self._pause_until - now, short * ONE_EACH if short > 1e-6 else 0.0)

    def take(self, now: float) -> Batch | None:
        """What may go now: the oldest, or all in one where more wait than may go one by one.

        Tell ``sent`` or ``failed`` before taking again.
        """
        while self._waiting and now - self._waiting[0][1] > STALE:
            self._waiting.popleft()
            self._count(1)
        if self.wait(now) != 0.0:
            return None
        many = len(self._waiting) > self._tokens or self._backoff.failures > 0
        self._tokens -= 1
        return self._draw(len(self._waiting) if many else 1)

    def take_all(self) -> Batch | None:
        """All that waits, in one piece and at once: for the end."""
        return self._draw(len(self._waiting)) if self._waiting else None

    def sent(self) -> None:
        """The last batch has gone out."""
        self._backoff.worked()

    def failed(self, batch: Batch, now: float, *, again: bool) -> None:
        """The last batch has not gone out. It is tried again after a pause, or given up where it may have arrived."""
        self._pause_until = now + self._backoff.failed()
        if again:
            self._waiting.extendleft(reversed(batch.lines))
            self._left_out += batch.left_out
            self._trim()
        else:
            self.lost += len(batch.lines)

    def _draw(self, count: int) -> Batch:
        batch = Batch(tuple(self._waiting.popleft() for _ in range(count)), self._left_out)
        self._left_out = 0
        return batch

    def _fill(self, now: float) -> None:
        self._tokens = min(float(BURST), self._tokens + (now - self._filled_at) / ONE_EACH)
        self._filled_at = now

    def _trim(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._count(1)

    def _count(self, lost: int) -> None:
        self._left_out += lost
        self.lost += lost
