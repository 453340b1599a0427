"""A publish and its end, whichever server told: one way to the rules, and one verdict."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.config.model import Ingest, Queue
from daemon.core.ports import Streamer
from daemon.ingest import publishing as module
from daemon.ingest.admission import RulesAsked
from daemon.ingest.auth_url import UrlAnswer
from daemon.ingest.hook import Publish, Unpublish, refused
from daemon.ingest.publishing import MOST_REFUSALS, Publishing, Stages
from daemon.ingest.refusals import Refusals
from daemon.ingest.sessions import SessionDirectory
from daemon.ingest.stream import HookError, make_ref
from statemachine import events as ev
from statemachine.director import Director
from statemachine.policy import Policy
from statemachine.step import Step
from tests.daemon.ingest.helpers import Ask, Keys, admission, ref


class Rules:
    """The rules themselves, which answer at once unless they are stuck."""

    def __init__(self) -> None:
        self.director = Director(Policy())
        self.events: list[ev.Event] = []
        self.stuck = False

    def asked(self, event: ev.Event) -> asyncio.Future[Step]:
        self.events.append(event)
        answer: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        step = self.director.handle(event)
        if not self.stuck:
            answer.set_result(step)
        return answer

    async def ask(self, event: ev.Event) -> Step:
        return await self.asked(event)

    @property
    def line_up(self) -> list[str]:
        return [entry.streamer for entry in self.director.lineup if entry.sessions]


class Door:
    """All that a hook passes, made of the real parts."""

    def __init__(self, queue: Queue | None = None, **ingest: Any) -> None:
        self.ingest = Ingest(**ingest)
        self.now = 1.0
        self.rules = Rules()
        self.keys = Keys()
        self.ask = Ask()
        self.looked_up: list[str] = []
        self.refusals = Refusals()
        self.notified: list[tuple[str, str]] = []
        self.sessions = SessionDirectory(lambda: self.ingest.rtmp_url)
        gate = admission(queue, self.keys, self._admits, self.ask)
        self.publishing = Publishing(
            lambda: self.ingest,
            lambda: self.now,
            Stages(gate, self.sessions, self.rules),
            self.refusals,
            lambda code, message: self.notified.append((code, message)),
        )

    def _admits(self, streamer: str, at: float) -> Any:
        self.looked_up.append(streamer)
        return self.rules.director.admits(streamer, at)

    def block(self, streamer: str) -> None:
        self.rules.director.handle(ev.KickRequested(self.now, streamer, 60.0))


def publish(stream: str = "alice", client: str = "c1", **more: Any) -> Publish:
    return Publish(ref(stream, client, **more))


async def test_whoever_is_admitted_stands_in_the_line_up_by_the_time_of_the_answer() -> None:
    door = Door()
    verdict = await door.publishing.publish(publish())
    assert (verdict.accepted, verdict.streamer) == (True, "alice")
    assert door.rules.line_up == ["alice"]
    (session,) = door.sessions.live("live/alice")
    assert door.rules.events == [ev.Published(1.0, session)]


async def test_admission_is_asked_once_for_each_publish() -> None:
    door = Door(Queue(auth="http", auth_url="http://127.0.0.1:9/auth"))
    await door.publishing.publish(publish(), b"as it came", "text/plain")
    assert [asked[1:3] for asked in door.ask.asked] == [(b"as it came", "text/plain")]
    assert door.looked_up == ["alice"]


async def test_the_same_hook_again_is_the_same_session() -> None:
    door = Door()
    await door.publishing.publish(publish())
    await door.publishing.publish(publish())
    assert len(door.sessions.live("live/alice")) == 1
    assert door.rules.line_up == ["alice"]


async def test_one_who_is_blocked_is_refused_and_leaves_nothing_behind() -> None:
    door = Door()
    door.block("alice")
    verdict = await door.publishing.publish(Publish(make_ref("srs", "live", "alice", client_id="c1", ip="203.0.113.9")))
    assert (verdict.accepted, verdict.code, verdict.streamer, verdict.ip) == (False, "blocked", "alice", "203.0.113.9")
    assert door.rules.events == []
    assert door.sessions.live("live/alice") == ()


async def test_one_who_is_blocked_while_the_service_is_asked_is_refused_by_the_rules() -> None:
    door = Door(Queue(auth="http", auth_url="http://127.0.0.1:9/auth"))
    # The look-up says yes, and by the time of the event the rules say no.
    door.publishing._admission._rules = RulesAsked(lambda streamer, at: None)
    door.block("alice")
    verdict = await door.publishing.publish(publish())
    assert (verdict.accepted, verdict.code) == (False, "blocked")
    assert door.sessions.live("live/alice") == ()
    assert door.rules.line_up == []


async def test_what_is_another_channel_s_is_accepted_and_told_to_nobody() -> None:
    door = Door(apps=["live"])
    assert (await door.publishing.publish(publish(app="other"))).accepted
    assert (await door.publishing.unpublish(Unpublish(ref(app="other")))).accepted
    assert door.rules.events == []
    assert door.looked_up == []


def test_a_hook_that_cannot_be_read_is_refused_unless_it_is_another_channel_s() -> None:
    door = Door(apps=["live"])
    error = HookError("bad_stream", "the stream's name is not one")
    assert door.publishing.misread(error).code == "bad_stream"
    error.app = "live"
    assert not door.publishing.misread(error).accepted
    error.app = "other"
    assert door.publishing.misread(error).accepted


async def test_a_client_that_publishes_something_else_has_ended_what_it_published_before() -> None:
    door = Door()
    await door.publishing.publish(publish("alice"))
    (before,) = door.sessions.live("live/alice")
    await door.publishing.publish(publish("bob"))
    assert door.rules.events[1] == ev.Unpublished(1.0, before.id)
    assert door.rules.line_up == ["bob"]


async def test_an_end_is_one_event_and_always_accepted() -> None:
    door = Door()
    await door.publishing.publish(publish())
    (session,) = door.sessions.live("live/alice")
    verdict = await door.publishing.unpublish(Unpublish(ref()))
    assert verdict.accepted
    assert door.rules.events[1:] == [ev.Unpublished(1.0, session.id)]
    assert door.sessions.live("live/alice") == ()
    assert door.rules.line_up == []


async def test_two_streamers_on_one_path_are_told_of_their_virtual_hosts() -> None:
    door = Door(Queue())
    door.keys.streamers |= {"a": Streamer("alice"), "b": Streamer("bob")}
    first = make_ref("srs", "live", "show", [("key", "a")], client_id="c1", vhost="a.example")
    other = make_ref("srs", "live", "show", [("key", "b")], client_id="c2", vhost="b.example")
    assert (await door.publishing.publish(Publish(first))).accepted
    verdict = await door.publishing.publish(Publish(other))
    assert verdict.code == "path_taken"
    assert "{vhost} in ingest.rtmp_url" in verdict.message
    assert [session.streamer for session in door.sessions.live("live/show")] == ["alice"]


async def test_a_refusal_that_its_server_provokes_is_quiet() -> None:
    door = Door(Queue(auth="http", auth_url="http://127.0.0.1:9/auth"))
    door.ask.answer = UrlAnswer(False, "no credentials")
    asked = Publish(ref(server="mediamtx"), asks_again=True)
    verdict = await door.publishing.publish(asked)
    assert (verdict.accepted, verdict.quiet) == (False, True)
    with capture_logs() as lines:
        door.publishing.note_refusal("mediamtx", verdict, "127.0.0.1")
    assert (lines, door.notified, door.refusals.recent(1.0)) == ([], [], ())
    assert not (await door.publishing.publish(Publish(ref(server="mediamtx")))).quiet


async def test_a_publisher_is_let_in_though_the_journal_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JOURNAL_SECONDS", 0.0)
    door = Door()
    door.rules.stuck = True
    with capture_logs() as lines:
        verdict = await door.publishing.publish(publish())
    assert verdict.accepted
    assert door.sessions.live("live/alice")
    assert "A hook was answered before its event was journaled" in [line["event"] for line in lines]


def test_a_refusal_is_logged_once_counted_always_and_handed_to_who_notifies() -> None:
    door = Door()
    no = refused("unknown_key", "the key is nobody's")
    with capture_logs() as lines:
        for _ in range(3):
            door.publishing.note_refusal("srs", no, "127.0.0.1")
    assert [line["reason"] for line in lines] == ["unknown_key"]
    assert door.notified == [("unknown_key", "the key is nobody's")]
    assert [refusal.count for refusal in door.refusals.recent(1.0)] == [3]


def test_many_who_are_refused_for_one_reason_do_not_flood_the_log() -> None:
    door = Door()
    with capture_logs() as lines:
        for number in range(3 * MOST_REFUSALS):
            door.publishing.note_refusal("srs", refused("blocked", "kept out", streamer=f"s{number}"), None)
    assert len(lines) == MOST_REFUSALS


async def test_who_publishes_at_last_is_no_longer_among_the_refused() -> None:
    door = Door()
    door.publishing.note_refusal("srs", refused("blocked", "kept out", streamer="alice"), None)
    await door.publishing.publish(publish())
    assert door.refusals.recent(1.0) == ()
