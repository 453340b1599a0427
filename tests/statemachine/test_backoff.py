"""The one formula of all that is tried again."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.backoff import backoff

ROOT = Path(__file__).parents[2]
SECONDS = st.floats(0.001, 1e9)


@pytest.mark.parametrize(("times", "pause"), [(0, 2.0), (1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 30.0), (6, 30.0)])
def test_each_further_time_waits_twice_as_long_up_to_the_most(times: int, pause: float) -> None:
    assert backoff(2.0, 30.0, times) == pause


@given(SECONDS, SECONDS, st.integers(0, 10**9))
def test_it_never_shrinks_and_never_passes_the_most(first: float, most: float, times: int) -> None:
    assert min(first, most) <= backoff(first, most, times) <= backoff(first, most, times + 1) <= most


@given(SECONDS, st.floats(1.0, 1e9))
def test_the_most_is_reached_whatever_the_first_was(first: float, most: float) -> None:
    assert backoff(first, most, 10**9) == most


def test_no_other_module_computes_a_power_of_two() -> None:
    for package in ("daemon", "statemachine"):
        for path in (ROOT / package).rglob("*.py"):
            found = [
                node.lineno
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Pow)
                and isinstance(node.left, ast.Constant)
                and node.left.value == 2
                and not isinstance(node.right, ast.Constant)
            ]
            assert not found or path.name == "backoff.py", f"{path}:{found}"
