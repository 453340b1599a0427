"""The lines of the log that users grep for, all of one hand-over and in their order, from the daemon as it runs."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Stream
from tests.simulation.stage import on_air
from tests.simulation.world import World

TOLD = (
    *("SWITCH_GSTREAMER_SOURCE", "Creating new", "Waiting for", "Source '", "Switching to", "Hiding", "Showing"),
    *("Successfully switched", "Cleaned up", "New source", "Failed to"),
)


def told(lines: list[Any]) -> list[str]:
    """What was said of the first two inputs' hand-overs, with the phase where there is one."""
    return [
        line["event"] + (f" phase={line['phase']}" if "phase" in line else "")
        for line in lines
        if line["event"].startswith(TOLD) and line["input"] in ("GMOTHERSTREAM_1", "GMOTHERSTREAM_2")
    ]


@pytest.mark.parametrize("standby", [True, False], ids=["standby", "cold"])
def test_a_hand_over_is_told_line_by_line_in_the_order_in_which_it_happens(tmp_path: Path, standby: bool) -> None:
    seen: list[list[str]] = []

    async def act(w: World) -> None:
        mark = next((i for i, line in enumerate(w.lines) if line.get("input") == "GMOTHERSTREAM_2"), len(w.lines))
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.said("Cleaned up old source 'GMOTHERSTREAM_1'"))
        seen.append(told(w.lines[mark:]))

    on_air(tmp_path, act, sources__standby=standby)
    url = seen[0][1].partition("URL: ")[2]
    assert url.startswith("rtmp://127.0.0.1:1935/live/")
    lines = [
        "SWITCH_GSTREAMER_SOURCE phase=prepare",
        f"Creating new GStreamer source 'GMOTHERSTREAM_2' with URL: {url}",
        "Waiting for source 'GMOTHERSTREAM_2' to become ready (timeout: 5s)",
        "Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_OPENING",
        "Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_PLAYING",
        "Source 'GMOTHERSTREAM_2' is PLAYING after 0.15s",
        "SWITCH_GSTREAMER_SOURCE phase=cut",
        "Switching to new source 'GMOTHERSTREAM_2'",
        "Hiding old source 'GMOTHERSTREAM_1'",
        "Showing new source 'GMOTHERSTREAM_2'",
        "Successfully switched to new source 'GMOTHERSTREAM_2'",
        "Cleaned up old source 'GMOTHERSTREAM_1'",
    ]
    assert seen[0] == lines


def test_a_hand_over_that_fails_is_told_to_its_end_and_the_one_on_air_stays(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def act(w: World) -> None:
        w.obs.streams[w.url("bob")] = Stream(None)
        mark = len(w.lines)
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.said("Cleaned up abandoned source 'GMOTHERSTREAM_2'"), 30.0)
        assert w.director.switchover.on_air_streamer == "alice"
        seen.append(told(w.lines[mark:]))

    on_air(tmp_path, act, sources__standby=False)
    assert seen[0] == [
        "SWITCH_GSTREAMER_SOURCE phase=prepare",
        seen[0][1],
        "Waiting for source 'GMOTHERSTREAM_2' to become ready (timeout: 5s)",
        "Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_OPENING",
        "Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_PLAYING",
        "New source 'GMOTHERSTREAM_2' did not become ready within 5.0s",
        "Failed to create new source",
        "Cleaned up abandoned source 'GMOTHERSTREAM_2'",
    ]
    assert seen[0][1].startswith("Creating new GStreamer source 'GMOTHERSTREAM_2' with URL: rtmp://")


def test_an_input_whose_stream_ends_while_it_opens_is_told_to_be_cleaned_up_soon(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def act(w: World) -> None:
        w.obs.streams[w.url("bob")] = Stream(None)
        mark = len(w.lines)
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.said("Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_PLAYING"))
        await w.unpublish("bob")
        await w.until(lambda: w.said("Cleaned up abandoned source 'GMOTHERSTREAM_2'"), 2.5)
        seen.append(told(w.lines[mark:]))

    on_air(tmp_path, act, sources__standby=False)
    assert seen[0][-3:] == [
        "Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_PLAYING",
        "New source 'GMOTHERSTREAM_2' was given up: its stream ended",
        "Cleaned up abandoned source 'GMOTHERSTREAM_2'",
    ]


def test_an_input_that_obs_does_not_make_is_told_with_obs_s_own_words(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    async def act(w: World) -> None:
        mark = len(w.lines)
        w.obs.faults.refuse("CreateInput", 605, "Input kind not found", times=1)
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: w.said("Failed to create"))
        seen.append(told(w.lines[mark:]))

    on_air(tmp_path, act, sources__standby=False)
    assert [line.partition(" with URL")[0] for line in seen[0]][:3] == [
        "SWITCH_GSTREAMER_SOURCE phase=prepare",
        "Creating new GStreamer source 'GMOTHERSTREAM_2'",
        "Failed to create GStreamer source 'GMOTHERSTREAM_2': Input kind not found",
    ]
