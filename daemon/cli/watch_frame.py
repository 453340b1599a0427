"""What ``motherstream watch`` draws: one frame, from what was read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from daemon.config.types import FIRST_CHANNEL
from daemon.observability.wording import (
    NOBODY,
    STANDBY_OFF,
    TROUBLE_BELOW,
    clock,
    ending,
    place,
    printable,
    program,
    took,
)

STYLES: Final = {"air": "bold red", "trouble": "yellow", "news": "", "step": "dim"}
"""Red is on air and nothing else, as on the page."""
SHORT: Final = 0.1
"""The share of a turn that counts as its end."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One event that was told."""

    time: str
    text: str
    sort: str


@dataclass(slots=True)
class Model:
    """What is known, and since when."""

    address: str
    status: Row = field(default_factory=dict)
    queue: Sequence[Row] = ()
    checks: Row = field(default_factory=dict)
    stream: Row = field(default_factory=dict)
    """``/stream-health/current``, where the daemon has it."""
    history: Sequence[Row] = ()
    lines: Sequence[Line] = ()
    """Newest first."""
    age: float = 0.0
    """Seconds since it was read."""
    buffering: float = 0.0
    """Seconds that the input has been seen to buffer."""
    lost: str = ""
    """Why there is no connection; empty where there is one."""


class Frame:
    """A renderable: as high as the console, or as high as it likes where ``height`` is None."""

    def __init__(self, model: Model, height: int | None = None) -> None:
        self._model = model
        self._height = height

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        model = self._model
        if not model.status:
            yield _header(model)
            return
        wide = options.max_width >= 96
        low = not wide and self._height is not None and self._height < 36
        used = 14 if wide else 21 if low else 28
        rows = 8 if self._height is None else max(2, self._height - used)
        yield _header(model)
        yield _health(model, options.ascii_only)
        if wide:
            columns = _columns((3, 2))
            left: list[RenderableType] = [_on_air(model), _standby(model)]
            if self._height is None and not model.lines:
                columns.add_row(Group(*left), _lineup(model, 7, fill=True))
                yield columns
                yield _history(model, rows)
                return
            # Both sides end on one line: what the line-up does not take, the last hand-overs do.
            both = rows + 7
            names = max(7, min(len(model.queue), both - min(5, rows)))
            right = Group(_lineup(model, names, fill=True), _history(model, both - names))
            columns.add_row(Group(*left, _events(model, rows)), right)
            yield columns
        else:
            yield from (_on_air(model), _standby(model), _lineup(model, 4 if low else 6))
            if not low:
                yield _history(model, 3)
            if model.lines or self._height is not None:
                yield _events(model, rows)


def _header(model: Model) -> RenderableType:
    status = model.status
    left = Text("MOTHERSTREAM", style="bold")
    if status:
        if (channel := status.get("channel", FIRST_CHANNEL)) != FIRST_CHANNEL:
            left.append(f"  {printable(channel)}", style="bold")
        left.append(f"  {status['state']}", style="reverse" if not model.lost else "dim reverse")
        left.append(f" attempt {status['attempt']}", style="dim")
        if status["held"]:
            left.append("  held", style="yellow")
    if model.lost:
        # What to do about it, the client command says: here it is retried.
        why = printable(model.lost.partition("): ")[0] + ")" if "): " in model.lost else model.lost)
        left.append(f"\nno connection: {why}; retrying", style="yellow")
    return _ends(left, Text(model.address, style="dim"))


def _health(model: Model, ascii_only: bool) -> RenderableType:
    well, ill = ("ok", "!!") if ascii_only else ("✓", "✗")
    text = Text(overflow="fold")
    obs = model.status["obs"]
    checks = dict(model.checks)
    checks.setdefault("obs", {"ok": obs["connected"], "detail": "" if obs["connected"] else "not connected"})
    for name, check in checks.items():
        version = f" {obs['version']}" if name == "obs" and obs["connected"] and obs["version"] else ""
        detail = f": {check['detail']}" if check["detail"] and not check["ok"] else ""
        shown = "OBS" if name == "obs" else name.replace("_", " ")
        style = "dim" if check["ok"] else STYLES["trouble"]
        text.append(f"{well if check['ok'] else ill} {printable(shown + version + detail)}   ", style=style)
    score = model.stream.get("score")
    if isinstance(score, int | float):
        issues = ", ".join(str(name).replace("_", " ") for name in model.stream.get("issues", ()))
        shown = f"stream {int(score)} of 100{': ' if issues else ''}{issues}"
        good = score >= TROUBLE_BELOW
        text.append(f"{well if good else ill} {printable(shown)}", "dim" if good else STYLES["trouble"])
    return text


def _on_air(model: Model) -> Panel:
    on_air, amiss = model.status["on_air"], program(model.status.get("program"))
    if on_air is None:
        own = (model.status.get("program") or {}).get("input")
        nameless = own and not (model.status.get("program") or {}).get("blank")
        who = f"unknown streamer in {printable(own)}" if nameless else "nobody is on air"
        return _panel("off air", Text(who, style="dim"), Text(printable(amiss), STYLES["trouble"]), Text(""))
    name = Text(printable(on_air["streamer"]), style="bold")
    if amiss:
        name.append(f"  {printable(amiss)}", style=STYLES["trouble"])
    place_of = Text(f"for {clock(on_air['seconds'] + model.age)}  {printable(on_air['input'])}", style="dim")
    if on_air["remaining"] is None:
        return _panel("ON AIR", name, place_of, Text("filling in"), style="red")
    left = max(0.0, on_air["remaining"] - model.age)
    length = next((row["turn"] for row in model.queue if row["streamer"] == on_air["streamer"]), 0.0) or max(left, 1.0)
    style = "yellow" if left < SHORT * length else "default"
    bar = ProgressBar(total=length, completed=min(length, left), complete_style=style, finished_style=style)
    what = "held" if model.status["held"] else "left"
    return _panel("ON AIR", name, place_of, _ends(bar, Text(f"{clock(left)} {what}")), style="red")


def _standby(model: Model) -> Panel:
    standby, on_air = model.status["standby"], model.status["on_air"]
    if standby is None:
        waiting = (
            row for row in model.queue if row["publishing"] and row["streamer"] != (on_air or {}).get("streamer")
        )
        following = next(waiting, None)
        said = Text("nobody is waiting", style="dim")
        if following is not None:
            off = model.status.get("standby_off")
            why = f"standby {STANDBY_OFF.get(off['reason'], off['reason'])}" if off else "not ready yet"
            said = Text.assemble(printable(following["streamer"]), (f"  next, {printable(why)}", "dim"))
        return _panel("standby", said, Text(""))
    name = Text.assemble((printable(standby["streamer"]), "bold"), (f"  {printable(standby['input'])}", "dim"))
    if standby["ready"]:
        full = ProgressBar(total=1, completed=1, finished_style="default")
        return _panel("standby", name, _ends(full, Text("ready")))
    # How long it will take is not known: the bar shows that something goes on, the clock for how long.
    bar = ProgressBar(total=None, pulse=True, pulse_style="default", animation_time=model.buffering)
    return _panel("standby", name, _ends(bar, Text(f"buffering {model.buffering:.1f} s")))


def _lineup(model: Model, most: int, *, fill: bool = False) -> Panel:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(justify="right", style="dim", width=3)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", no_wrap=True)
    shown = model.queue[:most] if len(model.queue) <= most else model.queue[: most - 1]
    for row in shown:
        text, sort = place(row, model.status["on_air"], model.status["standby"])
        table.add_row(str(row["position"]), Text(printable(row["streamer"])), Text(text, style=STYLES[sort]))
    if len(model.queue) > len(shown):
        table.add_row("", Text(f"and {len(model.queue) - len(shown)} more", style="dim"), "")
    if not model.queue:
        table.add_row("", Text("empty: it fills as streamers publish", style="dim"), "")
    return _panel(f"line-up {len(model.queue) or ''}".rstrip(), table, height=most + 2 if fill else None)


def _history(model: Model, rows: int) -> Panel:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    for row in model.history[:rows]:
        done = row["outcome"] == "completed"
        names = f"{row['from_streamer'] or NOBODY} -> {row['to_streamer'] or NOBODY}"
        text = Text.assemble(printable(names), (f"  {ending(row)}", "dim" if done else STYLES["trouble"]))
        table.add_row(text, took(row["seconds"]))
    if not model.history:
        table.add_row(Text("none yet", style="dim"), "")
    return _panel("last hand-overs", table, height=rows + 2)


def _events(model: Model, rows: int) -> Panel:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for line in model.lines[:rows]:
        table.add_row(line.time, Text(printable(line.text), style=STYLES[line.sort]))
    if not model.lines:
        table.add_row("", Text("nothing has happened since", style="dim"))
    return _panel("events", table, height=rows + 2)


# --- building blocks -----------------------------------------------------------------------------------------


def _panel(title: str, *parts: RenderableType, style: str = "dim", height: int | None = None) -> Panel:
    return Panel(
        Group(*parts), title=Text(title), title_align="left", border_style=style, height=height, padding=(0, 1)
    )


def _columns(ratios: Iterable[int]) -> Table:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    for ratio in ratios:
        table.add_column(ratio=ratio)
    return table


def _ends(left: RenderableType, right: Text) -> Table:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    table.add_row(left, right)
    return table
