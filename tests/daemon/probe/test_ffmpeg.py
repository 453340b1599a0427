"""How ffmpeg is called: the URL is on no command line, and each track has an output of its own."""

import pytest

from daemon.probe.ffmpeg import PIPES, Wanted, command, playlist

PIPE_NUMBERS = {name: number for number, name in enumerate(PIPES, 10)}


def test_the_url_goes_in_by_standard_input() -> None:
    url = "rtmp://127.0.0.1:1935/live/alice?key=secret"
    assert f"file '{url}'".encode() in playlist(url)
    assert "secret" not in " ".join(command(Wanted(), PIPE_NUMBERS))


@pytest.mark.parametrize("url", ["rtmp://h/a'b", "rtmp://h/a\nfile 'x'", "rtmp://h/a b", "rtmp://h/a\\b"])
def test_a_url_that_could_add_a_line_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        playlist(url)


def test_key_frames_alone_are_decoded_unless_all_are_wanted() -> None:
    assert "nokey" in command(Wanted(), PIPE_NUMBERS)
    assert "nokey" not in command(Wanted(all_frames=True), PIPE_NUMBERS)


def test_no_option_is_given_for_a_track_that_is_not_wanted() -> None:
    assert "-skip_frame" not in command(Wanted(picture=False), PIPE_NUMBERS)


@pytest.mark.parametrize(
    ("wanted", "maps"),
    [
        (Wanted(), ["0:v:0", "0:a:0", "0:a:0", "0:v:0"]),
        (Wanted(sound=False), ["0:v:0", "0:v:0"]),
        (Wanted(picture=False), ["0:a:0", "0:a:0"]),
        (Wanted(look=False), ["0:v:0", "0:a:0", "0:a:0"]),
    ],
)
def test_what_is_not_wanted_is_not_asked_for(wanted: Wanted, maps: list[str]) -> None:
    argv = command(wanted, PIPE_NUMBERS)
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "-map"] == maps


def test_without_previews_no_picture_is_encoded() -> None:
    assert "mjpeg" in command(Wanted(), PIPE_NUMBERS)
    assert "mjpeg" not in command(Wanted(previews=False), PIPE_NUMBERS)
