"""What was measured, of streams and of OBS: events like any other, re-exported by ``events``."""

from dataclasses import dataclass

from statemachine.event import Event


@dataclass(frozen=True, slots=True)
class Measured(Event):
    """Something was measured of what a streamer sends."""

    streamer: str
    quantity: str
    """One of ``monitors.quantities``, such as sound: its level in dBFS, 0 the loudest."""
    value: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quantity of a stream."""

    quantity: str
    """One of ``monitors.quantities``."""
    value: float
    held: float = 0.0
    """Seconds for which it has been so already, by the stream's own clock."""


@dataclass(frozen=True, slots=True)
class StreamMeasured(Event):
    """What was measured of one session. Told when it changes, and again now and then."""

    session_id: str
    measurements: tuple[Measurement, ...] = ()
    loudness: float | None = None
    """Its integrated loudness in LUFS (EBU R 128); None where too little of it was heard."""
    peak: float | None = None
    """Its true peak in dBTP."""


@dataclass(frozen=True, slots=True)
class StreamStopped(Event):
    """Nothing comes of a session any more, though nobody has told of its end. Told again as long as it is so."""

    session_id: str
    since: float


@dataclass(frozen=True, slots=True)
class BitrateMeasured(Event):
    """What a publisher sends, by its ingest server's count. Told when it changes, and again now and then."""

    session_id: str
    kbps: float | None
    """None: its server does not tell it (any more)."""


@dataclass(frozen=True, slots=True)
class ObsRendered(Event):
    """How OBS's renderer did within the last ``seconds``."""

    seconds: float
    frames: int
    late: int
    """Those of them that it skipped because it was late."""
