"""docs/state-machine.md, drawn from the table. ``python -m tests.statemachine.statechart`` writes it anew."""

from pathlib import Path

from statemachine.handover.table import IGNORED, TRANSITIONS, mermaid

PATH = Path(__file__).parents[2] / "docs" / "state-machine.md"

INTRODUCTION = """\
# The state machine

One hand-over at a time. `statemachine/handover/table.py` is the only place where it is written which event leads from
which state to which; this page is drawn from it, and a test keeps it current. `motherstream states` prints the same.

An *attempt* is one try to change the program: a fresh, hidden input is created, its picture is proven, it is cut to
within one frame, and what it leaves behind is removed. Every event of an attempt bears its number: one of an earlier
attempt changes nothing. Which attempt is begun, and when its turn comes, is the director's business: after every event
it compares whom the line-up wants on air with what the program shows, and takes the next legal step towards it.
"""

NEVER = """\
## What never happens

- The one on air is hidden before the incoming is ready.
- More than one own input is shown outside a fade.
- Once quiet, there are more than two own inputs: the one on air and the standby.
- An input on air is removed.
- A stream stays on air that is neither published nor in its grace.

`tests/statemachine/test_properties.py` looks for a way to make it happen all the same.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def transitions_table() -> str:
    """Every row, in the order in which they are tried."""
    lines = ["| from | event | if | to | meaning |", "| --- | --- | --- | --- | --- |"]
    for row in TRANSITIONS:
        cells = (row.source.value, row.event.__name__, row.when.replace("_", " "), row.dest.value, row.meaning)
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def ignored_table() -> str:
    """Every pair that changes nothing, by state and reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for (state, event), why in IGNORED.items():
        reasons.setdefault((state.value, why), []).append(event.__name__)
    lines = ["| in | ignored | because |", "| --- | --- | --- |"]
    for (name, why), events in sorted(reasons.items()):
        lines.append(f"| {name} | {', '.join(sorted(events))} | {_cell(why)} |")
    return "\n".join(lines) + "\n"


def document() -> str:
    """The whole page."""
    return (
        f"{INTRODUCTION}\n"
        f"```mermaid\n{mermaid()}```\n\n"
        f"## What leads where\n\n<!-- transitions -->\n{transitions_table()}<!-- /transitions -->\n\n"
        f"## What changes nothing, and why\n\n<!-- ignored -->\n{ignored_table()}<!-- /ignored -->\n\n"
        f"{NEVER}"
    )


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
