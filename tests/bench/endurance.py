"""The report's share of what the daemon has to endure: clients that nobody needs, and many hand-overs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.markdown import table

HOOK_MS = 250.0
GROWN_MB = 50.0
RISE_MB = 1.0
"""Of the daemon, over the whole soak: its rings of events and of health samples are still being filled."""
OBS_RISE_MB = 10.0

Row = Mapping[str, Any]
Aim = tuple[str, str, bool]

NAMES = {"fake": "a fake OBS", "ffmpeg_source": "OBS, ffmpeg_source", "gstreamer-source": "OBS, obs-gstreamer"}


def clients(row: Row) -> Iterator[str]:
    """What became of them, and of the hooks beside them."""
    crowd, hooks = row["crowd"], row["hooks"]
    yield from table(
        ("clients", "opened", "ended by the daemon"),
        [(name, f"{opened:,}", f"{crowd['ended'].get(name, 0):,}") for name, opened in crowd["opened"].items()],
    )
    answers = ", ".join(f"{status} ({count:,})" for status, count in sorted(crowd["statuses"].items()))
    yield (
        f"\nThe {crowd['long_bodies']:,} bodies of 10 MB were answered {answers or 'with nothing'}, after "
        f"{crowd['sent_most'] / 1e6:.1f} MB at most. Hooks beside them: p50 {hooks['p50']:.1f} ms, p99 "
        f"{hooks['p99']:.1f} ms, at most {hooks['max']:.0f} ms (p99 {row['alone_p99']:.1f} ms without those clients). "
        f"Memory: {row['rss_before']:.0f} MB before, {row['rss_most']:.0f} MB at most. The daemon's CPU: "
        f"{row['cpu']:.0f} %.\n"
    )


def clients_aim(row: Row) -> Aim:
    """Whether hooks are answered all the same, and what it costs."""
    hooks, grown = row["hooks"], row["rss_most"] - row["rss_before"]
    unanswered = hooks["refused"] + hooks["broken"]
    return (
        "500 idle or dribbling connections and 10 MB bodies: hooks with a p99 under 250 ms, less than 50 MB more",
        f"p99 {hooks['p99']:.0f} ms, {unanswered} without an answer, {grown:.0f} MB more",
        hooks["p99"] < HOOK_MS and grown < GROWN_MB and not unanswered,
    )


def soak(rows: Mapping[str, Row]) -> Iterator[str]:
    """Many hand-overs."""
    yield from table(
        (
            "hand-overs on",
            "asked for",
            "completed",
            "inputs at most / left",
            "orphans",
            "memory, MB: at the end / risen by",
            "OBS's memory, MB: at the end / risen by",
            "open files: first / last",
        ),
        [
            (
                NAMES.get(name, name),
                f"{row['asked']:,}",
                f"{row['completed']:,.0f}",
                f"{row['most_inputs']} / {row['left']}",
                f"{row['orphans']:.0f}",
                f"{row['rss']:.1f} / {row['rss_rise']:.2f}",
                "-" if row["obs_rss"] is None else f"{row['obs_rss']:.0f} / {row['obs_rss_rise']:.1f}",
                f"{row['files'][0]} / {row['files'][1]}",
            )
            for name, row in rows.items()
        ],
    )
    yield ""


def soak_aim(name: str, row: Row) -> Aim:
    """Whether all was done, and nothing stayed behind."""
    done = row["completed"] >= row["asked"] and row["orphans"] == 0 and row["left"] <= 2
    level = row["rss_rise"] < RISE_MB and (row["obs_rss_rise"] or 0.0) < OBS_RISE_MB
    also = "" if row["obs_rss_rise"] is None else f", OBS {row['obs_rss_rise']:.1f} MB"
    return (
        f"{row['asked']:,} hand-overs on {NAMES.get(name, name)}: no orphan, and no growth of memory "
        f"(a straight line rises by less than {RISE_MB:g} MB)",
        f"{row['completed']:,.0f} completed, {row['orphans']:.0f} orphans, {row['left']} inputs left; the daemon "
        f"rises by {row['rss_rise']:.2f} MB{also}",
        done and level,
    )
