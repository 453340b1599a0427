"""Branch coverage by package, held against the floors in pyproject.toml: ``python -m tests.floors`` after a run with
``--cov``.

A floor only rises: what is well above it is told, for it to be raised.
"""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SLACK: Final = 1.0
"""Per cent above the floor that nobody has to write down."""


def read_floors(pyproject: Path = ROOT / "pyproject.toml") -> dict[str, float]:
    """Per cent by package."""
    floors = tomllib.loads(pyproject.read_text())["tool"]["motherstream"]["coverage"]
    return {str(package): float(floor) for package, floor in floors.items()}


def below(found: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """What has fallen below its floor, a line each."""
    return [
        f"{package}: {found[package]:.2f} % is below the floor of {floor:g} %: more tests are needed"
        for package, floor in floors.items()
        if found[package] < floor
    ]


def above(found: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """What has risen so far that its floor may rise as well."""
    return [
        f"{package}: {found[package]:.2f} % is well above {floor:g} %: raise the floor in pyproject.toml"
        for package, floor in floors.items()
        if found[package] >= floor + SLACK
    ]


def measure(packages: Mapping[str, float]) -> dict[str, float]:
    """Per cent by package, of the run before; what is missing is printed."""
    sys.stdout.write(_report("--skip-covered", "--show-missing"))
    total = ("--format=total", "--precision=2")
    return {package: float(_report(f"--include={package}/*", *total)) for package in packages}


def _report(*arguments: str) -> str:
    command = [sys.executable, "-m", "coverage", "report", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    """0 where all is well."""
    floors = read_floors()
    found = measure(floors)
    for package, cover in found.items():
        sys.stdout.write(f"{package}: {cover:.2f} % of lines and branches, and the floor is {floors[package]:g} %\n")
    wrong = below(found, floors)
    for line in (*above(found, floors), *wrong):
        sys.stderr.write(f"{line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
