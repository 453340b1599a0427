"""The wall clock is stepped in mid-turn: nothing of the show moves with it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.daemon.http.live import Live
from tests.machine.support import TROUBLED, alice_and_bob, assert_settled

DAY = 86_400.0
TURN = 600


@pytest.fixture
def step(tmp_path: Path) -> Callable[[float], object]:
    """Sets by how much the wall clock is off."""
    offset = tmp_path / "offset"
    offset.write_text("0")
    return lambda seconds: offset.write_text(str(seconds))


@pytest.fixture
def live(tmp_path: Path, step: Callable[[float], object]) -> Iterator[Live]:
    environment = {"TROUBLE": str(tmp_path / "offset")}
    with Live(tmp_path, program=TROUBLED, environment=environment, queue__turn=str(TURN)) as made:
        alice_and_bob(made)
        yield made


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_step_of_the_wall_clock_moves_no_turn_and_hinders_no_hand_over(
    live: Live, step: Callable[[float], object], seconds: float
) -> None:
    before = live.get("/status")["on_air"]
    step(seconds)
    after = live.get("/status")["on_air"]
    assert after["streamer"] == "alice"
    assert before["remaining"] - 60 < after["remaining"] <= before["remaining"]
    assert after["since"] == before["since"]
    live.ask("POST", "/queue/skip")
    live.until_on_air("bob")
    assert live.get("/healthz")["status"] == "ok"


def test_after_a_step_back_a_restarted_daemon_s_time_goes_on_from_where_it_was(
    live: Live, step: Callable[[float], object]
) -> None:
    before = live.get("/status")["on_air"]
    step(-DAY)
    live.send(signal.SIGKILL)
    live.ended()
    live.start()
    assert_settled(live, "alice")
    after = live.get("/status")["on_air"]
    assert before["seconds"] <= after["seconds"] < before["seconds"] + 60
    assert before["remaining"] - 60 < after["remaining"] <= before["remaining"]


def test_time_that_passed_while_the_daemon_was_away_counts_for_the_turn(
    live: Live, step: Callable[[float], object]
) -> None:
    """By the wall clock, as there is no other over a restart: a step forward then ends the turn."""
    step(DAY)
    live.send(signal.SIGKILL)
    live.ended()
    live.start()
    assert_settled(live, "bob")
