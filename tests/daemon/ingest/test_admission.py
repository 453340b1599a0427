"""Who may publish, and as whom."""

import pytest
from aiohttp import web

from daemon.config.model import Queue
from daemon.core.ports import Streamer
from daemon.ingest.api import open_client
from daemon.ingest.auth_url import UrlAnswer, UrlAuth
from statemachine.facts import Refused
from tests.daemon.ingest.helpers import Ask, Keys, admission, ref
from tests.fakes.serving import Serving

KEYS = Keys(k1=Streamer("alice", turn=600.0), k2=Streamer("bob", enabled=False))
HTTP = Queue(auth="http", auth_url="http://127.0.0.1:9/auth", auth_timeout=2.0)


async def test_open_lets_anybody_in_by_the_stream_s_name() -> None:
    verdict = await admission().check(ref("carol"), 1.0)
    assert (verdict.accepted, verdict.streamer) == (True, "carol")


@pytest.mark.parametrize("given", [ref("anything", key="k1"), ref("k1")])
async def test_a_key_is_taken_from_the_parameters_or_from_the_stream_s_name(given: object) -> None:
    verdict = await admission(Queue(), KEYS).check(given, 1.0)  # type: ignore[arg-type]  # a strange one is given on purpose
    assert (verdict.accepted, verdict.streamer, verdict.turn) == (True, "alice", 600.0)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (ref("alice", key="wrong"), "unknown_key"),
        (ref("k1", key="wrong"), "unknown_key"),
        (ref("alice"), "no_key"),
        (ref("anything", key="k2"), "disabled"),
    ],
)
async def test_a_key_that_is_nobody_s_is_refused_without_being_quoted(given: object, code: str) -> None:
    verdict = await admission(Queue(), KEYS).check(given, 1.0)  # type: ignore[arg-type]  # a strange one is given on purpose
    assert (verdict.accepted, verdict.code) == (False, code)
    assert "wrong" not in verdict.message
    assert "k1" not in verdict.message


async def test_with_no_streamer_at_all_the_refusal_says_what_to_do() -> None:
    verdict = await admission(Queue()).check(ref("alice", key="k1"), 1.0)
    assert verdict.code == "no_streamers"
    assert "motherstream streamer add NAME" in verdict.message


@pytest.mark.parametrize("known", [Keys(), Keys(k2=Streamer("bob")), Keys(k1=Streamer("alice", enabled=False))])
async def test_a_key_that_was_made_or_let_in_a_moment_ago_is_found(known: Keys) -> None:
    known.made_since = {"k1": Streamer("alice")}
    verdict = await admission(Queue(), known).check(ref("anything", key="k1"), 1.0)
    assert (verdict.accepted, verdict.streamer) == (True, "alice")


async def test_a_known_key_waits_for_no_look_at_the_file() -> None:
    keys = Keys(k1=Streamer("alice"))
    assert (await admission(Queue(), keys).check(ref("anything", key="k1"), 1.0)).accepted
    assert (await admission(Queue(auth="open"), keys).check(ref("carol"), 1.0)).accepted
    assert keys.looks == 0


async def test_while_keys_cannot_be_read_no_publisher_is_told_that_it_is_its_mistake() -> None:
    keys = Keys(k1=Streamer("alice"))
    keys.unreadable = True
    for given in (ref("alice", key="wrong"), ref("alice")):
        verdict = await admission(Queue(), keys).check(given, 1.0)
        assert (verdict.accepted, verdict.code, verdict.status) == (False, "keys_unreadable", 503)
        assert "not the publisher's fault" in verdict.message
    assert (await admission(Queue(), keys).check(ref("alice", key="k1"), 1.0)).accepted


async def test_a_key_that_was_let_in_is_never_shown_again() -> None:
    learnt: list[str] = []
    await admission(Queue(), KEYS, learnt=learnt).check(ref("anything", key="k1"), 1.0)
    await admission(Queue(), KEYS, learnt=learnt).check(ref("anything", key="wrong"), 1.0)
    assert learnt == ["k1"]


async def test_the_rules_have_the_last_word() -> None:
    def admits(streamer: str, at: float) -> Refused | None:
        return Refused(at, "blocked", f"{streamer} is blocked") if streamer == "alice" else None

    verdict = await admission(admits=admits).check(ref("alice"), 5.0)
    assert (verdict.accepted, verdict.code, verdict.message) == (False, "blocked", "alice is blocked")
    assert (await admission(admits=admits).check(ref("bob"), 5.0)).accepted


async def test_the_operator_s_service_is_asked_with_the_hook_s_own_body() -> None:
    ask = Ask(UrlAnswer(True, streamer="Alice Cooper", turn=60.0))
    verdict = await admission(HTTP, ask=ask).check(ref("key123"), 1.0, b'{"x":1}', "application/json")
    assert ask.asked == [("http://127.0.0.1:9/auth", b'{"x":1}', "application/json", 2.0)]
    assert (verdict.streamer, verdict.turn) == ("Alice Cooper", 60.0)


async def test_a_stream_that_the_service_names_otherwise_is_taken_for_a_key() -> None:
    learnt: list[str] = []
    await admission(HTTP, ask=Ask(UrlAnswer(True, streamer="Alice")), learnt=learnt).check(ref("key123"), 1.0)
    assert learnt == ["key123"]


async def test_the_service_s_no_is_a_no() -> None:
    verdict = await admission(HTTP, ask=Ask(UrlAnswer(False, "it answered 401"))).check(ref(), 1.0)
    assert (verdict.accepted, verdict.code, verdict.message) == (False, "auth_url", "it answered 401")


def test_a_stream_found_in_a_list_is_named_where_its_name_tells() -> None:
    named = admission(Queue(), KEYS).identify(ref("k1"), 1.0)
    assert named is not None
    assert named.name == "alice"
    assert admission(Queue(), KEYS).identify(ref("alice"), 1.0) is None
    assert admission(HTTP).identify(ref("alice"), 1.0) is None
    blocked = admission(admits=lambda streamer, at: Refused(at, "blocked", "no"))
    assert blocked.identify(ref("alice"), 1.0) is None


# --- the operator's service, by the wire -------------------------------------------------------------------------


class Service(Serving):
    """Answers as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = (200, b"")
        self.bodies: list[tuple[str, bytes]] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/auth", self._auth)]

    async def _auth(self, request: web.Request) -> web.Response:
        self.bodies.append((request.content_type, await request.read()))
        return web.Response(status=self.answer[0], body=self.answer[1])


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"", UrlAnswer(True)),
        (204, b"", UrlAnswer(True)),
        (200, b"ok", UrlAnswer(True)),
        (200, b"0", UrlAnswer(True)),
        (200, b'{"code":0}', UrlAnswer(True)),
        (201, b'{"streamer":"Al","turn":90}', UrlAnswer(True, streamer="Al", turn=90)),
        (200, b'{"streamer":""}', UrlAnswer(True)),
        (200, b'{"streamer":" e\\u0301 "}', UrlAnswer(True, streamer="\u00e9")),
    ],
)
async def test_the_service_s_yes(status: int, body: bytes, expected: UrlAnswer) -> None:
    async with Service() as service, open_client() as client:
        service.answer = (status, body)
        assert await UrlAuth(client)(f"{service.url}/auth", b"a=b", "text/x", 5.0) == expected
        assert service.bodies == [("text/x", b"a=b")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (303, b""),
        (302, b""),
        (401, b""),
        (500, b'{"code":0}'),
        (200, b'{"code":1}'),
        (200, b'{"code":"0"}'),
        (200, b"1"),
        (200, b'{"streamer":7}'),
        (200, b'{"streamer":"a\\u0007b"}'),
        (200, b'{"streamer":"a\\u2800b"}'),
        (200, b'{"streamer":".."}'),
        (200, b'{"turn":0}'),
        (200, b'{"turn":true}'),
        (200, b"x" * 100_000),
    ],
)
async def test_whatever_is_no_yes_is_a_no(status: int, body: bytes) -> None:
    async with Service() as service, open_client() as client:
        service.answer = (status, body)
        answer = await UrlAuth(client)(f"{service.url}/auth", b"", "text/x", 5.0)
    assert not answer.accepted
    assert answer.why


async def test_a_service_that_does_not_answer_is_a_no() -> None:
    async with Service() as service, open_client() as client:
        service.faults.hang()
        answer = await UrlAuth(client)(f"{service.url}/auth", b"", "text/x", 0.05)
        assert not answer.accepted
        assert "did not answer" in answer.why
    async with open_client() as client:
        assert not (await UrlAuth(client)("http://127.0.0.1:1/auth", b"", "text/x", 1.0)).accepted


async def test_why_a_service_could_not_say_yes_is_told_in_words() -> None:
    async with Service() as service, open_client() as client:
        service.answer = (200, b"x" * 100_000)
        answer = await UrlAuth(client)(f"{service.url}/auth", b"", "text/x", 5.0)
        assert answer.why == "queue.auth_url answered more than 65536 bytes"
    async with open_client() as client:
        answer = await UrlAuth(client)("http://127.0.0.1:1/auth", b"", "text/x", 1.0)
        assert answer.why == "queue.auth_url cannot be reached: Connection refused"


# --- names that people would take for one another ----------------------------------------------------------------


async def test_where_anybody_may_publish_nobody_does_under_a_name_that_looks_like_one_in_the_line_up() -> None:
    present = {"alice"}
    gate = admission(present=present.__contains__)
    assert (await gate.check(ref("alice"), 1.0)).accepted
    verdict = await gate.check(ref("ALICE"), 2.0)
    assert (verdict.accepted, verdict.code) == (False, "name_taken")
    assert "alice" in verdict.message
    assert gate.identify(ref("Alice"), 2.0) is None
    present.clear()
    assert (await gate.check(ref("ALICE"), 3.0)).streamer == "ALICE"
    present.add("ALICE")
    assert (await gate.check(ref("alice"), 4.0)).code == "name_taken"


async def test_where_anybody_may_publish_nobody_who_was_kicked_comes_back_in_capitals() -> None:
    def admits(streamer: str, at: float) -> Refused | None:
        return Refused(at, "blocked", "alice is blocked") if streamer == "alice" else None

    gate = admission(admits=admits)
    gate.remember("alice")
    assert (await gate.check(ref("Alice"), 1.0)).code == "blocked"
    assert (await gate.check(ref("alison"), 1.0)).accepted


async def test_however_the_operator_s_service_writes_a_name_it_is_one_streamer() -> None:
    ask = Ask(UrlAnswer(True, streamer="Alice Cooper"))
    gate = admission(HTTP, ask=ask)
    assert (await gate.check(ref("a"), 1.0)).streamer == "Alice Cooper"
    ask.answer = UrlAnswer(True, streamer="alice  COOPER")
    assert (await gate.check(ref("b"), 1.0)).streamer == "Alice Cooper"


async def test_no_flood_of_names_fills_the_memory_of_spellings() -> None:
    gate = admission()
    for number in range(5000):
        await gate.check(ref(f"s{number}"), 1.0)
    assert len(gate._spellings) <= 4096
