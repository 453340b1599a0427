"""Each way in which somebody in line is not shown: one word and what to do, wherever people look for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daemon.notify.messages import Message
from daemon.notify.notifier import Notifier
from daemon.observability.problems import SENTENCES
from tests.fakes import Stream
from tests.simulation.stage import on_air
from tests.simulation.world import World

Act = Callable[[World], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """``said``: a part of a line of the log; ``notified``: a part of a message, empty where none is due at once."""

    whose: str
    reason: str
    act: Act
    said: str
    notified: str
    settings: dict[str, object] = field(default_factory=dict)


async def no_picture(w: World) -> None:
    w.obs.streams[w.url("carol")] = Stream(None)
    await w.publish("carol")
    await w.ask("POST", "/queue/carol/move?position=1")


async def cannot_be_opened(w: World) -> None:
    w.obs.streams[w.url("carol")] = Stream(refused=True)
    await w.publish("carol")
    await w.ask("POST", "/queue/carol/move?position=1")


async def stands_still(w: World) -> None:
    w.freeze("bob")


async def stands_still_on_air(w: World) -> None:
    await w.unpublish("bob")
    w.freeze("alice")


async def breaks_off(w: World) -> None:
    await w.unpublish("bob")
    w.obs.streams[w.url("alice")].fail()


async def ends(w: World) -> None:
    await w.unpublish("alice")


async def obs_dies(w: World) -> None:
    await w.obs.stop(abrupt=True)


async def somebody_switches_studio_mode_on(w: World) -> None:
    w.obs.studio.mode.switch(True)
    await w.until(lambda: w.director.switchover.scene.barred)
    await w.unpublish("alice")


async def another_scene(w: World) -> None:
    w.obs.studio.create_scene("BREAK")
    w.obs.studio.set_program("BREAK")


CASES = {
    "no picture": Case("carol", "not_ready", no_picture, "carol cannot come on air", "carol cannot come on air"),
    "cannot be opened": Case(
        "carol", "unreachable", cannot_be_opened, "carol cannot come on air", "carol cannot come on air"
    ),
    "the standby stands still": Case(
        "bob", "stalled", stands_still, "bob cannot come on air", "bob cannot come on air"
    ),
    "the one on air stands still": Case("alice", "stalled", stands_still_on_air, "alice has stalled", ""),
    "the one on air breaks off": Case("alice", "stalled", breaks_off, "the picture was lost", ""),
    "away": Case("alice", "away", ends, "alice is away", ""),
    "OBS is gone": Case("alice", "obs_unreachable", obs_dies, "Lost OBS", ""),
    "studio mode": Case(
        "bob",
        "studio_mode",
        somebody_switches_studio_mode_on,
        "OBS's studio mode is on",
        "no hand-over until",
        {"obs__studio_mode": "hold"},
    ),
    "another scene": Case("alice", "program_elsewhere", another_scene, "viewers do not see", "do not see alice"),
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be sent to those notified."""
    texts: list[str] = []

    def put(_: Notifier, message: Message | None) -> None:
        if message is not None:
            texts.append(message.text)

    monkeypatch.setattr(Notifier, "_put", put)
    return texts


def problem(status: Any, streamer: str) -> tuple[str, str] | None:
    row = next((row for row in status["queue"] if row["streamer"] == streamer), None)
    found = row and row["problem"]
    return (found["reason"], found["message"]) if found else None


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_whoever_is_not_shown_has_a_reason_and_a_sentence_in_status_log_and_notification(
    tmp_path: Path, told: list[str], case: Case
) -> None:
    async def act(w: World) -> None:
        await case.act(w)
        await w.until(lambda: _reason(w, case.whose) == case.reason, 25.0)
        for path in ("/status", "/queue"):
            reason, sentence = problem(await w.ask("GET", path), case.whose) or ("", "")
            assert (reason, sentence[:16]) == (case.reason, SENTENCES[case.reason][:16])
        await w.until(lambda: w.said(case.said), 5.0)
        await w.until(lambda: any(case.notified in text for text in told) or not case.notified, 5.0)

    on_air(tmp_path, act, **case.settings)


def _reason(w: World, streamer: str) -> str:
    place = next((each for each in w.director.view(w.director.now).queue if each.streamer == streamer), None)
    return place.problem.reason if place and place.problem else ""


def test_one_whose_picture_breaks_off_is_off_air_in_the_status_and_on_air_again_once_it_is_back(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.unpublish("bob")
        w.obs.streams[w.url("alice")].fail()
        await w.until(lambda: w.obs.program.on_air is None, 2.0)
        await w.until(lambda: w.director.view(w.director.now).on_air is None, 1.0)
        status = await w.ask("GET", "/status")
        assert (status["on_air"], status["program"]["blank"]) == (None, True)
        await w.until(lambda: w.obs.program.on_air is not None, 20.0)
        await w.until(lambda: w.director.view(w.director.now).on_air is not None, 1.0)
        status = await w.ask("GET", "/status")
        assert (status["on_air"]["streamer"], status["program"]["blank"]) == ("alice", False)

    on_air(tmp_path, act, queue__reconnect_grace=30.0)
