"""The table decides every pair, once, and says why."""

from collections import defaultdict
from dataclasses import dataclass, replace
from inspect import signature
from itertools import product

import pytest

from statemachine import events as ev
from statemachine.errors import IllegalEventError
from statemachine.handover.attempt import Attempt
from statemachine.handover.cleanup import Cleanup, Grace, Remove, Restore
from statemachine.handover.effects import Effects
from statemachine.handover.states import State
from statemachine.handover.switchover import Switchover
from statemachine.handover.table import EVENTS, IGNORED, TRANSITIONS, as_table, mermaid
from statemachine.policy import Policy
from tests.statemachine import statechart

S = State
ALICE = ev.Session("srs:1/a", "alice", "live", "alice")

PROMISED = [
    (S.IDLE, ev.TargetChosen, S.CREATING),
    (S.CREATING, ev.InputCreated, S.BUFFERING),
    (S.CREATING, ev.CreationFailed, S.CLEANUP),
    (S.BUFFERING, ev.MediaReady, S.SWAPPING),
    (S.BUFFERING, ev.MediaReady, S.STANDBY),
    (S.BUFFERING, ev.ReadyTimedOut, S.CLEANUP),
    (S.BUFFERING, ev.MediaFailed, S.CLEANUP),
    (S.BUFFERING, ev.StreamEnded, S.CLEANUP),
    (S.STANDBY, ev.TurnCame, S.SWAPPING),
    (S.STANDBY, ev.MediaFailed, S.CLEANUP),
    (S.STANDBY, ev.StreamEnded, S.CLEANUP),
    (S.STANDBY, ev.TargetChanged, S.CLEANUP),
    (S.SWAPPING, ev.CutDone, S.CLEANUP),
    (S.SWAPPING, ev.CutFailed, S.CLEANUP),
    (S.SWAPPING, ev.CutTimedOut, S.CLEANUP),
    (S.CLEANUP, ev.InputRemoved, S.IDLE),
    (S.CLEANUP, ev.RemovalFailed, S.CLEANUP),
    (S.CLEANUP, ev.RemovalFailed, S.IDLE),
    *((state, ev.ObsLost, S.RECOVERING) for state in S if state is not S.RECOVERING),
    (S.RECOVERING, ev.ObsReady, S.IDLE),
]
"""What is promised to the people who operate a channel; more rows may be there, none of these may go."""


def switchover(state: State, attempt: Attempt | None) -> Switchover:
    machine = Switchover(Policy(), lambda stream: None)
    machine.restore(replace(machine.kept, state=state, attempt=attempt, last_number=1))
    return machine


def effects_of(machine: Switchover) -> Effects:
    return machine._effects


def attempt(**changes: object) -> Attempt:
    plain = Attempt(1, "GMOTHERSTREAM_1", ALICE, "first", 1.0, None)
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


def every_cleanup() -> list[Cleanup]:
    tries = (0, Policy().removal_tries)
    old = "GMOTHERSTREAM_0"
    restoring = [Restore(name, tried) for name in ("", old) for tried in tries]
    return [*restoring, Grace(old), *(Remove(old, tried) for tried in tries)]


def every_attempt() -> list[Attempt]:
    """One for each thing that a guard can ask of it."""
    return [
        attempt(due_at=due, ready_at=ready, cleanup=cleanup)
        for due, ready, cleanup in product((None, 1.0), (None, 1.0), (None, *every_cleanup()))
    ]


@pytest.mark.parametrize(("state", "event"), list(product(State, EVENTS)))
def test_every_pair_is_legal_or_ignored_with_a_reason(state: State, event: type[ev.Event]) -> None:
    legal = [row for row in TRANSITIONS if (row.source, row.event) == (state, event)]
    if legal:
        assert (state, event) not in IGNORED
        assert all(row.meaning for row in legal)
    else:
        assert IGNORED[state, event].strip()


def test_nothing_is_ignored_that_is_no_event_of_the_table() -> None:
    assert {event for _, event in IGNORED} <= set(EVENTS)


@pytest.mark.parametrize(("source", "event", "dest"), PROMISED)
def test_every_promised_row_is_there(source: State, event: type[ev.Event], dest: State) -> None:
    assert any((row.source, row.event, row.dest) == (source, event, dest) for row in TRANSITIONS)


def test_every_state_is_reached_and_left() -> None:
    assert {row.dest for row in TRANSITIONS} == {row.source for row in TRANSITIONS} == set(State)


def test_what_a_row_names_is_a_method_that_takes_the_event() -> None:
    for row in TRANSITIONS:
        for name in filter(None, (row.then, row.when)):
            assert len(signature(getattr(Effects, name)).parameters) == 2, name


def test_of_several_rows_for_a_pair_exactly_one_holds() -> None:
    pairs = defaultdict(list)
    for row in TRANSITIONS:
        pairs[row.source, row.event].append(row)
    guarded = {pair: rows for pair, rows in pairs.items() if any(row.when for row in rows)}
    assert len(guarded) == 4
    for (state, event), rows in guarded.items():
        for possible in every_attempt():
            machine = switchover(state, possible)
            holding = [row.when for row in rows if getattr(effects_of(machine), row.when)(None)]
            assert len(holding) == 1, (state, event, possible, holding)
    assert all(len(rows) == 1 for pair, rows in pairs.items() if pair not in guarded)


@dataclass(frozen=True, slots=True)
class Unheard(ev.AttemptEvent):
    """No row and no reason."""


@pytest.mark.parametrize("state", list(State))
def test_an_illegal_event_raises_and_leaves_all_as_it_was(state: State) -> None:
    machine = switchover(state, attempt())
    before = machine.kept
    with pytest.raises(IllegalEventError, match=f"Unheard cannot happen in {state.value}") as caught:
        machine.handle(Unheard(2.0, 1))
    assert (caught.value.state, caught.value.event) == (state, "Unheard")
    assert (machine.kept, machine.commands, machine.facts) == (before, [], [])


def test_a_pair_that_nobody_decided_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statemachine.handover.switchover.IGNORED", {})
    machine = switchover(S.IDLE, attempt())
    with pytest.raises(IllegalEventError):
        machine.handle(ev.CutDone(2.0, 1))
    assert machine.state is S.IDLE


def test_an_ignored_event_changes_nothing_and_says_why() -> None:
    for (state, event), why in IGNORED.items():
        machine = switchover(state, attempt())
        before = machine.kept
        machine.handle(an(event))
        assert (machine.kept, machine.commands) == (before, [])
        assert [getattr(fact, "why", "") for fact in machine.facts] == [why]


def test_an_event_of_another_attempt_changes_nothing() -> None:
    for state, event in product(State, EVENTS):
        if issubclass(event, ev.AttemptEvent):
            machine = switchover(state, attempt(number=2))
            before = machine.kept
            machine.handle(an(event))
            assert (machine.kept, machine.commands) == (before, []), (state, event)


def an(event: type[ev.Event]) -> ev.Event:
    """An event of this kind, of attempt 1."""
    known: dict[str, object] = {"at": 2.0, "attempt": 1, "reason": "", "inventory": ev.Inventory()}
    names = [name for name in signature(event).parameters if name in known]
    return event(**{name: known[name] for name in names})  # type: ignore[arg-type]  # by name


def test_the_diagram_shows_every_row_of_the_table() -> None:
    diagram = mermaid()
    assert diagram.startswith("stateDiagram-v2\n    [*] --> RECOVERING\n")
    for row in TRANSITIONS:
        if row.event is not ev.ObsLost:
            lines = [line for line in diagram.splitlines() if f"{row.source.value} --> {row.dest.value}:" in line]
            assert len(lines) == 1
            assert row.event.__name__ in lines[0]
    assert "from every state: ObsLost" in diagram


def test_the_printed_table_has_a_line_for_every_row() -> None:
    lines = as_table().splitlines()
    assert lines[0].split() == ["FROM", "EVENT", "WHEN", "TO", "MEANING"]
    for line, row in zip(lines[1:], TRANSITIONS, strict=True):
        assert line.split()[:2] == [row.source.value, row.event.__name__]
        assert line.endswith(row.meaning)


def test_the_documentation_is_the_table() -> None:
    told = statechart.PATH.read_text(encoding="utf-8")
    assert told == statechart.document(), "python -m tests.statemachine.statechart writes it anew"
    assert f"```mermaid\n{mermaid()}```" in told
