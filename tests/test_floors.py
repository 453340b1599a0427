"""The floors of coverage are held."""

from pathlib import Path

from tests.floors import above, below, read_floors

FLOORS = {"rules": 90.0, "shell": 80.0}


def test_what_falls_below_its_floor_is_told_of() -> None:
    assert below({"rules": 89.99, "shell": 80.0}, FLOORS) == [
        "rules: 89.99 % is below the floor of 90 %: more tests are needed"
    ]


def test_what_has_risen_well_above_its_floor_is_told_of() -> None:
    assert above({"rules": 91.0, "shell": 80.99}, FLOORS) == [
        "rules: 91.00 % is well above 90 %: raise the floor in pyproject.toml"
    ]


def test_the_floors_are_read_from_the_projects_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.motherstream.coverage]\nrules = 90\nshell = 80.0\n")
    assert read_floors(tmp_path / "pyproject.toml") == FLOORS


def test_the_rules_and_the_shell_have_floors() -> None:
    floors = read_floors()
    assert floors["statemachine"] > 90
    assert floors["daemon"] > 80
    assert len(floors) == 2
