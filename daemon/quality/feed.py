"""Tells the rules what a probe has measured: when it changes, and again now and then. It judges nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from daemon.core.probing import Report
from statemachine import events as ev
from statemachine.monitors.quantities import QUANTITIES

AGAIN, AGAIN_AMISS = 10.0, 3.0
"""Seconds after which it is told again though nothing has changed: each event is kept in the journal. What is amiss is
told more often, for the rules do nothing about what they have not heard of for a while."""
FORGOTTEN_AFTER: Final = 30.0
"""Seconds after which a session that no probe tells of is forgotten."""
LOUDER: Final = 0.5
"""LU, or dB of a peak, that are a change."""
STOPPED_AFTER: Final = 10.0
"""Seconds without anything until that is told."""
SURE_AFTER: Final = 15.0
"""Seconds of sound alone until a stream is said to have no picture: its first key frame may be late."""
SILENCE: Final = -200.0


@dataclass(slots=True)
class _Told:
    """What the rules know of one session."""

    at: float = 0.0
    heard_at: float = 0.0
    deaf_since: float | None = None
    standing: tuple[tuple[str, int], ...] = ()
    loudness: float | None = None
    peak: float | None = None
    tracks: ev.Tracks | None = None
    blind_since: float | None = None
    stopped_at: float = 0.0


class Feed:
    """``take`` is called with each report.

    ``listed`` tells whether the ingest server tells of a session by itself: then it is believed, and not the probe.
    """

    def __init__(
        self, submit: Callable[[ev.Event], None], now: Callable[[], float], listed: Callable[[str], bool]
    ) -> None:
        self._submit = submit
        self._now = now
        self._listed = listed
        self._told: dict[str, _Told] = {}

    def take(self, reports: list[Report]) -> None:
        """All that a probe has just told, of sessions that are known."""
        now = self._now()
        self._told = {key: told for key, told in self._told.items() if now - told.heard_at < FORGOTTEN_AFTER}
        for report in reports:
            told = self._told.setdefault(report["session"], _Told())
            told.heard_at = now
            if report["state"] == "playing":
                told.stopped_at = 0.0
                self._measured(report, told)
                if not self._listed(report["session"]):
                    self._described(report, told)
            elif report["state"] == "stopped" and report["seconds"] >= STOPPED_AFTER:
                self._stopped(report, told)

    def _measured(self, report: Report, told: _Told) -> None:
        now, found = self._now(), (*measurements(report), *self._deaf(report, told))
        standing = tuple((each.quantity, _standing(each)) for each in found)
        sound = report["sound"]
        loudness, peak = (sound["loudness"], sound["peak"]) if sound is not None else (None, None)
        same = standing == told.standing and _near(loudness, told.loudness) and _near(peak, told.peak)
        if same and now - told.at < (AGAIN_AMISS if any(way <= 0 for _, way in standing) else AGAIN):
            return
        told.at, told.standing, told.loudness, told.peak = now, standing, loudness, peak
        self._submit(ev.StreamMeasured(now, report["session"], found, loudness, peak))

    def _deaf(self, report: Report, told: _Told) -> Iterator[ev.Measurement]:
        """A stream without a sound track is silent, to whoever hears it."""
        if report["audio"] is not None:
            told.deaf_since = None
        if report["audio"] is not None or report["video"] is None:
            return  # without either it is only just being played anew
        told.deaf_since = self._now() if told.deaf_since is None else told.deaf_since
        if (seconds := self._now() - told.deaf_since) >= SURE_AFTER:
            yield ev.Measurement("sound", SILENCE, seconds)

    def _described(self, report: Report, told: _Told) -> None:
        now, video, audio = self._now(), report["video"], report["audio"]
        if video is not None:
            told.blind_since = None
            tracks = ev.Tracks(video["codec"], audio["codec"] if audio else "", video["width"], video["height"])
        elif audio is not None:
            told.blind_since = now if told.blind_since is None else told.blind_since
            if now - told.blind_since < SURE_AFTER:
                return
            tracks = ev.Tracks("", audio["codec"])
        else:
            return
        if tracks != told.tracks:
            told.tracks = tracks
            self._submit(ev.StreamDescribed(now, report["session"], tracks))

    def _stopped(self, report: Report, told: _Told) -> None:
        now = self._now()
        if now - told.stopped_at >= AGAIN:
            told.stopped_at = now
            self._submit(ev.StreamStopped(now, report["session"], now - report["seconds"]))


def measurements(report: Report) -> tuple[ev.Measurement, ...]:
    """What a report says, by the rules' quantities. What is not known is left out."""
    sound, picture, audio = report["sound"], report["picture"], report["audio"]
    values: list[tuple[str, float | None, float]] = [("drift", report["drift"], 0.0)]
    if audio is not None:
        values.append(("rate", float(audio["rate"]) or None, 0.0))
    if sound is not None:
        level = SILENCE if sound["level"] is None else sound["level"]
        values.append(("sound", level, sound["silent_seconds"]))
        values += [("loudness", sound["short"], 0.0), ("balance", sound["balance"], 0.0)]
        values += [("phase", sound["phase"], 0.0), ("clipping", sound["clipping"], 0.0)]
    if picture is not None:
        values += [("light", picture["light"], picture["black_seconds"])]
        values += [("motion", picture["motion"], picture["still_seconds"])]
    return tuple(
        ev.Measurement(name, QUANTITIES[name].bounded(value), held) for name, value, held in values if value is not None
    )


def _standing(measurement: ev.Measurement) -> int:
    row = QUANTITIES[measurement.quantity]
    return row.is_well(measurement.value) - row.is_amiss(measurement.value)


def _near(value: float | None, before: float | None) -> bool:
    if value is None or before is None:
        return value is before
    return abs(value - before) < LOUDER
