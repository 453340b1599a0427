import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from daemon.core.redaction import Redactor, redact, redact_url, same

CANARY = "c4n4ry-K3Y_77"


@pytest.mark.parametrize(
    ("given_secret", "expected", "answer"),
    [("abc", "abc", True), ("abc", "abd", False), ("ab", "abc", False), ("", "", False), ("é", "é", True)],
)
def test_only_equal_secrets_that_are_set_are_the_same(given_secret: str, expected: str, answer: bool) -> None:
    assert same(given_secret, expected) is answer


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtmp://127.0.0.1:1935/live/alice?key=abc", "rtmp://127.0.0.1:1935/live/alice?key=***"),
        (
            "rtmp://h:1935/motherstream/live?stream_key=KEY",
            "rtmp://h:1935/motherstream/live?stream_key=***",
        ),
        ("rtmp://h/live/alice", "rtmp://h/live/alice"),
        ("rtmp://h/live/alice?s3cret", "rtmp://h/live/alice?***"),
        ("rtmp://h/live?vhost=studio&key=a b\"c'd", "rtmp://h/live?vhost=studio&key=***"),
        ("rtmp://h/live?vhost=x/alice?key=abc", "rtmp://h/live?vhost=x/alice?key=***"),
        ("http://user:p@ss@h:1985/api?count=100", "http://***@h:1985/api?count=100"),
        ("http://h/hook?secret=a=b&x=", "http://h/hook?secret=***&x=***"),
        ("?secret=abc", "?secret=***"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_what_opens_the_door(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert redact_url(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Creating new GStreamer source 'GMOTHERSTREAM_2' with URL: rtmp://h/live/alice?key=abc",
            "Creating new GStreamer source 'GMOTHERSTREAM_2' with URL: rtmp://h/live/alice?key=***",
        ),
        (
            'rtmpsrc location="rtmp://h/l?k=abc" do-timestamp=true !',
            'rtmpsrc location="rtmp://h/l?k=***" do-timestamp=true !',
        ),
        ("refused: stream_key=KEY, of alice", "refused: stream_key=***, of alice"),
        ("alice?key=KEY-and-more, bob?key=KEY.x ?key=…x ?key=.x", "alice?key=*** bob?key=*** ?key=*** ?key=***"),
        ("call=publish&name=live&psk=abc", "call=publish&name=***&psk=***"),
        ('{"password": "a b", "port": 1}', '{"password": ***, "port": 1}'),
        ("{'srs_token': 'a\\'b', 'x': 1}", "{'srs_token': ***, 'x': 1}"),
        ('"{\\"token\\": \\"a b\\", \\"x\\": 1}"', '"{\\"token\\": ***, \\"x\\": 1}"'),
        ("Authorization: Basic dXNlcjpw", "Authorization: Basic ***"),
        ("sent Bearer abc.def-123", "sent Bearer ***"),
    ],
)
def test_what_looks_like_a_secret_is_masked_in_prose(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "line",
    [
        "SWITCH_GSTREAMER_SOURCE",
        "Waiting for source 'GMOTHERSTREAM_2' to become ready (timeout: 15s)",
        "Source 'GMOTHERSTREAM_2' state: OBS_MEDIA_STATE_BUFFERING",
        "Source 'GMOTHERSTREAM_2' is PLAYING after 3.45s",
        "Failed to create GStreamer source 'GMOTHERSTREAM_3': Input kind not found",
        "wrong password: check the key obs.password",
        "the publish URL has no key (?key=…), and the stream's name is not one; in OBS: Stream Key NAME?key=KEY, as",
        "the hook's URL must end in ?secret= with hooks.secret",
    ],
)
def test_a_line_without_a_secret_stays_as_it_is(line: str) -> None:
    redactor = Redactor("hunter22")
    redactor.learn("alices-key")
    assert redactor.text(line) == line


@pytest.mark.parametrize(
    "text",
    [
        "key {}",
        "rtmp://h/live/{}",
        "%3D{}%26",
        "b'\\n{}\\n'",
        "rtmp://{}@h/live",
        '{{"stream": "{}"}}',
        "/live/{}?x=1",
        "{}",
        "({}).",
    ],
)
def test_a_learnt_key_is_masked_wherever_it_stands_as_a_word(text: str) -> None:
    redactor = Redactor()
    redactor.learn(CANARY)
    shown = redactor.text(text.format(CANARY))
    assert CANARY not in shown
    assert "***" in shown


def test_a_learnt_key_does_not_blot_out_longer_words() -> None:
    redactor = Redactor()
    redactor.learn("GMOTHERSTREAM")
    assert redactor.text("GMOTHERSTREAM_2 of GMOTHERSTREAM") == "GMOTHERSTREAM_2 of ***"


def test_an_added_secret_is_masked_within_any_text_and_as_a_url_writes_it() -> None:
    redactor = Redactor("p@ss word")
    assert redactor.text("xp@ss wordx") == "x***x"
    assert redactor.text("u=p%40ss%20word.") == "u=***."


def test_a_garbled_key_is_masked_too() -> None:
    redactor = Redactor()
    redactor.learn('abc" ! filesink')
    assert redactor.text('refused abc" ! filesink location=x') == "refused *** location=x"


def test_of_two_secrets_the_longer_goes_first() -> None:
    redactor = Redactor("abcd", "abcdefgh")
    assert redactor.text("abcdefgh") == "***"
    assert redactor.text(" abcdefgh ") == " *** "


def test_a_very_short_secret_is_masked_only_as_a_whole_value() -> None:
    redactor = Redactor("on")
    redactor.learn("a")
    assert redactor.fields({"x": "on", "y": "a", "z": "a station on air"}) == {
        "x": "***",
        "y": "***",
        "z": "a station on air",
    }


def test_only_the_last_keys_are_kept() -> None:
    redactor = Redactor(learnt=3)
    for key in ("key-1", "key-2", "key-3", "key-1", "key-4"):
        redactor.learn(key)
    assert redactor.text("key-1 key-2 key-3 key-4") == "*** key-2 *** ***"


def test_empty_secrets_mask_nothing() -> None:
    redactor = Redactor("")
    redactor.learn("")
    assert redactor.text("as it is") == "as it is"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError(CANARY)


def test_whatever_is_logged_becomes_plain_and_clean() -> None:
    redactor = Redactor(CANARY)
    fields = {
        "event": f"about {CANARY}",
        "list": [CANARY, {CANARY: (CANARY, 1)}],
        "set": {CANARY},
        "bytes": b"\xff" + CANARY.encode(),
        "error": ValueError(CANARY),
        "secret_str": SecretStr("other"),
        "object": Unprintable(),
        "password": "other",
        "stream_key": 123,
        "token": None,
        "has_key": True,
        "number": 1.5,
    }
    assert redactor.fields(fields) == {
        "event": "about ***",
        "list": ["***", {"***": ["***", 1]}],
        "set": ["***"],
        "bytes": "\\xff***",
        "error": "ValueError: ***",
        "secret_str": "***",
        "object": "<Unprintable>",
        "password": "***",
        "stream_key": "***",
        "token": None,
        "has_key": True,
        "number": 1.5,
    }


def test_a_value_that_holds_itself_comes_to_an_end() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert str(Redactor().value(loop)).count("[") == 8


@given(st.text(st.characters(exclude_characters="*"), min_size=4), st.text(), st.text())
def test_no_added_secret_is_left_in_any_text(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor(secret).text(f"{before}{secret}{after}")


def test_a_key_that_is_no_proper_text_is_learnt_all_the_same() -> None:
    redactor = Redactor("\ud800word")
    redactor.learn("\ud800key")
    assert redactor.text("a \ud800key, \ud800word") == "a ***, ***"


def test_keys_may_be_learnt_while_another_thread_redacts() -> None:
    redactor = Redactor(learnt=8)
    redactor.learn("first-key")
    stop = threading.Event()
    seen: list[str] = []

    def read() -> None:
        while not stop.is_set():
            seen.append(redactor.text("the last-key of all"))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(2000):
        redactor.learn(f"key-{number}")
        redactor.learn(f"odd key {number}")
    redactor.learn("last-key")
    stop.set()
    reader.join()
    assert set(seen) <= {"the last-key of all", "the *** of all"}
    assert redactor.text("the last-key of all") == "the *** of all"
