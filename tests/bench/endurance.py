"""The report's share of what the daemon has to endure: clients that nobody needs, and many hand-overs."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.markdown import table

HOOK_MS = 250.0
GROWN_MB = 50.0
RISE_MB = 1.0
"""Of the daemon, over the whole soak: its rings of events and of health samples are still being filled."""
OBS_RISE_MB = 10.0
FROZEN = 3
SILENT_MS = 60.0
FRAME_MS = 1000 / 30

Row = Mapping[str, Any]
Aim = tuple[str, str, bool]

NAMES = {"fake": "a fake OBS", "ffmpeg_source": "ffmpeg_source", "gstreamer-source": "obs-gstreamer"}


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


def soak(soaks: Mapping[str, Row], goes: Mapping[str, Row]) -> Iterator[str]:
    """Many hand-overs, and guests who come and go."""
    rows = [(_name(name), row) for name, row in soaks.items()]
    rows += [(f"{_name(name)}: guests who come and go", row) for name, row in goes.items()]
    yield from table(
        (
            "on",
            "hand-overs or guests",
            "completed hand-overs",
            "request to cut, p50 / p95, ms",
            "seen by viewers",
            "inputs at most / left",
            "orphans",
            "memory, MB: at the end / risen by",
            "OBS's memory, MB: at the end / risen by",
            "open files: first / last",
        ),
        [
            (
                name,
                f"{row['asked']:,}",
                f"{row['completed']:,.0f}",
                "-" if math.isnan(row["seconds_p50"]) else _both(row),
                viewers(row) or "-",
                f"{row['most_inputs']} / {row['left']}",
                f"{row['orphans']:.0f}",
                f"{row['rss']:.1f} / {row['rss_rise']:.2f}",
                "-" if row["obs_rss"] is None else f"{row['obs_rss']:.0f} / {row['obs_rss_rise']:.1f}",
                f"{row['files'][0]} / {row['files'][1]}",
            )
            for name, row in rows
        ],
    )
    yield ""


def _both(row: Row) -> str:
    return f"{row['seconds_p50'] * 1000:.0f} / {row['seconds_p95'] * 1000:.0f}"


def _name(name: str) -> str:
    return NAMES.get(name, name)


def soak_aim(name: str, row: Row) -> Aim:
    """Whether all was done, and nothing stayed behind."""
    done = row["completed"] >= row["asked"] and row["orphans"] == 0 and row["left"] <= 2
    level = row["rss_rise"] < RISE_MB and (row["obs_rss_rise"] or 0.0) < OBS_RISE_MB
    also = "" if row["obs_rss_rise"] is None else f", OBS {row['obs_rss_rise']:.1f} MB"
    return (
        f"{row['asked']:,} hand-overs on {_name(name)}: no orphan, and no growth of memory "
        f"(a straight line rises by less than {RISE_MB:g} MB)",
        f"{row['completed']:,.0f} completed, {row['orphans']:.0f} orphans, {row['left']} inputs left; the daemon "
        f"rises by {row['rss_rise']:.2f} MB{also}",
        done and level,
    )


# -- what viewers saw of it ------------------------------------------------------------------------------------


def beyond(piece: Row) -> tuple[int, float]:
    """Frozen frames over 3, and milliseconds of silence over 60, that the late frames of a recording do not explain."""
    late = piece["late"]
    return max(0, piece["freeze"] - FROZEN - late), max(0.0, piece["silence"] - SILENT_MS - late * FRAME_MS)


def viewers(row: Row) -> str:
    """What the recordings show, in a line; empty where there are none."""
    pieces = row.get("pieces") or ()
    if not pieces:
        return ""
    blank, late = sum(piece["blank"] for piece in pieces), sum(piece["late"] for piece in pieces)
    return (
        f"{blank} blank, frozen to {max(piece['freeze'] for piece in pieces)} frames, silence to "
        f"{max(piece['silence'] for piece in pieces):.0f} ms; {late} of {sum(piece['frames'] for piece in pieces):,} "
        "frames late"
    )


def viewers_aim(name: str, row: Row) -> Aim | None:
    """Whether they saw a gap; None where nothing was recorded."""
    pieces = row.get("pieces") or ()
    if not pieces:
        return None
    over = [beyond(piece) for piece in pieces]
    frozen, silent = sum(1 for frames, _ in over if frames), sum(1 for _, ms in over if ms)
    return (
        f"{row['asked']:,} hand-overs on {_name(name)}: 0 blank frames, none frozen over {FROZEN} and no silence over "
        f"{SILENT_MS:.0f} ms that late frames do not explain",
        f"{viewers(row)}; {frozen} and {silent} of {len(pieces)} recordings beyond that",
        not frozen and not silent and not any(piece["blank"] for piece in pieces),
    )


def goes_aim(name: str, row: Row) -> Aim:
    """Whether OBS outlives guests who come and go."""
    return (
        f"{row['asked']:,} guests who come and go on {_name(name)}: OBS alive, no blank frame, no input left behind",
        f"OBS {'alive' if row['alive'] else 'ended'}, {viewers(row)}; {row['left']} inputs left",
        bool(row["alive"]) and row["left"] <= 2 and not any(piece["blank"] for piece in row["pieces"]),
    )
