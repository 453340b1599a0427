"""SIGTERM and SIGHUP at any moment: never a half-done picture, never a daemon that neither lives nor ends."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.http.live import Live
from tests.machine.support import TROUBLED, Manager, alice_and_bob, assert_settled

ENDS = 12.0
"""Seconds that an end may take; systemd kills after TimeoutStopSec=15."""
MILESTONES = ("motherstream starts", "listening", "Connected to OBS")
HANDOVER = ("CreateInput", "GetSceneItemTransform", "SetSceneItemEnabled", "RemoveSceneItem")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with Live(tmp_path) as made:
        alice_and_bob(made)
        yield made


@pytest.mark.parametrize("milestone", MILESTONES)
def test_sigterm_during_the_start_is_an_end_like_any_other(live: Live, milestone: str) -> None:
    live.send(signal.SIGTERM)
    assert live.ended(ENDS) == 0
    told = live.console().count(milestone)
    live.launch()
    live.until(lambda: live.console().count(milestone) > told)
    live.send(signal.SIGTERM)
    assert live.ended(ENDS) == 0
    live.start()
    assert_settled(live, "alice")


@pytest.mark.parametrize("milestone", MILESTONES[:2])
def test_sighup_during_the_start_is_made_up_for(live: Live, milestone: str) -> None:
    live.send(signal.SIGTERM)
    assert live.ended(ENDS) == 0
    told, reloads = live.console().count(milestone), live.console().count("the configuration was reloaded")
    live.launch()
    live.until(lambda: live.console().count(milestone) > told)
    live.send(signal.SIGHUP)
    live.until(lambda: live.console().count("the configuration was reloaded") > reloads)
    assert_settled(live, "alice")


def test_sighup_before_it_can_reload_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "offset").write_text("0")
    environment = {"TROUBLE": str(tmp_path / "offset"), "HANGUP": "1"}
    with Live(tmp_path, program=TROUBLED, environment=environment) as live:
        live.until(lambda: "the configuration was reloaded" in live.console())


def test_sighup_while_its_modules_are_read_does_not_end_it(live: Live) -> None:
    live.send(signal.SIGTERM)
    assert live.ended(ENDS) == 0
    live.launch()
    # Python counts as ignoring it once the command line is understood, long before the daemon is built.
    live.until(lambda: ignores(live.pid, signal.SIGHUP) or catches(live.pid, signal.SIGHUP))
    live.send(signal.SIGHUP)
    assert_settled(live, "alice")


def ignores(pid: int, number: signal.Signals) -> bool:
    return _masked(pid, "SigIgn", number)


def catches(pid: int, number: signal.Signals) -> bool:
    return _masked(pid, "SigCgt", number)


def _masked(pid: int, mask: str, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    bits = next(int(line.split()[1], 16) for line in status if line.startswith(mask))
    return bool(bits >> (number - 1) & 1)


@pytest.mark.parametrize("request_name", HANDOVER)
def test_sigterm_in_mid_hand_over_leaves_one_picture_and_is_carried_on_from(live: Live, request_name: str) -> None:
    live.obs.fake.faults.before(request_name, lambda: live.send(signal.SIGTERM))
    live.ask("POST", "/queue/skip")
    assert live.ended(ENDS) == 0
    assert len(live.obs.shown()) == 1
    live.start()
    assert_settled(live, "bob")


def test_a_storm_of_reloads_in_mid_hand_over_changes_nothing(live: Live) -> None:
    for _ in range(3):
        before = live.on_air()
        live.ask("POST", "/queue/skip")
        for _ in range(20):
            live.send(signal.SIGHUP)
        live.until_on_air("bob" if before == "alice" else "alice")
    assert_settled(live, "bob")


def test_a_second_signal_does_not_break_off_an_end(live: Live) -> None:
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        live.send(number)
    assert live.ended(ENDS) == 0
    assert "Traceback" not in live.console()
    assert len(live.obs.shown()) == 1
    live.start()
    assert_settled(live, "alice")


def test_a_loop_that_is_blocked_feeds_no_watchdog_and_its_end_leaves_the_picture(tmp_path: Path) -> None:
    (tmp_path / "offset").write_text("0")
    manager = Manager(tmp_path)
    environment = {"TROUBLE": str(tmp_path / "offset"), **manager.environment(watchdog=0.6)}
    with Live(tmp_path, program=TROUBLED, environment=environment) as live:
        assert manager.hears("READY=1")
        alice_and_bob(live)
        assert manager.hears("WATCHDOG=1")
        shown = live.obs.shown()
        live.send(signal.SIGUSR1)
        blocked = time.monotonic()
        live.until(lambda: not answers(live))
        manager.forget()
        assert not manager.hears("WATCHDOG=1", within=1.0), f"fed {time.monotonic() - blocked} s after it was blocked"
        live.send(signal.SIGABRT)  # what systemd does then
        assert live.ended() == -signal.SIGABRT
        assert live.obs.shown() == shown
        live.start()
        assert_settled(live, "alice")
        live.send(signal.SIGTERM)
        assert manager.hears("STOPPING=1")
        assert live.ended(ENDS) == 0
    manager.close()


def answers(live: Live) -> bool:
    with socket.create_connection(("127.0.0.1", live.port), timeout=1.0) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        client.settimeout(0.5)
        try:
            return client.recv(1) != b""
        except TimeoutError:
            return False
