"""The allow-list: what a hook may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.ingest.stream import NAME, HookError, arguments_of, make_ref

PIPELINE = "alice ! filesink location=x"


@pytest.mark.parametrize("name", ["alice", "A-b_9", "x" * 128])
def test_plain_names_are_let_in(name: str) -> None:
    assert make_ref("srs", "live", name).path == f"live/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 129,
        PIPELINE,
        'a"b',
        "a/b",
        "a b",
        "a\n",
        "a\x00",
        "émile",
        "we%20ird",
        "..",
        "a?b",
        "<script>",
        "\uff41",
    ],
)
@pytest.mark.parametrize("part", ["app", "stream"])
def test_any_other_name_is_refused_without_being_quoted(part: str, name: str) -> None:
    parts = {"app": "live", "stream": "alice", part: name}
    with pytest.raises(HookError) as caught:
        make_ref("srs", parts["app"], parts["stream"])
    assert caught.value.code == f"bad_{part}"
    assert not name or name not in str(caught.value)


@given(st.text())
def test_no_name_outside_the_allow_list_gets_through(name: str) -> None:
    try:
        ref = make_ref("srs", "live", name)
    except HookError:
        return
    assert NAME.fullmatch(ref.stream)
    assert ref.stream.isascii()


def test_a_key_outside_the_allow_list_is_refused() -> None:
    with pytest.raises(HookError, match="the key must be") as caught:
        make_ref("srs", "live", "alice", [("key", PIPELINE)])
    assert "filesink" not in str(caught.value)


def test_the_key_is_read_from_either_parameter_and_the_first_one_counts() -> None:
    assert make_ref("srs", "live", "alice", [("stream_key", "k1")]).key == "k1"
    assert make_ref("srs", "live", "alice", [("stream_key", "k1"), ("key", "k2"), ("key", "k3")]).key == "k2"


def test_what_may_be_secret_is_not_in_the_repr() -> None:
    ref = make_ref("srs", "live", "secretname", [("key", "secretkey"), ("other", "secretother")])
    assert "secret" not in repr(ref)


def test_only_arguments_within_the_allow_list_are_kept() -> None:
    ref = make_ref("srs", "live", "alice", [("a", "1"), ("b", "x y"), ("c", "x!y"), ("d", "")])
    assert ref.args == (("a", "1"),)


@pytest.mark.parametrize(
    ("param", "pairs"),
    [
        ("", ()),
        ("?secret=abc", (("secret", "abc"),)),
        ("secret=abc", (("secret", "abc"),)),
        ("?secret=s?secret=s", (("secret", "s"), ("secret", "s"))),
        ("?vhost=other.example&key=k", (("vhost", "other.example"), ("key", "k"))),
    ],
)
def test_the_argument_texts_that_srs_was_seen_to_send_are_read(param: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert arguments_of(param) == pairs


def test_a_thousand_arguments_are_refused() -> None:
    with pytest.raises(HookError):
        arguments_of("&".join(f"a{i}=1" for i in range(1000)))


def test_an_address_that_is_none_is_left_out() -> None:
    assert make_ref("srs", "live", "alice", ip="10.0.0.7").ip == "10.0.0.7"
    assert make_ref("srs", "live", "alice", ip="unix:\x1b[31m").ip == ""


def test_session_ids_name_the_server_and_its_client_and_never_the_stream() -> None:
    ids = [
        make_ref("srs", "live", "secretname", client_id="c1", instance="vid-1").session_id,
        make_ref("srs", "live", "secretname", client_id="c1").session_id,
        make_ref("srs", "live", "secretname").session_id,
        make_ref("nginx", "live", "secretname", client_id="12").session_id,
        make_ref("oryx", "live", "secretname", client_id="r1").session_id,
        make_ref("mediamtx", "live", "secretname", client_id="u1").session_id,
    ]
    assert ids[:2] == ["srs:vid-1/c1", "srs:srs/c1"]
    assert ids[4:] == ["oryx:r1", "mediamtx:u1"]
    assert ids[3].startswith("nginx:12-")
    assert not any("secretname" in session_id for session_id in ids)
    assert len(set(ids)) == len(ids)


def test_an_odd_client_id_is_refused() -> None:
    with pytest.raises(HookError):
        make_ref("srs", "live", "alice", client_id="../../v1/clients")
