"""What the daemon makes of a probe's reports: kept while fresh, told when they change, and orders in return."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config.quality import Probe
from daemon.core.probing import Report
from daemon.quality.book import FRESH, MOST, PREVIEW_FRESH, RATE_FRESH, Book
from daemon.quality.desk import Desk
from daemon.quality.feed import AGAIN, FORGOTTEN_AFTER, SURE_AFTER, Feed, measurements
from daemon.quality.orders import wanted
from statemachine import events as ev
from statemachine.events import Session
from tests.daemon.http.studio import place, view
from tests.daemon.quality.reports import JPEG, SILENT, report


class Rig:
    def __init__(self, *, listed: bool = True) -> None:
        self.now = 1000.0
        self.told: list[ev.Event] = []
        self.listed = listed
        self.feed = Feed(self.told.append, lambda: self.now, lambda session: self.listed)
        self.book = Book(lambda: self.now)

    def take(self, *reports: Report, after: float = 1.0) -> list[ev.Event]:
        """What the rules are told of it."""
        self.now += after
        self.told.clear()
        self.feed.take(list(reports))
        return list(self.told)


# --- the feed ----------------------------------------------------------------------------------------------------


def test_what_is_measured_is_told_once_and_again_now_and_then() -> None:
    rig = Rig()
    (first,) = rig.take(report())
    assert isinstance(first, ev.StreamMeasured)
    assert (first.session_id, first.loudness, first.peak) == ("srs:1", -18.0, -6.0)
    for _ in range(round(AGAIN) - 1):
        assert rig.take(report()) == []
    assert len(rig.take(report())) == 1


def test_a_change_is_told_at_once() -> None:
    rig = Rig()
    rig.take(report())
    (event,) = rig.take(report(sound=SILENT))
    assert isinstance(event, ev.StreamMeasured)
    sound = next(each for each in event.measurements if each.quantity == "sound")
    assert (sound.value, sound.held) == (-200.0, 3.0)
    assert len(rig.take(report(sound={**SILENT, "loudness": -16.0}))) == 1
    assert rig.take(report(sound={**SILENT, "loudness": -16.2})) == []


def test_what_is_not_known_is_left_out() -> None:
    names = {each.quantity for each in measurements(report(sound=SILENT, drift=None, picture=None))}
    assert names == {"sound", "clipping", "rate"}
    assert measurements(report(sound=None, picture=None, audio=None, drift=None)) == ()


def test_a_value_beyond_every_bound_counts_as_the_bound() -> None:
    picture = {"light": 1e9, "black_seconds": 0.0, "motion": None, "still_seconds": 0.0}
    found = {each.quantity: each.value for each in measurements(report(picture=picture))}
    assert found["light"] == 255.0
    assert "motion" not in found


def test_a_stream_of_which_nothing_comes_is_told_again_and_again() -> None:
    rig = Rig()
    assert rig.take(report(state="stopped", seconds=5.0)) == []
    (event,) = rig.take(report(state="stopped", seconds=12.0))
    assert event == ev.StreamStopped(rig.now, "srs:1", rig.now - 12.0)
    assert rig.take(report(state="stopped", seconds=13.0)) == []
    assert len(rig.take(report(state="stopped", seconds=23.0), after=AGAIN)) == 1


def test_where_the_server_tells_what_a_stream_is_made_of_the_probe_does_not() -> None:
    assert [type(event) for event in Rig(listed=True).take(report())] == [ev.StreamMeasured]
    rig = Rig(listed=False)
    described = [event for event in rig.take(report()) if isinstance(event, ev.StreamDescribed)]
    assert [event.tracks for event in described] == [ev.Tracks("h264", "aac", 1920, 1080)]
    assert not any(isinstance(event, ev.StreamDescribed) for event in rig.take(report(), after=AGAIN))


def test_that_there_is_no_picture_is_told_once_it_is_sure() -> None:
    rig = Rig(listed=False)
    blind = report(video=None, picture=None)
    told = [event for _ in range(round(SURE_AFTER) + 2) for event in rig.take(blind)]
    described = [event for event in told if isinstance(event, ev.StreamDescribed)]
    assert [event.tracks.video for event in described] == [""]
    assert described[0].at >= 1000.0 + SURE_AFTER


def test_whom_a_probe_no_longer_measures_is_forgotten() -> None:
    rig = Rig()
    rig.take(report())
    assert rig.take(after=FORGOTTEN_AFTER / 2) == []
    assert rig.take(after=FORGOTTEN_AFTER) == []
    assert len(rig.take(report())) == 1


def test_two_probes_that_measure_different_ones_do_not_forget_each_other_s() -> None:
    rig = Rig()
    rig.take(report("srs:1"))
    rig.take(report("srs:2"))
    assert rig.take(report("srs:1")) == []
    assert rig.take(report("srs:2")) == []


def test_what_is_amiss_is_told_more_often() -> None:
    rig = Rig()
    rig.take(report(sound=SILENT))
    told = [len(rig.take(report(sound=SILENT))) for _ in range(6)]
    assert told == [0, 0, 1, 0, 0, 1]


def test_a_stream_without_a_sound_track_is_silent_once_that_is_sure() -> None:
    rig = Rig()
    without: dict[str, Any] = {"audio": None, "sound": None}
    for _ in range(int(SURE_AFTER)):
        assert not any("sound" in str(event) for event in rig.take(report(**without)))
    found = [event for _ in range(4) for event in rig.take(report(**without)) if isinstance(event, ev.StreamMeasured)]
    assert any(each.quantity == "sound" and each.value == -200.0 for event in found for each in event.measurements)


def test_a_stream_that_is_played_anew_is_as_silent_as_before() -> None:
    rig = Rig()
    without: dict[str, Any] = {"audio": None, "sound": None}
    for _ in range(int(SURE_AFTER) + 1):
        rig.take(report(**without))
    rig.take(report(video=None, picture=None, **without))
    found = [event for _ in range(4) for event in rig.take(report(**without)) if isinstance(event, ev.StreamMeasured)]
    assert any(each.quantity == "sound" for event in found for each in event.measurements)


def test_one_that_cannot_be_measured_is_no_ghost_and_sends_no_low_bitrate() -> None:
    rig = Rig()
    gone: dict[str, Any] = {"video": None, "audio": None, "kbps": None, "sound": None, "picture": None, "drift": None}
    opening = report(state="opening", seconds=300.0, problem="it cannot be measured", **gone)
    assert rig.take(opening) == []
    rig.book.write([opening])
    assert rig.book.kbps("srs:1") is None


# --- the book ----------------------------------------------------------------------------------------------------


def test_a_report_is_good_for_some_seconds() -> None:
    rig = Rig()
    assert rig.book.quiet_for(rig.now - 60.0) == 60.0
    rig.book.write([report()])
    assert rig.book.fresh("srs:1") == report()
    assert rig.book.kbps("srs:1") == 3000.0
    rig.now += FRESH + 0.1
    assert rig.book.fresh("srs:1") is None
    assert rig.book.kbps("srs:1") == 3000.0, "a stream that is played anew has none for a moment"
    assert rig.book.quiet_for(0.0) == pytest.approx(FRESH + 0.1)
    rig.now += RATE_FRESH
    assert rig.book.kbps("srs:1") is None


def test_a_preview_is_kept_until_the_next_one_and_not_for_long() -> None:
    rig = Rig()
    rig.book.write([report(preview=base64.b64encode(JPEG).decode())])
    rig.book.write([report()])
    assert rig.book.preview("srs:1") == JPEG
    rig.now += PREVIEW_FRESH + 0.1
    assert rig.book.preview("srs:1") is None


@pytest.mark.parametrize("preview", ["", "not base64!", base64.b64encode(b"<svg onload=alert(1)>").decode(), "ü"])
def test_what_is_no_jpeg_is_no_preview(preview: str) -> None:
    rig = Rig()
    rig.book.write([report(preview=preview)])
    assert rig.book.preview("srs:1") is None


def test_no_more_is_kept_than_anybody_measures() -> None:
    rig = Rig()
    rig.book.write([report(f"srs:{n}", preview=base64.b64encode(JPEG).decode()) for n in range(MOST + 50)])
    assert len(rig.book._entries) == len(rig.book._previews) == MOST


# --- the orders --------------------------------------------------------------------------------------------------


def sessions(name: str) -> Session | None:
    return Session(name, name.removeprefix("srs:"), "live", name.removeprefix("srs:")) if name else None


def url(session: Session) -> str:
    if session.streamer == "bad":
        raise ValueError("outside the allow-list")
    return f"rtmp://127.0.0.1/{session.app}/{session.stream}"


def a_line(*names: str) -> Any:
    places = tuple(place(name, at, session=f"srs:{name}") for at, name in enumerate(names))
    return view(queue=places)


def test_the_one_on_air_and_the_next_come_first() -> None:
    orders = wanted(a_line("carol", "alice", "dave", "bob"), sessions, url)
    assert [order["streamer"] for order in orders] == ["alice", "bob", "carol", "dave"]
    assert orders[0]["url"] == "rtmp://127.0.0.1/live/alice"


def test_whoever_is_passed_over_is_measured_before_the_standby() -> None:
    line = a_line("alice", "bob", "carol")
    over = replace(line.queue[2], passed_over=True)
    orders = wanted(replace(line, queue=(*line.queue[:2], over)), sessions, url)
    assert [order["streamer"] for order in orders] == ["alice", "carol", "bob"]


def test_who_does_not_publish_or_cannot_be_played_is_left_out() -> None:
    line = view(
        on_air=None, standby=None, queue=(place("bad", 0, session="srs:bad"), place("eve", 1, publishing=False))
    )
    assert wanted(line, sessions, url) == []


def a_desk(rig: Rig, seen: Any, **config: Any) -> Desk:
    return Desk(lambda: Probe(**config), lambda: seen, (sessions, url), rig.book, rig.feed)


def test_more_than_are_to_be_measured_are_left_out_and_counted() -> None:
    answer = a_desk(Rig(), a_line("alice", "bob", "carol", "dave"), streams=2, previews=False).report({"streams": []})
    assert [order["streamer"] for order in answer["streams"]] == ["alice", "bob"]
    assert (answer["left_out"], answer["previews"]) == (2, False)


def test_that_not_all_are_measured_is_logged_once() -> None:
    desk = a_desk(Rig(), a_line("alice", "bob", "carol"), streams=2)
    with capture_logs() as lines:
        for _ in range(3):
            desk.report({"streams": []})
    (line,) = lines
    assert line["event"] == "1 of 3 streams are not measured: probe.streams is 2"


def test_what_is_told_of_strangers_is_passed_over() -> None:
    rig = Rig()
    a_desk(rig, a_line("alice")).report({"streams": [report("srs:alice"), report("srs:mallory")]})
    assert rig.book.fresh("srs:alice") is not None
    assert rig.book.fresh("srs:mallory") is None
    assert [event.session_id for event in rig.told if isinstance(event, ev.StreamMeasured)] == ["srs:alice"]


def test_a_preview_is_found_by_the_streamer() -> None:
    rig = Rig()
    desk = a_desk(rig, a_line("alice"))
    desk.report({"streams": [report("srs:alice", preview=base64.b64encode(JPEG).decode())]})
    assert desk.preview("alice") == JPEG
    assert desk.preview("bob") is None
