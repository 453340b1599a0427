"""What is on air and the attempt under way have one owner: whoever else learns of a picture says so by a method."""

import ast
from pathlib import Path

import pytest

import statemachine
from statemachine.handover.switchover import Switchover
from statemachine.policy import Policy

RULES = Path(statemachine.__file__).parent
OWNED = {
    "switchover": ("scene", "_attempts"),
    "scene": ("program", "changed_at", "held", "barred", "foreign_owners", "policy", "names", "fixtures"),
    "attempts": ("current", "last_number", "reserves"),
    "names": ("next_input", "pool", "taken"),
    "fixtures": ("old", "missing"),
    "reserves": ("kept",),
}
"""The parts of the switchover by the names that they go by, and what each remembers: written by itself alone."""


def writes(source: str) -> list[str]:
    """What a module sets of a part that it is not, and reserves that it puts there or takes away."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute):
            continue
        owner = ast.unparse(node.value)
        sets = isinstance(node.ctx, ast.Store | ast.Del) and owner.rpartition(".")[2].lstrip("_") in OWNED
        if sets or (node.attr in ("put", "take", "clear") and owner.endswith("switchover.reserves")):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", sorted(RULES.rglob("*.py")), ids=lambda path: str(path.relative_to(RULES)))
def test_nothing_outside_the_switchover_writes_what_is_on_air_or_under_way(path: Path) -> None:
    assert writes(path.read_text(encoding="utf-8")) == []


def test_the_search_for_writers_finds_them() -> None:
    assert writes("self._switchover.attempt = None\nswitchover.reserves.put(attempt)\nself.program = 1") == [
        "self._switchover.attempt",
        "switchover.reserves.put",
    ]
    assert writes("self._switchover.scene.program = None\nself._attempts.current = a\nnames.pool += (name,)") == [
        "self._switchover.scene.program",
        "self._attempts.current",
        "names.pool",
    ]


def test_the_parts_go_by_the_names_that_the_search_knows() -> None:
    switchover = Switchover(Policy(), lambda stream: None)
    scene, attempts = switchover.scene, switchover._attempts
    parts = {
        "switchover": switchover,
        "scene": scene,
        "attempts": attempts,
        "names": scene.names,
        "fixtures": scene.fixtures,
        "reserves": switchover.reserves,
    }
    assert {name: type(part).__name__.lower() for name, part in parts.items()} == {name: name for name in OWNED}
    for name, remembered in OWNED.items():
        assert set(remembered) <= vars(parts[name]).keys(), name
