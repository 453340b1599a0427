"""The daemon's hooks beside a bare aiohttp handler, in turns on one machine: what durability and the rules cost."""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench import bare
from tests.bench.load import MOST_RATE
from tests.bench.quarters import fake_channel
from tests.bench.serving import program, tell
from tests.bench.stage import NAMES

HALF = 0.5
"""The aim: of the bare handler's rate."""

Row = dict[str, Any]


async def measured(*, turns: int, seconds: float) -> Row:
    """Both are asked as fast as they answer. Turn by turn, so that what the machine does beside falls on both."""
    numbers = ("--rate", f"{MOST_RATE}", "--seconds", f"{seconds:g}")
    async with fake_channel() as channel, bare.running() as port:
        await tell(channel, "on_publish", [(name, f"real-{name}") for name in NAMES])
        await channel.until(lambda status: status["state"] == "STANDBY", 60)
        ours: list[float] = []
        theirs: list[float] = []
        unanswered = 0
        for _ in range(turns):
            for rates, asked in ((ours, channel.port), (theirs, port)):
                row = await program("tests.bench.load", asked, *numbers)
                rates.append(row["rate"])
                unanswered += row["refused"] + row["broken"]
    return {"daemon": ours, "bare": theirs, "unanswered": unanswered, "seconds": seconds}


def ratios(row: Mapping[str, Any]) -> list[float]:
    """The daemon's rate as a share of the bare handler's, of each turn, the least first."""
    return sorted(daemon / other for daemon, other in zip(row["daemon"], row["bare"], strict=True))


def told(row: Mapping[str, Any]) -> str:
    """In a line."""
    found = ratios(row)
    ours, theirs = statistics.median(row["daemon"]), statistics.median(row["bare"])
    return (
        f"{statistics.median(found):.2f} of it ({found[0]:.2f} to {found[-1]:.2f} in {len(found)} turns of "
        f"{row['seconds']:g} s): {ours:,.0f} a second against {theirs:,.0f}"
    )


def lines(row: Mapping[str, Any]) -> Iterator[str]:
    """For the report."""
    yield (
        "\nBeside a bare aiohttp handler, which reads the JSON, answers and remembers nothing, both asked as fast as "
        f"they answer, the daemon's rate is {told(row)}. Each hook that it has answered is in its journal.\n"
    )


def aim(row: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Whether it is half of it."""
    return (
        "hooks, each in the journal before it is answered: half of a bare aiohttp handler's rate",
        f"{told(row)}, {row['unanswered']} not answered",
        statistics.median(ratios(row)) >= HALF and not row["unanswered"],
    )
