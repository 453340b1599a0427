"""``python -m tests.matrix``: makes the roots that are not there yet, and runs each cell on each system.

Exit code 0 where all has passed. A root of sid that cannot be made counts as not run, one of Debian 13 as a failure.
Where this machine is the reason (no permission to mount, no room, no way to the archive) both count as not run.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.matrix import inside
from tests.matrix.cells import CELLS, Count
from tests.matrix.roots import HinderedError, RootError, Roots
from tests.matrix.systems import SYSTEMS, System


def say(line: str) -> None:
    """One line, seen at once."""
    print(line, flush=True)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where roots are kept unless the command line says it: in the user's cache."""
    home = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "motherstream" / "roots"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    asked = parser().parse_args(arguments)
    if (refusal := inside.refusal()) is not None:
        say(f"matrix: not run, for roots take root and the right to mount: {refusal}")
        return 0
    began = time.monotonic()
    late = began + asked.within
    roots = Roots(asked.cache.resolve(), say)
    total, table = Count(), []
    for system in SYSTEMS:
        if asked.only in (None, system.suite):
            count, line = run_system(system, roots, asked, late)
            total += count
            table.append(line)
    say(f"== the matrix after {time.monotonic() - began:.0f} s")
    for line in table:
        say(line)
    if not asked.make:
        say(str(total))
    return 1 if total.failed else 0


def run_system(
    system: System, roots: Roots, asked: argparse.Namespace, late: float = float("inf")
) -> tuple[Count, str]:
    """All cells of one system: their count, and a line that says it. ``late`` is when no optional one is begun."""
    total, results = Count(), []
    if not system.required and time.monotonic() >= late:
        return Count(skipped=1), f"{system.name}: not run, for there was no time left"
    try:
        with roots.held(system, fresh=asked.fresh) as made:
            heading = f"{system.name} (OBS {made.obs}, Python {made.python})"
            for name in () if asked.make else asked.cells:
                if not system.required and time.monotonic() >= late:
                    total += Count(skipped=1)
                    results.append(f"{name} not run, for there was no time left")
                    continue
                say(f"== {heading}: {name}")
                began = time.monotonic()
                count = CELLS[name](made, say, (made.lock,), brief=asked.brief)
                say(f"== {heading}: {name}: {count}, {time.monotonic() - began:.0f} s")
                total += count
                results.append(f"{name} {count}")
            return total, f"{heading}: {'; '.join(results) or made.folder}"
    except RootError as error:
        if system.required and not isinstance(error, HinderedError):
            say(f"matrix: {system.name}: {error}")
            return Count(failed=1), f"{system.name}: its root could not be made"
        first = str(error).splitlines()[0]
        return Count(skipped=1), f"{system.name}: not run, for its root cannot be made: {first}"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--only", choices=[system.suite for system in SYSTEMS], help="this system alone")
    parser.add_argument("--cells", type=cells, default=list(CELLS), metavar="CELL,…", help=f"of {', '.join(CELLS)}")
    parser.add_argument("--brief", action="store_true", help="the part of each cell that CI has time for")
    parser.add_argument("--make", action="store_true", help="make the roots and run nothing")
    parser.add_argument("--fresh", action="store_true", help="make them anew")
    parser.add_argument(
        "--within",
        type=float,
        default=float("inf"),
        metavar="SECONDS",
        help="begin no cell after that on a system that need not be run",
    )
    parser.add_argument("--cache", type=Path, default=cache_folder(os.environ), help="where they are kept")
    return parser


def cells(text: str) -> list[str]:
    """The cells that a list names."""
    names = text.split(",")
    for name in names:
        if name not in CELLS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(CELLS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
