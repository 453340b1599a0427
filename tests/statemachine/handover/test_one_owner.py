"""What is on air, the attempt under way, and what a monitor remembers have one owner: others change it by a method."""

import ast
from pathlib import Path

import pytest

import statemachine
from statemachine.director import Director
from statemachine.policy import Policy

RULES = Path(statemachine.__file__).parent
OWNED = {
    "switchover": ("scene", "_attempts"),
    "scene": ("program", "changed_at", "held", "barred", "foreign_owners", "policy", "names", "fixtures"),
    "attempts": ("current", "last_number", "reserves"),
    "names": ("next_input", "pool", "taken"),
    "fixtures": ("old", "missing"),
    "reserves": ("kept",),
    "lineup": ("_order", "_outbox"),
    "steering": ("now", "last_cut", "empty_at", "dead_since", "slate_failures"),
    "fallback": ("state",),
    "bitrates": ("episode",),
    "quality": ("amiss",),
    "render_load": ("policy", "state"),
    "viewers": ("policy", "state"),
}
"""The parts by the names that they go by, and what each remembers: written by itself alone."""


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
def test_what_a_part_remembers_is_written_by_itself_alone(path: Path) -> None:
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
    director = Director(Policy())
    switchover = director.switchover
    scene, attempts = switchover.scene, switchover._attempts
    parts = {
        "switchover": switchover,
        "scene": scene,
        "attempts": attempts,
        "names": scene.names,
        "fixtures": scene.fixtures,
        "reserves": switchover.reserves,
        "lineup": director.lineup,
        "steering": director.steering,
        "fallback": director.fallback,
        "bitrates": director.bitrates,
        "quality": director.quality,
        "render_load": director.render_load,
        "viewers": director.viewers,
    }
    classes = {name: type(part).__name__.lower() for name, part in parts.items()}
    assert classes == {name: name.replace("_", "") for name in OWNED}
    for name, remembered in OWNED.items():
        assert set(remembered) <= vars(parts[name]).keys(), name
