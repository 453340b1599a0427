"""What is on air and the attempt under way have one owner: whoever else learns of a picture says so by a method."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import statemachine
from statemachine.snapshot import SwitchoverState

RULES = Path(statemachine.__file__).parent
OWNED = {"attempt", "program", "reserves", "pool", "next_input", "last_number", "state"}


def writes(source: str) -> list[str]:
    """Attributes of the switchover that a module sets, and reserves that it puts there or takes away."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute):
            continue
        owner = ast.unparse(node.value)
        sets = isinstance(node.ctx, ast.Store) and node.attr in OWNED and owner.endswith("switchover")
        if sets or (node.attr in ("put", "take", "clear") and owner.endswith("switchover.reserves")):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", sorted(RULES.rglob("*.py")), ids=lambda path: str(path.relative_to(RULES)))
def test_nothing_outside_the_switchover_writes_what_is_on_air_or_under_way(path: Path) -> None:
    assert writes(path.read_text(encoding="utf-8")) == []


def test_the_search_for_writers_finds_them() -> None:
    assert {field.name for field in fields(SwitchoverState)} >= OWNED
    assert writes("self._switchover.attempt = None\nswitchover.reserves.put(attempt)\nself.program = 1") == [
        "self._switchover.attempt",
        "switchover.reserves.put",
    ]
