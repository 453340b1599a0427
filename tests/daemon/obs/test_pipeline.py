"""The pipeline string is a program: what it says, and what must never get into it."""

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config.model import Pipeline, Sources
from daemon.obs.pipeline import build, checked_url, location, trial
from daemon.obs.sources import GstreamerSource
from statemachine.ways import Way

URL = "rtmp://127.0.0.1:1935/live/alice?key=abc"

GOLDEN = (
    'rtmpsrc location="rtmp://127.0.0.1:1935/live/alice?key=abc" do-timestamp=true timeout=10 blocksize=256 ! '
    "decodebin name=d "
    "d. ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=3000000000 leaky=downstream ! "
    "videoscale add-borders=true ! video/x-raw,width=1920,height=1080,pixel-aspect-ratio=1/1 ! "
    "videoconvert ! clocksync ! video.sink "
    "d. ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=3000000000 leaky=downstream ! "
    "audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2 ! clocksync ! audio.sink"
)

# Whoever builds a URL out of these has broken out of a key, a path, a quote or librtmp's own syntax.
HOSTILE = (
    'x" ! filesink location="/tmp/x',
    "x ! filesink location=/tmp/x",
    "x swfUrl=http://evil/",
    "x timeout=0",
    "a\\",
    'a\\" ! fakesink',
    "a'b",
    "a\nb",
    "a\tb",
    "a b",
    "a!b",
    "a%20b",
    "a;b",
    "a$b",
    "a`b`",
    "ключ",
    "a\u2028b",
    "a\x00b",
    "a\u0661",
    "a" * 129,
    "",
)


# What the default takes in place of librtmp, and of a decodebin for everything.
WHOLE = GOLDEN.replace("rtmpsrc", "rtmp2src").replace("timeout=10 blocksize=256", "idle-timeout=10")
WRITTEN_OUT = WHOLE.replace("decodebin name=d d. ", "flvdemux name=d d.video ! decodebin ", 1)
AAC = WRITTEN_OUT.replace(" d. ! ", " d.audio ! aacparse ! avdec_aac ! ")
SOUGHT = WRITTEN_OUT.replace(" d. ! ", " d.audio ! decodebin ! ")

SEEDS = Pipeline(rtmp_element="rtmpsrc", decoding="decodebin")


@pytest.mark.parametrize("way", get_args(Way))
def test_the_seeds_pipeline_with_queues_bounded_by_time_and_square_pixels_is_a_setting(way: Way) -> None:
    assert build(URL, SEEDS, width=1920, height=1080, way=way) == GOLDEN


def test_unless_it_is_set_so_only_the_last_way_waits_for_all_that_a_stream_may_hold() -> None:
    assert {way: build(URL, Pipeline(), width=1920, height=1080, way=way) for way in get_args(Way)} == {
        "aac": AAC,
        "sought": SOUGHT,
        "whole": WHOLE,
    }


def test_the_audio_sink_waits_for_a_first_sound_only_where_the_pipeline_does_anyway() -> None:
    waits = {
        (decoding, way): not GstreamerSource().settings(
            URL, Sources.model_validate({"pipeline": {"decoding": decoding}}), way
        )["disable_async_appsink_audio"]
        for decoding in ("auto", "decodebin")
        for way in get_args(Way)
    }
    assert [pair for pair, waiting in waits.items() if not waiting] == [("auto", "aac")]


def test_every_tunable_of_the_troubleshooting_section_has_its_place() -> None:
    tuned = Pipeline(
        decoding="decodebin",
        rtmp_element="rtmp2src",
        timeout=0,
        do_timestamp=False,
        video_queue_time=0.5,
        video_queue_buffers=5,
        audio_queue_time=0,
        audio_queue_buffers=300,
        leaky=False,
        scale=False,
        clocksync=False,
        rate=44100,
        channels=1,
    )
    assert build(URL, tuned, width=1280, height=720) == (
        'rtmp2src location="rtmp://127.0.0.1:1935/live/alice?key=abc" do-timestamp=false idle-timeout=0 ! '
        "decodebin name=d "
        "d. ! queue max-size-buffers=5 max-size-bytes=0 max-size-time=500000000 ! videoconvert ! video.sink "
        "d. ! queue max-size-buffers=300 max-size-bytes=0 max-size-time=0 ! "
        "audioconvert ! audioresample ! audio/x-raw,rate=44100,channels=1 ! audio.sink"
    )


@pytest.mark.parametrize(("pipeline", "way"), [(Pipeline(), "aac"), (SEEDS, "whole")])
def test_the_test_picture_asks_for_every_element_of_the_pipeline_and_for_no_other(pipeline: Pipeline, way: Way) -> None:
    def elements(text: str) -> set[str]:
        return set(re.findall(r"\b(?:flvdemux|decodebin|aacparse|avdec_aac|queue|videoscale|clocksync)\b", text))

    asked = trial(pipeline, width=16, height=16)
    assert elements(asked) == elements(build(URL, pipeline, width=16, height=16, way=way))


@pytest.mark.parametrize("decoding", ["auto", "decodebin"])
@pytest.mark.parametrize("way", get_args(Way))
def test_a_stream_with_little_in_it_waits_no_tenth_of_a_second_for_a_full_buffer(decoding: str, way: Way) -> None:
    text = build(
        URL, Pipeline.model_validate({"rtmp_element": "rtmpsrc", "decoding": decoding}), width=640, height=360, way=way
    )
    block = re.findall(r"rtmpsrc [^!]*\bblocksize=([0-9]+) ", text)
    # A second of a plain picture without sound, 640x360 at 30 fps.
    assert [int(size) / 4200 < 0.1 for size in block] == [True]


def test_another_size_is_the_pictures_size() -> None:
    assert "video/x-raw,width=1280,height=720,pixel-aspect-ratio=1/1" in build(URL, Pipeline(), width=1280, height=720)


@pytest.mark.parametrize(
    "url",
    [
        "rtmp://127.0.0.1/live/alice",
        "rtmps://ingest.example.org:443/live/a-b_C9",
        "rtmp://[::1]:1935/live/alice",
        "rtmp://127.0.0.1:1935/motherstream/live?stream_key=s3cret",
        "rtmp://127.0.0.1:1935/live/alice?vhost=my.vhost&key=abc",
        "rtmp://127.0.0.1:1935/live",
    ],
)
def test_urls_that_users_have_pass_and_come_back_out(url: str) -> None:
    assert checked_url(url) == url
    assert location(build(url, Pipeline(), width=16, height=16)) == url


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("template", ["rtmp://h/{}/s", "rtmp://h/live/{}", "rtmp://h/live/s?{}=1"])
def test_nothing_hostile_gets_into_any_name_in_a_url(template: str, hostile: str) -> None:
    with pytest.raises(ValueError, match="URL holds characters"):
        build(template.format(hostile), Pipeline(), width=16, height=16)


@pytest.mark.parametrize("hostile", [word for word in HOSTILE if word])
def test_nothing_hostile_gets_into_a_key(hostile: str) -> None:
    with pytest.raises(ValueError, match="URL holds characters"):
        build(f"rtmp://h/live/s?key={hostile}", Pipeline(), width=16, height=16)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "http://h/a/b", "rtmp://u:p@h/a/b", "rtmp:///a/b", " rtmp://h/a/b", "rtmp://h/a/b\n", ""],
)
def test_only_a_plain_rtmp_url_is_one(url: str) -> None:
    with pytest.raises(ValueError, match="URL holds characters"):
        checked_url(url)


def test_the_refusal_does_not_quote_the_url() -> None:
    with pytest.raises(ValueError, match="URL holds") as refusal:
        checked_url("rtmp://h/live/s?key=s3cret word")
    assert "s3cret" not in str(refusal.value)


def unquoted(pipeline: str) -> tuple[str, list[str]]:
    """What GStreamer reads as the program, and the texts that it reads as quoted, a backslash escaping either way."""
    quotes: list[str] = []

    def keep(found: re.Match[str]) -> str:
        quotes.append(re.sub(r"\\(.)", r"\1", found[1]))
        return "<quoted>"

    return re.sub(r'"((?:[^"\\]|\\.)*)"', keep, pipeline), quotes


PROGRAMS = {way: unquoted(text)[0] for way, text in (("aac", AAC), ("sought", SOUGHT), ("whole", GOLDEN))}
ANYTHING = st.text() | st.from_regex(r"[ -~]{1,20}", fullmatch=True) | st.sampled_from(HOSTILE)


@given(app=ANYTHING, stream=ANYTHING, key=ANYTHING, name=ANYTHING, way=st.sampled_from(get_args(Way)))
def test_no_app_stream_key_or_parameter_breaks_out_of_its_quotes(
    app: str, stream: str, key: str, name: str, way: Way
) -> None:
    url = f"rtmp://127.0.0.1:1935/{app}/{stream}?{name}={key}"
    try:
        pipeline = build(url, Pipeline(), width=1920, height=1080, way=way)
    except ValueError:
        return
    program, quotes = unquoted(pipeline)
    assert (program, quotes) == (PROGRAMS[way], [url])
    # librtmp parts its own key=value options by white space.
    assert not re.search(r"[\s\"'\\]", url)


@given(url=st.from_regex(r"rtmps?://[ -~]*", fullmatch=True) | st.text())
def test_whatever_is_let_through_is_one_word_without_quotes_escapes_or_links(url: str) -> None:
    try:
        assert checked_url(url) == url
    except ValueError:
        return
    assert re.fullmatch(r"[A-Za-z0-9:/?&=._~\[\]-]+", url)


def test_only_a_pipeline_of_our_own_making_tells_its_location() -> None:
    assert location("videotestsrc ! video.") is None
    assert location('rtmpsrc location="a\\"b" ! x') is None
