"""What can go wrong between OBS and its client: late, lost, refused and spoilt answers, and events gone astray."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgpack

# How the faults call a request batch as a whole. Its requests go by their own names.
BATCH = "RequestBatch"


class Spoil(Enum):
    """Ways to spoil a message, and what simpleobsws 1.4.3 does with each."""

    NO_STATUS = "requestStatus is missing: KeyError in the call"
    NO_DATA = "responseData is missing: the call has None for data"
    EMPTY_DATA = "responseData is empty: whoever reads a field of it has a KeyError"
    NO_RESULTS = "a batch's results are missing: KeyError in the call"
    NO_REQUEST_ID = "requestId is missing: KeyError, the receive loop dies in silence"
    NO_OP = "op is missing: KeyError, the receive loop dies in silence"
    NOT_A_MAP = "a list: TypeError, the receive loop dies in silence"
    BYTES_INSIDE = "raw bytes, which JSON cannot hold: no harm, unless it is written out for its debug log"
    GARBAGE = "no msgpack at all: skipped, so the call times out"
    TRUNCATED = "half a message: skipped, so the call times out"
    TEXT = "a text frame: skipped, so the call times out"


@dataclass
class Fault:
    """One rule. It strikes `times` times (None: always) where `request` (None: any) and `when` fit.

    delay: seconds before it is carried out. code, comment: refused instead of carried out. executes: False: never
    carried out. answers: False: carried out or not, no answer comes. spoil: the answer is spoilt. mutate: makes another
    answer of its data. before, after: called just before or after it is carried out, to let something happen at that
    very moment.
    """

    request: str | None = None
    times: int | None = 1
    when: Callable[[dict[str, Any]], bool] = lambda data: True
    delay: float = 0.0
    code: int | None = None
    comment: str | None = None
    executes: bool = True
    answers: bool = True
    spoil: Spoil | None = None
    mutate: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None
    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None
    hits: int = 0

    def strikes(self, request: str, data: Any) -> bool:
        if self.request not in {None, request} or (self.times is not None and self.hits >= self.times):
            return False
        if not self.when(data if isinstance(data, dict) else {}):
            return False
        self.hits += 1
        return True


@dataclass
class EventFault:
    """One rule for events. copies: how often it is sent (0: dropped). delay: seconds by which it comes late."""

    event: str | None = None
    times: int | None = None
    copies: int = 1
    delay: float = 0.0
    hits: int = 0

    def strikes(self, event: str) -> bool:
        if self.event not in {None, event} or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


@dataclass
class Faults:
    """Every fault that is set. The first rule that fits strikes, the last added first.

    jitter: each request waits up to so many seconds before it is carried out, each answer and event before it is sent,
    so that neither keeps its order; by a generator seeded with `seed`. not_ready: every request answers 207.
    upgrades: False: a new connection is accepted, and never upgraded. hello: False: upgraded, and no Hello.
    listens: False: whatever comes in is never looked at (pings are answered all the same).
    """

    jitter: float = 0.0
    seed: int = 0
    not_ready: bool = False
    upgrades: bool = True
    hello: bool = True
    listens: bool = True
    rules: list[Fault] = field(default_factory=list)
    event_rules: list[EventFault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def clear(self) -> None:
        """Everything works again. What is lost stays lost."""
        self.__dict__.update(vars(Faults(seed=self.seed)))

    def wait(self) -> float:
        """The next jitter, in seconds."""
        return self._random.uniform(0, self.jitter) if self.jitter > 0 else 0.0

    # Requests

    def add(self, rule: Fault) -> Fault:
        self.rules.insert(0, rule)
        return rule

    def delay(self, request: str | None, seconds: float, *, times: int | None = None) -> Fault:
        """Carried out, and answered, so much later."""
        return self.add(Fault(request, times, delay=seconds))

    def refuse(self, request: str | None, code: int, comment: str | None = None, *, times: int | None = 1) -> Fault:
        """Answered with that status, and not carried out."""
        return self.add(Fault(request, times, code=code, comment=comment))

    def lose(self, request: str | None, *, executes: bool, times: int | None = 1) -> Fault:
        """Never answered. `executes`: carried out all the same: the call times out, and yet it is done."""
        return self.add(Fault(request, times, executes=executes, answers=False))

    def spoil(self, request: str | None, how: Spoil, *, times: int | None = 1) -> Fault:
        """Carried out, and answered with nonsense."""
        return self.add(Fault(request, times, spoil=how))

    def mutate(
        self, request: str | None, how: Callable[[dict[str, Any]], dict[str, Any] | None], *, times: int | None = None
    ) -> Fault:
        """Carried out, and answered with what ``how`` makes of the answer's data."""
        return self.add(Fault(request, times, mutate=how))

    def before(self, request: str | None, action: Callable[[], object], *, times: int | None = 1) -> Fault:
        return self.add(Fault(request, times, before=action))

    def after(self, request: str | None, action: Callable[[], object], *, times: int | None = 1) -> Fault:
        return self.add(Fault(request, times, after=action))

    def match(self, request: str, data: Any) -> Fault | None:
        return next((rule for rule in self.rules if rule.strikes(request, data)), None)

    # Events

    def drop_events(self, event: str | None = None, *, times: int | None = None) -> EventFault:
        return self._add_event(EventFault(event, times, copies=0))

    def repeat_events(self, event: str | None = None, *, copies: int = 2, times: int | None = None) -> EventFault:
        return self._add_event(EventFault(event, times, copies=copies))

    def delay_events(self, event: str | None, seconds: float, *, times: int | None = None) -> EventFault:
        """Those events come late, and so after others that were sent later."""
        return self._add_event(EventFault(event, times, delay=seconds))

    def _add_event(self, rule: EventFault) -> EventFault:
        self.event_rules.insert(0, rule)
        return rule

    def match_event(self, event: str) -> EventFault | None:
        return next((rule for rule in self.event_rules if rule.strikes(event)), None)


def pack(message: Any) -> bytes:
    """A message as it goes over the wire."""
    return bytes(msgpack.packb(message))


def spoilt(how: Spoil, op: int, body: dict[str, Any]) -> bytes | str:
    """A message (its op and its data) spoilt in that way."""
    body = dict(body)
    match how:
        case Spoil.NO_STATUS:
            body.pop("requestStatus", None)
        case Spoil.NO_DATA:
            body.pop("responseData", None)
        case Spoil.EMPTY_DATA:
            body["responseData"] = {}
        case Spoil.NO_RESULTS:
            body.pop("results", None)
        case Spoil.NO_REQUEST_ID:
            body.pop("requestId", None)
        case Spoil.NO_OP:
            return pack({"d": body})
        case Spoil.NOT_A_MAP:
            return pack([op, body])
        case Spoil.BYTES_INSIDE:
            body["raw"] = b"\x00\xff"
        case Spoil.GARBAGE:
            return b"\xc1\xc1\xc1"
        case Spoil.TRUNCATED:
            whole = pack({"op": op, "d": body})
            return whole[: len(whole) // 2]
        case Spoil.TEXT:
            return "what?"
    return pack({"op": op, "d": body})
