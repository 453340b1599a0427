"""The benchmark's report: tables, what each figure is, and which aims were met."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from daemon.obs.sources import FFMPEG
from tests.bench import beside, endurance
from tests.bench.figures import Result, Spread
from tests.bench.markdown import table
from tests.bench.plots import TITLES

FRAME = 1000 / 30
BUSY = 2.0
"""The load of the studio alone, at rest, is below that: OBS and three encoders."""

HEAD = """\
# Benchmarks

Written by `make bench` (`ARGS=--full` for 50 hand-overs of each way, `ARGS=--quick` for a look, `ARGS="--only hooks"`
for one part: viewer, rest, hooks, hooks-obs, growth, clients, soak or soak-obs). All ways ran on one OBS, in turns, so
that what the machine did beside fell on all of them: take the ratios rather than the figures.
"""

METHOD = """\
## How it was measured

A throw-away studio: OBS under a virtual X server with software rendering, 640x360 at 30 frames a second; three ffmpeg
publishers with a key frame every two seconds, each with a hue and a tone of its own. OBS records itself, and the
recording is read frame by frame and sample by sample.

- **Request to picture**: from the moment before the request (`POST /queue/skip`; the first call of the other ways; the
  end, death or standstill of the publisher on air) to the first frame of the incoming one in the recording. The clock
  and the recording are tied together by a mark that is shown in OBS's own frames before and after; a frame is 33 ms,
  and that is what a single figure is good for. In a fade it is the frame in which the incoming one prevails.
- **Blank, freeze, silence**: the black frames, the longest row of repeated frames and the longest silence from one
  request to the next, so what is done beside a hand-over counts as well. *No hand-over* tells how much of it is the
  machine: a frame that is rendered late is repeated.
- **OBS's CPU** in percent of one core, recording and all.
- The daemon runs as users run it, with `job_delay = 0`, for the distance between hand-overs is not what is measured.
  **Standby**: the next one was made ready ahead. **Cold**: `sources.standby = false`.
- **Hide, wait, show**: hide the outgoing input, create the incoming one, look every 0.5 s until it says `PLAYING`,
  show it. **Restart one input**: a relay copies the stream of the one on air to one URL; the one input that plays it is
  restarted, hidden, awaited and shown. **Change one input's URL**: SetInputSettings on the one that is shown. All three
  use the daemon's own settings for inputs, so that what differs is the way.
- **Hooks**: from a program of its own, over 16 connections on loopback, publish and unpublish in SRS's form; the time
  from a hook's last byte to the answer's, journal included. Lost and out of order are judged afterwards by the line-up,
  the daemon's count of hooks and its log. *Load's CPU* is what the program itself took of a core. The bare handler
  beside which they are measured (`python -m tests.bench.bare`) is a program of its own, too, and has its turns with the
  daemon.
- **Clients that nobody needs** come from a program of their own: connections that say nothing, that dribble a head or
  a body, that ask for the events and read none, and bodies of 10 MB; each comes back when it is ended. Hooks come at
  100 a second meanwhile.
- **Many hand-overs**: skips, one as soon as the next one is on standby; the daemon's memory a hundred times on the
  way, and the straight line of least squares through what it is after the first three tenths. `health.history = 60`,
  for the hour of samples that is kept otherwise grows for an hour.
"""


FLOOR = """\
## What a cold start with OBS's media source is made of

From a skip to the picture, nothing made ready ahead; found with a library between OBS and its plugins that noted every
frame (OBS 29.0.2, FFmpeg 5.1, SRS 5.0.216 on the same machine).

| step | ms | what brings it down |
| --- | --- | --- |
| the daemon decides, and OBS creates the input | 15 to 25 | |
| FFmpeg connects, is sent the last key frame and probes; OBS decodes | 40 to 110 | see below |
| two looks, 50 ms apart at least, between which the picture has moved | 50 to 100 | obs-gstreamer bears no more |
| OBS renders the cut | 20 to 40 | its frame rate |

- `fpsprobesize=0`: FFmpeg does not read on until it knows the frame rate; without it, 0.5 to 1.3 s more.
- `tcp_nodelay=1`: FFmpeg asks for a stream in several small messages, each of which would wait for the answer to the
  one before; without it, 100 to 150 ms more.
- `buffering_mb` above 0: with 0 FFmpeg throws away what it has probed, and the start waits for another key frame.
- `probesize`, `analyzeduration`, `rtmp_live`, `rtmp_buffer` and a fixed `input_format` change nothing that can be told
  from chance.
- What no option changes: OBS drops everything before the first key frame. Where the server keeps none for a newcomer,
  as nginx-rtmp does, the picture waits for the next one: as long as they are apart, at most.
"""


def write_report(found: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_lines(found)).rstrip() + "\n")


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    results = [Result.of(plain) for plain in found.get("viewer", [])]
    yield HEAD
    yield from _machine(found)
    yield "## The aims, and what was measured\n"
    yield from table(("aim", "measured", "met"), list(aims(results, found)))
    for kind, title in TITLES.items():
        chosen = [result for result in results if result.kind == kind and result.hands]
        if chosen:
            yield f"\n## Hand-overs with {title}\n"
            yield from _hand_overs(kind, chosen)
    if found.get("hooks"):
        yield "\n## Hooks under load\n"
        yield from _hooks(found["hooks"])
    if found.get("beside"):
        yield from beside.lines(found["beside"])
    if found.get("clients"):
        yield "\n## Clients that nobody needs\n"
        yield from endurance.clients(found["clients"])
    if found.get("soak"):
        yield "\n## Many hand-overs\n"
        yield from endurance.soak(found["soak"])
    if found.get("rest") or found.get("growth"):
        yield "\n## At rest, and with a long line-up\n"
        yield from _growth(found.get("rest"), found.get("growth") or [])
    yield ""
    if any(result.kind == FFMPEG and result.hands for result in results):
        yield FLOOR
    yield METHOD


def _machine(found: Mapping[str, Any]) -> Iterator[str]:
    machine = found["machine"]
    studio = ""
    if "obs" in machine:
        studio = f"OBS {machine['obs']}, obs-websocket {machine['websocket']}, {machine['ingest']}, "
    yield (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB; {studio}"
        f"Python {machine['python']}.\n"
    )
    told = [
        f"{name} {part['began']}, for {part['seconds'] / 60:.0f} min, load {part['load_before']:.1f} before"
        for name, part in found["parts"].items()
    ]
    yield "; ".join(told) + ".\n"
    if max(part["load_before"] for part in found["parts"].values()) > BUSY:
        yield (
            "**Other work shared the cores during this run.** Whatever hangs on CPU time (hooks, the start, frames "
            "late, and the worst of every column) is worse than it is on a machine of its own.\n"
        )


# -- hand-overs ------------------------------------------------------------------------------------------------


def _hand_overs(kind: str, results: Sequence[Result]) -> Iterator[str]:
    yield f"![Hand-overs](benchmarks/hand-overs-{kind.split('_', maxsplit=1)[0].split('-', maxsplit=1)[0]}.svg)\n"
    rows = []
    for result in results:
        picture = Spread.of(result.pictures)
        blank = Spread.of([float(hand.blank) for hand in result.hands])
        freeze = Spread.of([hand.freeze for hand in result.hands])
        silence = Spread.of([hand.silence for hand in result.hands])
        rows.append(
            (
                f"**{result.name}**" if result.ours else result.name,
                _count(result),
                "-" if math.isnan(picture.p50) else f"{picture.p50:.0f} / {picture.p95:.0f} / {picture.most:.0f}",
                f"{blank.p50:.0f} / {blank.most:.0f}",
                f"{freeze.p50:.0f} / {freeze.most:.0f}",
                f"{silence.p50:.0f} / {silence.most:.0f}",
                f"{result.obs_cpu:.0f} %",
                f"{result.lagged_share * 100:.1f} %",
            )
        )
    head = (
        "way",
        "hand-overs",
        "request to picture, ms: p50 / p95 / max",
        "blank frames: p50 / max",
        "freeze, ms: p50 / max",
        "silence, ms: p50 / max",
        "OBS's CPU",
        "frames late",
    )
    yield from table(head, rows)
    spread = max(block.mark_spread for result in results for block in result.blocks)
    yield f"\nThis project's ways are in bold. The recordings' marks agree to {spread:.0f} ms or better.\n"
    timed = [result for result in results if result.ours and not math.isnan(result.phase("SWAPPING"))]
    if timed:
        yield "Where the daemon's time goes, ms on average, and its own count from the request to the cut:\n"
        yield from table(
            ("way", "CREATING", "BUFFERING", "SWAPPING", "request to cut, p50 / p95"),
            [
                (
                    result.name,
                    *(_plain(result.phase(state)) for state in ("CREATING", "BUFFERING", "SWAPPING")),
                    _own(result),
                )
                for result in timed
            ],
        )


def _count(result: Result) -> str:
    asked = sum(1 for hand in result.hands if hand.to)
    missing = asked - len(result.pictures)
    return str(asked or "-") + (f" ({missing} without a picture)" if missing else "")


def _own(result: Result) -> str:
    own = Spread.of([hand.own for hand in result.hands if hand.own is not None])
    return f"{own.p50:.0f} / {own.p95:.0f}"


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0f}"


# -- the daemon as a server ------------------------------------------------------------------------------------


def _hooks(rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "![Hooks under load](benchmarks/hooks.svg)\n"
    names = {"fake": "a fake OBS, which takes little of the cores", "obs": "the real OBS beside it"}
    yield from table(
        (
            "hand-overs on",
            "answers a second",
            "p50 / p99 / max, ms",
            "not sent in time",
            "refused",
            "lost",
            "out of order",
            "hand-overs",
            "request to cut, p50 / max, ms",
            "daemon's CPU",
            "load's CPU",
        ),
        [
            (
                names[name],
                f"{row['rate']:,.0f}",
                f"{row['p50']:.1f} / {row['p99']:.1f} / {row['max']:.0f}",
                f"{row['unsent']:,}",
                f"{row['refused'] + row['broken']}",
                f"{lost(row)}",
                f"{row['misordered']}",
                f"{row['hand_overs']}",
                f"{row['hand_over_p50']:.0f} / {row['hand_over_max']:.0f}",
                f"{row['cpu']:.0f} %",
                f"{row.get('own_cpu', math.nan) * row['rate'] / 10:.0f} %" if "own_cpu" in row else "-",
            )
            for name, row in rows.items()
        ],
    )


def lost(row: Mapping[str, Any]) -> int:
    """Hooks that were answered and are not in the line-up, the count or the log."""
    uncounted = max(0, int(row["sent"]) - int(row["counted"]))
    return int(row["lineup_wrong"]) + uncounted + abs(int(row["publishes"]) - int(row["logged"]))


def _growth(rest: Mapping[str, float] | None, rows: Sequence[Mapping[str, float]]) -> Iterator[str]:
    if rest:
        yield from table(
            ("", "CPU, % of a core", "memory, MB"),
            [
                ("nobody publishes", f"{rest['empty_cpu']:.2f}", f"{rest['empty_rss']:.0f}"),
                ("one on air, one on standby, both watched", f"{rest['on_air_cpu']:.2f}", f"{rest['on_air_rss']:.0f}"),
            ],
        )
        most = f"{rest['start_max']:.0f} ms"
        yield f"\nFrom its start to its first answer: {rest['start_p50']:.0f} ms, at most {most} in 5 starts.\n"
    if rows:
        yield "![Growth](benchmarks/growth.svg)\n"
        yield from table(
            (
                "streamers queued",
                "memory, MB",
                "CPU at rest, %",
                "start, ms",
                "hook, ms: p50 / p99",
                "GET /status, ms",
                "GET /queue, ms",
                "skip to cut, ms",
            ),
            [
                (
                    f"{row['streamers']:,}",
                    f"{row['rss']:.0f}",
                    f"{row['cpu']:.1f}",
                    f"{row['start_p50']:.0f}",
                    f"{row['hook_p50']:.1f} / {row['hook_p99']:.1f}",
                    f"{row['status_p50']:.1f}",
                    f"{row['queue_p50']:.1f}",
                    f"{row['skip_p50']:.0f}",
                )
                for row in rows
            ],
        )


# -- aims ------------------------------------------------------------------------------------------------------


def aims(results: Sequence[Result], found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each aim, what was measured, and whether that meets it."""
    for result in results:
        if result.ours and result.hands:
            yield from _aims_of(result)
    if hooks := found.get("hooks"):
        for name, row in hooks.items():
            wrong = f"{lost(row)} lost, {row['misordered']} out of order"
            on = "the real OBS on the same cores" if name == "obs" else "a fake OBS"
            yield _aim(
                f"2,000 hooks a second, p99 under 25 ms, none lost or out of order; hand-overs on {on}",
                f"{row['rate']:,.0f} a second, p99 {row['p99']:.1f} ms, {wrong}",
                row["rate"] >= 1990 and row["p99"] < 25 and lost(row) == 0 and row["misordered"] == 0,
            )
    if row := found.get("beside"):
        yield _aim(*beside.aim(row))
    if clients := found.get("clients"):
        yield _aim(*endurance.clients_aim(clients))
    for name, row in (found.get("soak") or {}).items():
        yield _aim(*endurance.soak_aim(name, row))
    if rest := found.get("rest"):
        yield _aim(
            "at rest: under 1 % of a core and 80 MB",
            f"{rest['empty_cpu']:.2f} %, {rest['empty_rss']:.0f} MB; with one on air and one on standby "
            f"{rest['on_air_cpu']:.2f} %, {rest['on_air_rss']:.0f} MB",
            max(rest["empty_cpu"], rest["on_air_cpu"]) < 1 and max(rest["empty_rss"], rest["on_air_rss"]) < 80,
        )


def _aims_of(result: Result) -> Iterator[tuple[str, str, str]]:
    name, hands = f"{result.kind}, {result.name}", result.hands
    picture = Spread.of(result.pictures)
    blanks = sum(hand.blank for hand in hands)
    freeze = max(hand.freeze for hand in hands)
    silence = max(hand.silence for hand in hands)
    check: Callable[[], tuple[str, str, str]] | None = {
        "standby, cut": lambda: _aim(
            f"{name}: p95 under 100 ms, no blank frame, no silence over 40 ms",
            f"p95 {picture.p95:.0f} ms, {blanks} blank, silence to {silence:.0f} ms in {len(hands)} hand-overs",
            picture.p95 < 100 and blanks == 0 and silence <= 40,
        ),
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
