"""What a person may ask, whoever passes it on: one event each, and the rules' own answer."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from daemon.core import operator as module
from daemon.core.operator import USE_CASES, Operator, RequestRefused, RulesBusy
from daemon.core.use_case import UseCase
from daemon.ingest.manual_streams import ManualStreams
from daemon.ingest.sessions import MANUAL_STREAM, SessionDirectory
from daemon.observability.wording_lineup import LINEUP
from statemachine import events as ev
from statemachine.director import Director
from statemachine.facts import Fact, LineupChanged
from statemachine.policy import Policy
from statemachine.step import Step
from statemachine.view import View
from tests.daemon.ingest.helpers import admission, ref, yes

NADIA = ev.Actor("token", "nadia")
URL = "rtmp://127.0.0.1:1935/live/extra?key=s3cret"
PATH = ("live", "extra")


class Rig:
    """An operator before the rules themselves, with alice on air by turn and bob after her."""

    def __init__(self) -> None:
        self.now = 1.0
        self.stuck = False
        self.events: list[ev.Event] = []
        self.told: list[Fact] = []
        self.director = Director(Policy())
        self.sessions = SessionDirectory(lambda: "rtmp://127.0.0.1:1935/{app}/{stream}")
        self.manual = ManualStreams(lambda: self.director.sessions().held, self.sessions, lambda: self.now)
        for name in ("alice", "bob"):
            self._take(ev.Published(self.now, self.sessions.open(ref(name, name), yes(name), self.now)))
        self.operator = Operator(self, lambda: self.now, self.view, admission().meant, self.manual)

    def view(self) -> View:
        return self.director.view(self.now)

    @property
    def line_up(self) -> list[str]:
        return [place.streamer for place in self.view().queue]

    def asked(self, event: ev.Event) -> asyncio.Future[Step]:
        answer: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        self.events.append(event)
        step = self._take(event)
        if not self.stuck:
            answer.set_result(step)
        return answer

    async def ask(self, event: ev.Event) -> Step:
        return await self.asked(event)

    def _take(self, event: ev.Event) -> Step:
        step = self.director.handle(event)
        self.told += step.facts
        return step


Ask = Callable[[Operator], Awaitable[object]]

EACH: list[tuple[Ask, ev.Event]] = [
    (lambda operator: operator.skip(NADIA), ev.SkipRequested(1.0)),
    (lambda operator: operator.hold(NADIA), ev.Held(1.0)),
    (lambda operator: operator.release(NADIA), ev.Released(1.0)),
    (lambda operator: operator.move(NADIA, "carol", 1), ev.MoveRequested(1.0, "carol", 1)),
    (lambda operator: operator.remove(NADIA, "bob"), ev.RemoveRequested(1.0, "bob")),
    (lambda operator: operator.kick(NADIA, "bob", 60.0), ev.KickRequested(1.0, "bob", 60.0)),
    (lambda operator: operator.unblock(NADIA, "mallory"), ev.LetInRequested(1.0, "mallory")),
    (lambda operator: operator.set_turn(NADIA, 900.0), ev.TurnChanged(1.0, 900.0)),
    (
        lambda operator: operator.set_turn(NADIA, 900.0, "bob", restart=True),
        ev.TurnChanged(1.0, 900.0, "bob", restart=True),
    ),
    (lambda operator: operator.set(NADIA, "z_offset", 3), ev.SettingChanged(1.0, "z_offset", 3)),
    (lambda operator: operator.toggle_block_last(NADIA), ev.SettingChanged(1.0, "block_last", True)),
]


@pytest.mark.parametrize(("ask", "event"), EACH, ids=[type(event).__name__ for _, event in EACH])
async def test_each_request_is_one_event_that_bears_who_asked(ask: Ask, event: ev.OperatorEvent) -> None:
    rig = Rig()
    rig._take(ev.Published(1.0, ev.Session("srs:1/carol", "carol", "live", "carol")))
    rig._take(ev.KickRequested(1.0, "mallory", 60.0))
    await ask(rig.operator)
    (asked,) = rig.events
    assert asked == event
    assert isinstance(asked, ev.OperatorEvent)
    assert asked.actor == NADIA


async def test_what_the_rules_refuse_is_raised_in_their_words() -> None:
    rig = Rig()
    with pytest.raises(RequestRefused) as refused:
        await rig.operator.remove(NADIA, "nobody")
    assert refused.value.code == "not_found"
    with pytest.raises(RequestRefused) as refused:
        await rig.operator.unblock(NADIA, "alice")
    assert refused.value.code == "not_blocked"
    assert rig.line_up == ["alice", "bob"]
    await rig.operator.remove(NADIA, "alice")
    await rig.operator.remove(NADIA, "bob")
    with pytest.raises(RequestRefused) as refused:
        await rig.operator.skip(NADIA)
    assert (refused.value.code, str(refused.value)) == ("nobody_on_air", "nobody is on air")


async def test_a_name_is_found_however_it_is_written() -> None:
    rig = Rig()
    assert (await rig.operator.kick(NADIA, "BOB", 60.0))["streamer"] == "bob"
    assert rig.line_up == ["alice"]
    # One who is blocked is known by its name, too.
    assert (await rig.operator.unblock(NADIA, "Bob"))["streamer"] == "bob"


async def test_a_move_is_done_by_the_time_of_the_answer() -> None:
    rig = Rig()
    rig._take(ev.Published(1.0, ev.Session("srs:1/carol", "carol", "live", "carol")))
    answer = await rig.operator.move(NADIA, "carol", 1)
    assert (answer["streamer"], answer["position"]) == ("carol", 1)
    assert rig.line_up == ["alice", "carol", "bob"]


async def test_a_kick_tells_whether_anybody_was_there() -> None:
    rig = Rig()
    kicked = await rig.operator.kick(NADIA, "bob", 60.0)
    assert kicked["message"] == "bob is kicked, and blocked for 60 s"
    blocked = await rig.operator.kick(NADIA, "nobody", 60.0)
    assert blocked["message"] == "nobody is not in the line-up, and blocked for 60 s"


@pytest.mark.parametrize("case", USE_CASES, ids=[case.name for case in USE_CASES])
def test_each_use_case_says_what_it_does_and_takes_who_asks_first(case: UseCase) -> None:
    """Help and description are made of it."""
    assert case.summary.endswith(".")
    assert "actor" not in [parameter.name for parameter in case.parameters]


@pytest.mark.parametrize("ask", [ask for ask, _ in EACH], ids=[type(event).__name__ for _, event in EACH])
async def test_all_that_comes_of_a_request_has_its_sentence(ask: Ask) -> None:
    rig = Rig()
    rig._take(ev.Published(1.0, ev.Session("srs:1/carol", "carol", "live", "carol")))
    rig._take(ev.KickRequested(1.0, "mallory", 60.0))
    rig.told.clear()
    await ask(rig.operator)
    assert {fact.what for fact in rig.told if isinstance(fact, LineupChanged)} <= LINEUP.keys()


async def test_a_toggle_turns_back_what_is_on() -> None:
    rig = Rig()
    assert await rig.operator.toggle_block_last(NADIA) is True
    assert rig.view().policy.block_last
    assert await rig.operator.toggle_block_last(NADIA) is False
    assert not rig.view().policy.block_last


async def test_a_stream_that_no_hook_announced_is_shown_from_its_url() -> None:
    rig = Rig()
    session = await rig.operator.show_manual_stream(NADIA, URL, *PATH)
    assert session.id.startswith(MANUAL_STREAM)
    assert rig.events == [ev.TestRequested(1.0, session)]
    assert rig.sessions.play_url(session) == URL


async def test_a_stream_that_is_published_is_shown_as_its_streamer_s() -> None:
    rig = Rig()
    (published,) = rig.sessions.live("live/bob")
    assert await rig.operator.show_manual_stream(NADIA, URL.replace("extra", "bob"), "live", "bob") == published
    assert rig.events == [ev.TestRequested(1.0, published)]
    assert rig.sessions.live("live/bob") == (published,)


async def test_a_hand_over_that_the_rules_refuse_leaves_no_session() -> None:
    rig = Rig()
    await rig.operator.show_manual_stream(NADIA, URL, *PATH)
    with pytest.raises(RequestRefused):
        await rig.operator.show_manual_stream(NADIA, URL.replace("extra", "more"), "live", "more")
    assert rig.sessions.live("live/more") == ()
    assert len(rig.sessions.live("live/extra")) == 1


async def test_one_who_waits_too_long_is_told_and_what_was_asked_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ASK_SECONDS", 0.0)
    rig = Rig()
    rig.stuck = True
    with pytest.raises(RulesBusy):
        await rig.operator.show_manual_stream(NADIA, URL, *PATH)
    assert len(rig.sessions.live("live/extra")) == 1
    with pytest.raises(RulesBusy):
        await rig.operator.hold(NADIA)
    assert rig.view().held


async def test_a_measurement_is_one_event() -> None:
    rig = Rig()
    await rig.operator.measured("alice", "sound", -30.0)
    assert rig.events == [ev.Measured(1.0, "alice", "sound", -30.0)]
