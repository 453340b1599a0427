"""What OBS is told about an input of either kind."""

import pytest

from daemon.config.model import Sources
from daemon.obs.sources import FFMPEG, GSTREAMER, FfmpegSource, GstreamerSource, choose

URL = "rtmp://127.0.0.1:1935/live/alice?key=abc"

# As obs-gstreamer a936d45 reads them (gstreamer-source.c).
READ_BY_THE_PLUGIN = {
    *("pipeline", "use_timestamps_video", "use_timestamps_audio", "sync_appsink_video", "sync_appsink_audio"),
    *("disable_async_appsink_video", "disable_async_appsink_audio", "restart_on_eos", "restart_on_error"),
    *("restart_timeout", "stop_on_hide", "clear_on_end", "block_video", "block_audio", "drop_video", "drop_audio"),
    *("no_buffer", "latency", "ntp_server", "ntp_port"),
}
OF_THE_SEED = {
    *("use_timestamps_video", "use_timestamps_audio", "normalize_timestamps", "reset_timestamps_on_discontinuity"),
    *("max_timestamp_jump", "sync_appsinks", "video_buffer_size", "audio_buffer_size", "buffering_enabled"),
    *("drop_on_latency", "restart_on_eos", "restart_on_error", "restart_timeout"),
}


def test_every_name_that_the_plugin_reads_and_every_one_of_the_seeds_is_sent() -> None:
    assert GstreamerSource().settings(URL, Sources()).keys() == READ_BY_THE_PLUGIN | OF_THE_SEED


def test_a_hidden_gstreamer_input_plays() -> None:
    assert GstreamerSource().settings(URL, Sources())["stop_on_hide"] is False


@pytest.mark.parametrize("wanted", [True, False])
def test_the_seeds_intent_is_carried_by_the_names_that_the_plugin_reads(wanted: bool) -> None:
    sources = Sources.model_validate({"properties": {"sync_appsinks": wanted, "drop_on_latency": wanted}})
    settings = GstreamerSource().settings(URL, sources)
    names = ("sync_appsinks", "sync_appsink_video", "sync_appsink_audio", "drop_on_latency", "drop_video", "drop_audio")
    assert [settings[name] for name in names] == [wanted] * 6


def test_an_ffmpeg_input_neither_restarts_when_shown_nor_closes_when_hidden_nor_logs_its_url() -> None:
    settings = FfmpegSource().settings(URL, Sources())
    off = ("is_local_file", "restart_on_activate", "close_when_inactive", "hw_decode", "log_changes")
    assert [settings[name] for name in off] == [False] * 5


def test_what_is_configured_for_ffmpeg_is_sent() -> None:
    own = {"buffering_mb": 3, "reconnect_delay_sec": 4, "input_format": "flv", "ffmpeg_options": "fpsprobesize=0"}
    settings = FfmpegSource().settings(URL, Sources.model_validate({"ffmpeg": own}))
    assert {name: settings[name] for name in own} == own


@pytest.mark.parametrize("source", [GstreamerSource(), FfmpegSource()])
def test_the_url_goes_in_and_comes_out_and_a_bad_one_goes_nowhere(source: GstreamerSource | FfmpegSource) -> None:
    assert source.url(source.settings(URL, Sources())) == URL
    assert source.url({}) is None
    assert source.url({"input": URL, "is_local_file": True}) is None
    assert source.url({"input": URL}) is None, "OBS plays a local file unless it is told otherwise"
    with pytest.raises(ValueError, match="URL holds characters"):
        source.settings("rtmp://h/live/a b", Sources())


@pytest.mark.parametrize(
    ("configured", "there", "chosen"),
    [
        ("auto", {GSTREAMER, FFMPEG}, GSTREAMER),
        ("auto", {FFMPEG}, FFMPEG),
        ("gstreamer", {FFMPEG}, GSTREAMER),
        ("ffmpeg", {GSTREAMER, FFMPEG}, FFMPEG),
    ],
)
def test_auto_takes_gstreamer_where_obs_has_it_and_a_named_kind_is_kept(
    configured: str, there: set[str], chosen: str
) -> None:
    assert choose(configured, there).kind == chosen
