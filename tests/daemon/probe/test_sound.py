"""What is made of the filters' words: loudness as R 128 has it, silence, peaks, channels."""

import math
from collections.abc import Mapping

import pytest

from daemon.probe.sound import SHORT, Sound, Window

LOUD: Mapping[str, float] = {
    "r128.M": -20.0,
    "r128.true_peaks_ch0": 0.5,
    "astats.1.Peak_level": -7.0,
    "astats.2.Peak_level": -7.0,
    "astats.1.RMS_level": -20.0,
    "astats.2.RMS_level": -20.0,
    "aphasemeter.phase": 0.9,
}
SILENT: Mapping[str, float] = {
    **LOUD,
    "r128.M": -120.691,
    **{f"astats.{n}.{what}": -math.inf for n in (1, 2) for what in ("Peak_level", "RMS_level")},
}


def listened(seconds: float, *rows: Mapping[str, float], sound: Sound | None = None) -> Sound:
    """So many seconds of each."""
    sound = sound or Sound()
    at = sound.at + 0.1 if sound.at is not None else 0.0
    for row in rows:
        for _ in range(round(seconds * 10)):
            sound.add(round(at, 1), row)
            at += 0.1
    return sound


def test_too_little_says_nothing() -> None:
    measured = listened(1, LOUD).measured()
    assert (measured["loudness"], measured["short"], measured["balance"], measured["clipping"]) == (None,) * 4
    assert measured["level"] == -20.0


def test_an_even_sound_is_as_loud_as_each_of_its_blocks() -> None:
    measured = listened(20, LOUD).measured()
    assert (measured["loudness"], measured["short"]) == (-20.0, -20.0)
    assert measured["silent_seconds"] == 0.0
    assert measured["phase"] == pytest.approx(0.9)


def test_what_is_below_the_gates_does_not_count() -> None:
    """-70 LUFS, and 10 LU below the mean of the rest."""
    window = Window(1000)
    for level in (*[-20.0] * 100, *[-75.0] * 300, *[-35.0] * 100):
        window.add(level)
    assert window.loudness == pytest.approx(-20.0, abs=0.05)


def test_the_mean_is_of_the_power() -> None:
    window = Window(1000)
    for level in (*[-20.0] * 100, *[-14.0] * 100):
        window.add(level)
    expected = 10 * math.log10((10**-2.0 + 10**-1.4) / 2)
    assert window.loudness == pytest.approx(expected, abs=0.05)


def test_a_window_forgets() -> None:
    window = Window(SHORT)
    for level in (*[-8.0] * 500, *[-30.0] * SHORT):
        window.add(level)
    assert window.loudness == pytest.approx(-30.0, abs=0.05)


def test_silence_is_counted_by_the_stream_s_own_clock() -> None:
    sound = listened(5, LOUD, SILENT)
    assert sound.measured()["silent_seconds"] == pytest.approx(5.0, abs=0.11)
    assert sound.measured()["level"] is None
    assert listened(0.5, LOUD, sound=sound).measured()["silent_seconds"] == 0.0


def test_a_stream_that_never_sounded_is_silent_from_its_first_block() -> None:
    assert listened(3, SILENT).measured()["silent_seconds"] == pytest.approx(3.0, abs=0.11)


def test_a_sound_that_stops_coming_while_the_picture_goes_on_is_silence() -> None:
    sound = listened(5, LOUD)
    measured = sound.measured(missing=7.0)
    assert (measured["level"], measured["silent_seconds"], measured["short"]) == (None, 7.0, None)
    assert sound.measured(missing=0.4)["silent_seconds"] == 0.0


@pytest.mark.parametrize(("left", "right", "balance"), [(-20.0, -math.inf, 100.0), (-45.0, -20.0, -25.0)])
def test_a_channel_that_is_all_but_silent(left: float, right: float, balance: float) -> None:
    row = {**LOUD, "astats.1.RMS_level": left, "astats.2.RMS_level": right}
    measured = listened(5, row).measured()
    assert measured["balance"] == pytest.approx(balance, abs=0.2)


def test_nothing_is_said_of_channels_where_neither_sounds() -> None:
    assert listened(5, SILENT).measured()["balance"] is None
    assert listened(5, SILENT).measured()["phase"] is None


def test_one_channel_has_no_balance() -> None:
    mono = {name: value for name, value in LOUD.items() if not name.startswith("astats.2")}
    measured = listened(5, mono).measured()
    assert (measured["balance"], measured["phase"]) == (None, None)


def test_tops_that_are_cut_off() -> None:
    cut = {**LOUD, "astats.1.Peak_level": 0.4, "astats.1.RMS_level": -3.5}
    assert listened(6, cut).measured()["clipping"] == 1.0


def test_music_that_is_mastered_loud_does_not_clip() -> None:
    """Its peaks are at full scale as well, and stand 8 to 12 dB above its mean."""
    loud = {**LOUD, "astats.1.Peak_level": 0.3, "astats.1.RMS_level": -8.5}
    assert listened(6, loud).measured()["clipping"] == 0.0


def test_a_pop_is_forgotten_after_a_minute() -> None:
    """Though the filter goes on telling the highest true peak since it began."""
    pop = {**LOUD, "astats.1.Peak_level": 0.0, "r128.true_peaks_ch0": 1.0}
    after = {**LOUD, "r128.true_peaks_ch0": 1.0}
    sound = listened(1, pop)
    assert listened(10, after, sound=sound).measured()["peak"] == pytest.approx(0.0, abs=0.01)
    assert listened(61, after, sound=sound).measured()["peak"] == pytest.approx(-7.0, abs=0.01)


def test_a_true_peak_is_above_its_samples() -> None:
    row = {**LOUD, "astats.1.Peak_level": -7.0, "astats.2.Peak_level": -7.0, "r128.true_peaks_ch0": 10 ** (-6.2 / 20)}
    assert listened(5, row).measured()["peak"] == pytest.approx(-6.2, abs=0.01)


def test_a_clock_that_jumps_in_a_pause_does_not_make_it_longer() -> None:
    sound = listened(2, LOUD)
    for at in (2.0, 102.0, 102.1):
        sound.add(at, SILENT)
    assert sound.measured()["silent_seconds"] == pytest.approx(0.3)


def test_all_channels_of_surround_sound_are_heard() -> None:
    centre = {
        **SILENT,
        "r128.M": -20.0,
        "r128.true_peaks_ch2": 0.5,
        "astats.3.Peak_level": -7.0,
        "astats.3.RMS_level": -20.0,
    }
    measured = listened(4, centre).measured()
    assert measured["peak"] == pytest.approx(20 * math.log10(0.5), abs=0.1)
    assert measured["balance"] is None


def test_nonsense_changes_nothing() -> None:
    sound = listened(5, LOUD)
    sound.add(5.0, {})
    sound.add(5.1, {"r128.M": -20.0})
    assert sound.measured()["short"] == pytest.approx(-20.0, abs=0.1)
