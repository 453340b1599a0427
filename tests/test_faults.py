"""docs/faults.md is true: every fault has its test, and every test that it names is there."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
COLUMNS = ["fault", "the viewer sees", "bound", "test"]
SECTIONS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


@cache
def known() -> frozenset[str]:
    """The names of all tests."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return frozenset(found)


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, its head first."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| ---")]


def test_every_section_is_a_table_of_faults_and_stands_in_the_contents() -> None:
    assert len(SECTIONS) >= 4
    for section in SECTIONS:
        head, *faults = rows(section)
        assert head == COLUMNS, section
        assert faults, section
        assert f"- [{section}](#{section.lower().replace(' ', '-')})" in PAGE


@pytest.mark.parametrize("section", SECTIONS)
def test_every_fault_names_a_test_and_the_test_is_there(section: str) -> None:
    for cells in rows(section)[1:]:
        assert len(cells) == len(COLUMNS), cells
        assert all(cells), cells
        named = re.findall(r"`(test_\w+)`", cells[-1])
        assert named, f"{cells[0]}: no test"
        assert cells[-1] == " ".join(f"`{name}`" for name in named), cells
        assert set(named) <= known(), f"{cells[0]}: {set(named) - known()} is not there"


def test_no_fault_is_told_of_twice() -> None:
    told = sorted(cells[0] for section in SECTIONS for cells in rows(section)[1:])
    assert [one for one, other in pairwise(told) if one == other] == []
