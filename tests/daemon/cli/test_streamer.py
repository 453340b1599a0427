"""``motherstream streamer``: what people paste into OBS, and what scripts read."""

import argparse
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.cli.streamer import PublishPlace, add_parser, publish_place, publish_server
from daemon.streamers.store import StreamerStore

Run = Callable[..., int]


@pytest.fixture
def store(tmp_path: Path) -> StreamerStore:
    return StreamerStore(tmp_path / "motherstream.db")


@pytest.fixture
def run(tmp_path: Path, store: StreamerStore) -> Run:
    config = tmp_path / "motherstream.toml"
    config.write_text(
        f'[store]\npath = "{store.path}"\n[ingest]\nrtmp_url = "rtmp://ingest.example.org:1936/{{app}}/{{stream}}"\n'
    )
    parser = argparse.ArgumentParser(prog="motherstream")
    add_parser(parser.add_subparsers(required=True))

    def run(*words: str) -> int:
        arguments = parser.parse_args(["streamer", words[0], "--config", str(config), *words[1:]])
        action: Callable[[argparse.Namespace], int] = arguments.action
        return action(arguments)

    return run


def test_add_shows_the_key_once_and_what_to_paste_into_obs(
    run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "alice", "--turn", "600") == 0
    out = capsys.readouterr().out
    assert "Server      rtmp://ingest.example.org:1936/live\n" in out
    found = re.search(r"Stream key  alice\?key=([A-Za-z0-9_-]{32})\n", out)
    assert found is not None
    assert f"rtmp://ingest.example.org:1936/live/alice?key={found[1]}\n" in out
    row = store.find_by_key(found[1])
    assert row is not None
    assert (row.name, row.turn) == ("alice", 600.0)
    assert run("list") == 0
    assert found[1] not in capsys.readouterr().out


def test_where_the_name_cannot_be_a_streams_the_key_is_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "DJ Ötzi", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["streamer"] == "DJ Ötzi"
    assert answer["stream_key"] == answer["key"]
    assert answer["url"] == f"rtmp://ingest.example.org:1936/live/{answer['key']}"


def test_rotate_shows_the_new_key_and_the_old_one_is_void(
    run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    old = store.add("alice")
    assert run("rotate", "alice", "--server", "rtmps://other.example.org/app/", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["server"] == "rtmps://other.example.org/app"
    assert answer["key"] != old
    assert store.find_by_key(old) is None
    assert store.find_by_key(answer["key"]) is not None


def test_list_tells_all_but_the_keys(run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.add("alice", turn=600)
    store.add("DJ Ötzi")
    store.set("DJ Ötzi", enabled=False)
    assert run("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"enabled +600 s +[\d-]{10}  [\d-]{10}  alice", lines[1])
    assert re.fullmatch(r"disabled +default +[\d-]{10}  [\d-]{10}  DJ Ötzi", lines[2])
    assert run("list", "--json") == 0
    plain = json.loads(capsys.readouterr().out)
    assert [(row["streamer"], row["turn"], row["enabled"]) for row in plain] == [
        ("alice", 600.0, True),
        ("DJ Ötzi", None, False),
    ]


def test_an_empty_list_says_how_to_fill_it(run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "motherstream streamer add NAME" in capsys.readouterr().out
    assert not store.path.exists()


def test_set_changes_a_streamer(run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.add("alice")
    assert run("set", "alice", "--turn", "90", "--disable") == 0
    said = capsys.readouterr()
    assert said.out == "alice is disabled, with turns of 90 s\n"
    assert "a live stream continues: motherstream kick alice ends it" in said.err, "who is on air stays there"
    assert run("set", "alice", "--turn", "120") == 0
    assert "motherstream turn 120 --streamer alice" in capsys.readouterr().err
    assert run("set", "alice", "--turn", "default") == 0
    assert run("set", "alice", "--enable") == 0
    assert (store.list()[0].turn, store.list()[0].enabled) == (None, True)


def test_remove_forgets_a_streamer(run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]) -> None:
    store.add("alice")
    assert run("remove", "alice") == 0
    assert capsys.readouterr().out == "alice was removed, and its key is void\n"
    assert store.list() == ()


@pytest.mark.parametrize("words", [("remove", "bob"), ("rotate", "bob"), ("set", "bob", "--enable"), ("add", "Alice")])
def test_what_cannot_be_done_is_one_line_and_exit_1(
    run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    store.add("alice")
    assert run(*words) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"motherstream: there is (no|already a) streamer .*\n", told.err)


@pytest.mark.parametrize(
    "words",
    [
        ("add",),
        ("add", "alice", "--turn", "0"),
        ("add", "alice", "--turn", "soon"),
        ("add", "alice", "--server", "http://x/live"),
        ("add", "alice", "--server", "rtmp://x/live?key=1"),
        ("set", "alice"),
        ("set", "alice", "--enable", "--disable"),
    ],
)
def test_misuse_is_exit_2_and_changes_nothing(run: Run, store: StreamerStore, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(*words)
    assert stopped.value.code == 2
    assert store.list() == ()


def test_a_new_file_and_an_address_of_no_use_to_others_are_told(
    run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "alice", "--server", "rtmp://127.0.0.1") == 0
    told = capsys.readouterr()
    assert "Server      rtmp://127.0.0.1/live\n" in told.out
    assert f"note: created the file {store.path}" in told.err
    assert "--server" in told.err
    assert run("add", "bob") == 0
    assert capsys.readouterr().err == ""


def test_what_is_to_be_typed_for_a_name_that_looks_like_an_option_works(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", "--", "--help") == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "motherstream streamer rotate" in line]
    assert run(*shlex.split(line)[2:]) == 0
    assert "motherstream kick -- --help ends it" in capsys.readouterr().err
    assert run("set", "--turn", "60", "--", "--help") == 0
    assert "motherstream turn 60 --streamer=--help" in capsys.readouterr().err


def test_a_damaged_file_is_one_line_and_exit_1(
    run: Run, store: StreamerStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.path.write_bytes(b"not a database" * 500)
    for words in (("add", "alice"), ("list",)):
        assert run(*words) == 1
        told = capsys.readouterr()
        assert (told.out, told.err.count("\n")) == ("", 1)
        assert "file is not a database" in told.err


@pytest.mark.parametrize(
    ("rtmp_url", "server"),
    [
        ("rtmp://127.0.0.1:1935/{app}/{stream}", "rtmp://127.0.0.1:1935/live"),
        ("rtmp://h:1935/motherstream/live?stream_key={stream_key}", "rtmp://h:1935/motherstream"),
        ("rtmps://h/{stream}", "rtmps://h/live"),
        ("rtmp://user:secret@[::1]:1935/{app}/{stream}?{param}", "rtmp://[::1]:1935/live"),
        ("rtmp://h/{stream}/{param}", "rtmp://h/live"),
    ],
)
def test_the_server_is_that_of_the_play_url(rtmp_url: str, server: str) -> None:
    assert publish_server(rtmp_url) == server


def test_the_stream_key_holds_the_name_where_a_stream_can_have_it() -> None:
    assert publish_place("alice", "KEY", "rtmp://h/live") == PublishPlace("rtmp://h/live", "alice?key=KEY")
    assert publish_place("al ice", "KEY", "rtmp://h/live").url == "rtmp://h/live/KEY"


def test_where_the_play_url_names_the_stream_that_one_is_to_be_published() -> None:
    """Else OBS would play ``live`` while alice publishes to ``alice``."""
    shared = "rtmp://h:1935/motherstream/live?stream_key={stream_key}"
    assert publish_place("alice", "KEY", publish_server(shared), shared).url == (
        "rtmp://h:1935/motherstream/live?stream_key=KEY"
    )
    by_key = "rtmp://h/live/{stream_key}"
    assert publish_place("alice", "KEY", publish_server(by_key), by_key).url == "rtmp://h/live/KEY"
