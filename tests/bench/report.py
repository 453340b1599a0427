"""The benchmark's report: tables, what each figure is, and which aims were met."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from daemon.obs.sources import FFMPEG
from tests.bench import beside, endurance, probing
from tests.bench.aims import aims, lost
from tests.bench.figures import Result, Spread
from tests.bench.markdown import table
from tests.bench.plots import TITLES, picture

ALONE = "alone"
"""The book of what was measured without a real OBS; the others' names are those OBS's versions."""
BUSY = 2.0
"""The load of the studio alone, at rest, is below that: OBS and three encoders."""

HEAD = """\
# Benchmarks

Written by `make bench` (`ARGS=--full` for 50 hand-overs of each way, `ARGS=--quick` for a look, `ARGS="--only hooks"`
for one part: viewer, rest, hooks, hooks-obs, growth, clients, soak, soak-obs, goes-obs or probe).
`MOTHERSTREAM_OBS_ROOT` lends another OBS than this system's. All ways on one OBS ran in turns, so that what the machine
did beside fell on all of them: take the ratios rather than the figures.
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
- The daemon runs as users run it, keys and all, with `job_delay = 0`, for the distance between hand-overs is not what
  is measured; in one way it is as shipped, and each is asked for once it has passed. **Standby**: the next one was made
  ready ahead. **Cold**: `sources.standby = false`.
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
- **Many hand-overs**: skips, one as soon as the next one is on standby, on a real OBS half a second later; the daemon's
  memory after each, and the straight line of least squares through what it is after the first three tenths.
  `health.history = 60`, for the hour of samples that is kept otherwise grows for an hour. On a real OBS each twenty are
  one recording: a frame that OBS rendered late is repeated, and its sound may be missing, so as many frames more than
  3, and 33 ms of silence more for each, are the machine's.
- **Guests who come and go**: each publishes for 0.05 to 0.9 s, three in ten are skipped meanwhile, half are stopped and
  half killed.
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


def _lines(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield HEAD
    yield "## The aims, and what was measured\n"
    books = books_of(found)
    rows = [(_where(name), *row) for name, book in books for row in aims(_results(book), book)]
    yield from table(("on", "aim", "measured", "met"), rows)
    for name, book in books:
        yield f"\n## {_where(name)}\n"
        yield from _machine(book)
        yield from _book(name, book)
    yield ""
    if any(result.kind == FFMPEG and result.hands for _, book in books for result in _results(book)):
        yield FLOOR
    yield METHOD


def books_of(found: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """The daemon alone at the end, before it each OBS, the oldest first."""
    return sorted(
        found.items(), key=lambda book: (book[0] == ALONE, [int(part) for part in book[0].split(".") if part.isdigit()])
    )


def _where(name: str) -> str:
    return "The daemon alone" if name == ALONE else f"OBS {name}"


def _results(book: Mapping[str, Any]) -> list[Result]:
    return [Result.of(plain) for plain in book.get("viewer", [])]


def _book(name: str, book: Mapping[str, Any]) -> Iterator[str]:
    results = _results(book)
    for kind, title in TITLES.items():
        chosen = [result for result in results if result.kind == kind and result.hands]
        if chosen:
            yield f"\n### Hand-overs with {title}\n"
            yield f"![Hand-overs](benchmarks/{picture(kind, name)}.svg)\n"
            yield from _hand_overs(chosen)
    if book.get("hooks"):
        yield "\n### Hooks under load\n"
        yield f"![Hooks under load](benchmarks/{picture('hooks', name)}.svg)\n"
        yield from _hooks(book["hooks"])
    if book.get("beside"):
        yield from beside.lines(book["beside"])
    if book.get("clients"):
        yield "\n### Clients that nobody needs\n"
        yield from endurance.clients(book["clients"])
    if book.get("soak") or book.get("goes"):
        yield "\n### Many hand-overs\n"
        yield from endurance.soak(book.get("soak") or {}, book.get("goes") or {})
    if book.get("probe"):
        yield "\n### The probe\n"
        yield from probing.lines(book["probe"])
    if book.get("rest") or book.get("growth"):
        yield "\n### At rest, and with a long line-up\n"
        yield from _growth(book.get("rest"), book.get("growth") or [], picture("growth", name))


def _machine(book: Mapping[str, Any]) -> Iterator[str]:
    machine = book["machine"]
    studio = ""
    if "obs" in machine:
        studio = f"OBS {machine['obs']}, obs-websocket {machine['websocket']}, {machine['ingest']}, "
    yield (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB; {studio}"
        f"Python {machine['python']}.\n"
    )
    told = [
        f"{name} {part['began']}, for {part['seconds'] / 60:.0f} min, load {part['load_before']:.1f} before"
        for name, part in book["parts"].items()
    ]
    yield "; ".join(told) + ".\n"
    if max(part["load_before"] for part in book["parts"].values()) > BUSY:
        yield (
            "**Other work shared the cores during this run.** Whatever hangs on CPU time (hooks, the start, frames "
            "late, and the worst of every column) is worse than it is on a machine of its own.\n"
        )


# -- hand-overs ------------------------------------------------------------------------------------------------


def _hand_overs(results: Sequence[Result]) -> Iterator[str]:
    rows = []
    for result in results:
        shown = Spread.of(result.pictures)
        blank = Spread.of([float(hand.blank) for hand in result.hands])
        freeze = Spread.of([hand.freeze for hand in result.hands])
        silence = Spread.of([hand.silence for hand in result.hands])
        rows.append(
            (
                f"**{result.name}**" if result.ours else result.name,
                _count(result),
                "-" if math.isnan(shown.p50) else f"{shown.p50:.0f} / {shown.p95:.0f} / {shown.most:.0f}",
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


def _hooks(row: Mapping[str, Any]) -> Iterator[str]:
    own = f"{row.get('own_cpu', math.nan) * row['rate'] / 10:.0f} %" if "own_cpu" in row else "-"
    told = (
        ("answers a second", f"{row['rate']:,.0f}"),
        ("p50 / p99 / max, ms", f"{row['p50']:.1f} / {row['p99']:.1f} / {row['max']:.0f}"),
        ("not sent in time", f"{row['unsent']:,}"),
        ("refused", f"{row['refused'] + row['broken']}"),
        ("lost", f"{lost(row)}"),
        ("out of order", f"{row['misordered']}"),
        ("hand-overs", f"{row['hand_overs']}"),
        ("request to cut, p50 / max, ms", f"{row['hand_over_p50']:.0f} / {row['hand_over_max']:.0f}"),
        ("daemon's CPU", f"{row['cpu']:.0f} %"),
        ("load's CPU", own),
    )
    yield from table([name for name, _ in told], [[value for _, value in told]])


def _growth(rest: Mapping[str, float] | None, rows: Sequence[Mapping[str, float]], plot: str) -> Iterator[str]:
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
        yield f"![Growth](benchmarks/{plot}.svg)\n"
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
