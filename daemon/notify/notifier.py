"""Tells people what happens, through Apprise: Discord, Slack, Telegram, mail and many more.

The caller pays for a few look-ups and an append. Each target has a thread and a bounded box of its own,
so neither a hand-over nor another target ever waits for a dead one. Addresses are secrets: a log line names a target
by its number in ``notify.urls`` and its kind.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from daemon.core import redaction as secrets
from daemon.notify.alerts import Alerts
from daemon.notify.apprise import INSTALL_HINT, AppriseTarget, TargetError, is_installed, schema_of
from daemon.notify.messages import AGAIN_AFTER, LONGEST_TEXT, Deduplicator, Level, Message, of_fact, of_refusal
from daemon.notify.outbox import Batch, NotificationOutbox
from statemachine import facts
from statemachine.view import View

log = structlog.get_logger(__name__)

SEND_TIMEOUT: Final = 30.0
"""Seconds after which a target that is sent to is left to itself. Its own timeouts end most calls before."""
PROBABLY_ARRIVED: Final = 9.5
"""Seconds: what failed after so long was most likely sent and never answered. To send it again would tell it twice."""
FLUSH: Final = 3.0
"""Seconds that a stop waits for what still has to go out."""

TEST_TEXT: Final = "this is a test: Motherstream's notifications work"
TEST_SECONDS: Final = 20.0
"""Seconds that a test of all targets may take."""


class Target(Protocol):
    """What can be sent to. ``send`` blocks and raises TargetError."""

    def send(self, text: str, level: Level) -> None: ...


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """How one target does, for people and metrics."""

    label: str
    waiting: int
    sent: int
    lost: int
    """Messages that never went out: the box was full, they were stale, or their fate is unknown."""
    problem: str
    """Why the last one did not go out; empty while all is well."""


class Notifier:
    """Call it from one thread, the event loop's. No call but ``stop`` waits, and none raises."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        watch: Alerts | None = None,
        redact: Callable[[str], str] = secrets.redact,
        open_target: Callable[[str], Target] = AppriseTarget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``redact`` is the log's: what leaves the house must not hold a key either."""
        self._urls = tuple(urls)
        self._watch = watch or Alerts()
        self._redact = redact
        self._open_target = open_target
        self._clock = clock
        self._deduplicator = Deduplicator()
        self._troubles: set[str] = set()
        self._workers: dict[str, _Worker] = {}
        self._retired: list[_Worker] = []
        self._started = False

    # --- what there is to tell -------------------------------------------------------------------------------

    def notify(self, told: Iterable[facts.Fact]) -> None:
        """What has happened, in order. Most facts are nobody's news."""
        for fact in told:
            self._put(of_fact(fact))

    def refused(self, code: str, message: str) -> None:
        """A publisher was refused."""
        self._put(of_refusal(code, message))

    def look(self, view: View) -> None:
        """Let the watch look: for turns about to end and for OBS out of reach. Every second or so."""
        for message in self._watch.look(view):
            self._put(message)

    def trouble(self, topic: str, text: str) -> None:
        """Something is wrong; to be called as long as that lasts, and told once until ``recovered``.

        What is back soon after its end is not told at once, but all the same if it lasts.
        """
        message = Message(text, f"trouble:{topic}", "failure", AGAIN_AFTER)
        if topic not in self._troubles and self._workers and self._deduplicator.is_news(message, self._clock()):
            self._troubles.add(topic)
            self._put(message)

    def recovered(self, topic: str, text: str) -> None:
        """It is right again; told if the trouble was."""
        if topic in self._troubles:
            self._troubles.remove(topic)
            self._put(Message(text, f"recovered:{topic}", "success"))

    def _put(self, message: Message | None) -> None:
        if message is None or not self._workers:
            return
        now = self._clock()
        news = self._deduplicator.filter(message, now)
        if news is not None:
            news = replace(news, text=self._redact(news.text)[:LONGEST_TEXT])
            for worker in self._workers.values():
                worker.put(news)

    # --- starting and stopping -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to send. Where Apprise is missing this is told once, and nothing is sent."""
        self._started = True
        self.set_urls(self._urls)

    def set_urls(self, urls: Sequence[str]) -> None:
        """Send to these from now on. A target that stays keeps what waits for it; one that goes sends its rest."""
        self._urls = tuple(urls)
        if not self._started:
            return
        if urls and self._open_target is AppriseTarget and not is_installed():
            missing = "notify.urls is set, but Apprise is not installed: nobody is notified"
            log.error(f"{missing}. Install it with: {INSTALL_HINT}")
            urls = ()
        before, self._workers = self._workers, {}
        for number, url in enumerate(urls, 1):
            if url not in self._workers:
                label = f"{number} ({schema_of(url)})"
                worker = before.pop(url, None) or _Worker(url, self._open_target, self._clock)
                worker.start(label)
                self._workers[url] = worker
        for worker in before.values():
            worker.finish()
        self._retired = [worker for worker in (*self._retired, *before.values()) if worker.is_alive()]

    async def stop(self, flush: float = FLUSH) -> None:
        """Send what waits, each target's in one piece, and end. Takes ``flush`` seconds at most."""
        workers = [*self._workers.values(), *self._retired]
        self._workers, self._retired, self._started = {}, [], False
        for worker in workers:
            worker.finish()
        await asyncio.to_thread(_join, workers, time.monotonic() + flush)
        for worker in workers:
            if worker.is_alive():
                log.warning("a notification target did not answer in time and was abandoned", target=worker.label)

    async def test(self) -> tuple[tuple[str, str], ...]:
        """Send a test to each address now: its label, and why it was not sent, empty where it was.

        Past the boxes and their pauses, each by itself. Takes TEST_SECONDS at most.
        """
        urls = tuple(dict.fromkeys(self._urls))
        labels = [f"{number} ({schema_of(url)})" for number, url in enumerate(urls, 1)]
        if urls and self._open_target is AppriseTarget and not is_installed():
            return tuple((label, f"Apprise is not installed: {INSTALL_HINT}") for label in labels)
        calls = [_Test(url, label, self._open_target) for url, label in zip(urls, labels, strict=True)]
        for call in calls:
            call.start()
        deadline = time.monotonic() + TEST_SECONDS
        await asyncio.to_thread(_join, calls, deadline)
        return tuple((label, call.problem) for label, call in zip(labels, calls, strict=True))

    def status(self) -> tuple[TargetStatus, ...]:
        """How the targets do, in the order of their addresses."""
        return tuple(worker.status() for worker in self._workers.values())


class _Test(threading.Thread):
    """One address that is tried; a call that never ends does not keep the process."""

    def __init__(self, url: str, label: str, open_target: Callable[[str], Target]) -> None:
        super().__init__(name=f"notify test {label}", daemon=True)
        self._url, self._open_target = url, open_target
        self.problem = f"no answer within {TEST_SECONDS:g} s"

    def run(self) -> None:
        try:
            self._open_target(self._url).send(TEST_TEXT, "info")
            self.problem = ""
        except TargetError as error:
            self.problem = str(error)
        except Exception as error:  # a plugin's own: its text may hold the address
            self.problem = type(error).__name__


def _join(workers: "Iterable[_Worker | _Test]", deadline: float) -> None:
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))


class _Worker:
    """One target: its box, and the thread that empties it. A thread that hangs does not keep the process."""

    def __init__(self, url: str, open_target: Callable[[str], Target], clock: Callable[[], float]) -> None:
        self.label = ""
        self._url = url
        self._open_target = open_target
        self._clock = clock
        self._outbox = NotificationOutbox(clock())
        self._changed = threading.Condition()
        self._finishing = False
        self._thread: threading.Thread | None = None
        self._sending: threading.Thread | None = None
        self._sent = 0
        self._problem = ""

    def start(self, label: str) -> None:
        self.label = label
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"notify {label}", daemon=True)
            self._thread.start()

    def put(self, message: Message) -> None:
        with self._changed:
            self._outbox.put(message, self._clock())
            self._changed.notify()

    def finish(self) -> None:
        with self._changed:
            self._finishing = True
            self._changed.notify()

    def join(self, timeout: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout)

    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def status(self) -> TargetStatus:
        with self._changed:
            return TargetStatus(self.label, len(self._outbox), self._sent, self._outbox.lost, self._problem)

    # --- in the thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            target = self._open_target(self._url)
        except TargetError as error:
            with self._changed:
                self._problem = str(error)
            log.error("a notification target cannot be used", target=self.label, reason=str(error))
            return
        while (batch := self._next()) is not None:
            self._deliver(target, batch)

    def _next(self) -> Batch | None:
        """What goes out next; None at the end. At the end everything goes at once, tried once."""
        with self._changed:
            while not self._finishing:
                now = self._clock()
                if batch := self._outbox.take(now):
                    return batch
                self._changed.wait(self._outbox.wait(now))
            return self._outbox.take_all()

    def _deliver(self, target: Target, batch: Batch) -> None:
        begun = self._clock()
        error = self._send(target, batch.text(begun), batch.level)
        took = self._clock() - begun
        with self._changed:
            before, self._problem = self._problem, error or ""
            if error is None:
                self._outbox.sent()
                self._sent += len(batch.lines)
            else:
                again = took < PROBABLY_ARRIVED and not self._finishing
                self._outbox.failed(batch, self._clock(), again=again)
            pause = self._outbox.pause
        if error is None and before:
            log.info("notifications are delivered again", target=self.label)
        elif error is not None and not before:
            log.warning("a notification was not sent", target=self.label, reason=error, next_in=pause)

    def _send(self, target: Target, text: str, level: Level) -> str | None:
        """Why it was not sent; None where it was. A call that never ends is left to itself, one at a time."""
        if self._sending is not None and self._sending.is_alive():
            return "the target has not answered the last one yet"
        outcome: list[str | None] = [f"no answer within {SEND_TIMEOUT:g} s"]

        def call() -> None:
            try:
                target.send(text, level)
                outcome[:] = [None]
            except TargetError as error:
                outcome[:] = [str(error)]
            except Exception as error:
                outcome[:] = [type(error).__name__]

        self._sending = threading.Thread(target=call, name=f"notify {self.label} send", daemon=True)
        self._sending.start()
        self._sending.join(SEND_TIMEOUT)
        return outcome[0]
