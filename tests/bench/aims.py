"""The aims of the benchmark, and whether what was measured meets them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.bench import beside, endurance, probing
from tests.bench.figures import Result, Spread

FRAME = 1000 / 30
SPACED = "standby, cut, job_delay as shipped"
"""The way that differs from "standby, cut" in nothing but that."""


def lost(row: Mapping[str, Any]) -> int:
    """Hooks that were answered and are not in the line-up, the count or the log."""
    uncounted = max(0, int(row["sent"]) - int(row["counted"]))
    return int(row["lineup_wrong"]) + uncounted + abs(int(row["publishes"]) - int(row["logged"]))


def aims(results: Sequence[Result], found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each aim, what was measured, and whether that meets it."""
    for result in results:
        if result.ours and result.hands:
            yield from _aims_of(result)
    if row := found.get("hooks"):
        wrong = f"{lost(row)} lost, {row['misordered']} out of order"
        yield _aim(
            "2,000 hooks a second, p99 under 25 ms, none lost or out of order, while hand-overs run",
            f"{row['rate']:,.0f} a second, p99 {row['p99']:.1f} ms, {wrong}",
            row["rate"] >= 1990 and row["p99"] < 25 and lost(row) == 0 and row["misordered"] == 0,
        )
    if row := found.get("beside"):
        yield _aim(*beside.aim(row))
    if clients := found.get("clients"):
        yield _aim(*endurance.clients_aim(clients))
    for name, row in (found.get("soak") or {}).items():
        yield _aim(*endurance.soak_aim(name, row))
        if seen := endurance.viewers_aim(name, row):
            yield _aim(*seen)
    for name, row in (found.get("goes") or {}).items():
        yield _aim(*endurance.goes_aim(name, row))
    if probe := found.get("probe"):
        for aim in probing.aims(probe):
            yield _aim(*aim)
    if rest := found.get("rest"):
        yield _aim(
            "at rest: under 1 % of a core and 80 MB; under 0.8 % with two inputs that are watched",
            f"{rest['empty_cpu']:.2f} %, {rest['empty_rss']:.0f} MB; with one on air and one on standby "
            f"{rest['on_air_cpu']:.2f} %, {rest['on_air_rss']:.0f} MB",
            rest["empty_cpu"] < 1 and rest["on_air_cpu"] < 0.8 and max(rest["empty_rss"], rest["on_air_rss"]) < 80,
        )


def _aims_of(result: Result) -> Iterator[tuple[str, str, str]]:
    name, hands = f"{result.kind}, {result.name}", result.hands
    picture = Spread.of(result.pictures)
    blanks = sum(hand.blank for hand in hands)
    freeze = max(hand.freeze for hand in hands)
    silence = max(hand.silence for hand in hands)

    def standby() -> tuple[str, str, str]:
        return _aim(
            f"{name}: p95 under 100 ms, no blank frame, no silence over 40 ms",
            f"p95 {picture.p95:.0f} ms, {blanks} blank, silence to {silence:.0f} ms in {len(hands)} hand-overs",
            picture.p95 < 100 and blanks == 0 and silence <= 40,
        )

    check: Callable[[], tuple[str, str, str]] | None = {
        "standby, cut": standby,
        SPACED: standby,
        "the one on air ends": lambda: _frames(name, freeze, 3, len(hands)),
        "the one on air is killed": lambda: _frames(name, freeze, 3, len(hands)),
        "the one on air freezes": lambda: _aim(
            f"{name}: the picture stands still for less than 700 ms",
            f"to {freeze:.0f} ms in {len(hands)}",
            freeze < 700,
        ),
        "cold, cut": lambda: _aim(
            f"{name}: under 500 ms" if result.kind.startswith("gst") else f"{name}: well below 1.6 s",
            f"p50 {picture.p50:.0f} ms, p95 {picture.p95:.0f} ms",
            picture.p95 < (500 if result.kind.startswith("gst") else 1600),
        ),
    }.get(result.name)
    if check is not None:
        yield check()


def _frames(name: str, freeze: float, frames: int, count: int) -> tuple[str, str, str]:
    return _aim(
        f"{name}: no more than {frames} frozen frames before the next moving picture",
        f"to {freeze / FRAME:.0f} in {count}",
        freeze <= frames * FRAME + 1,
    )


def _aim(aim: str, measured: str, met: bool) -> tuple[str, str, str]:
    return aim, measured, "yes" if met else "**no**"
