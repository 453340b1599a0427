"""The API's answers and events in words, for the terminal."""

from collections.abc import Mapping
from typing import Any, Final

from daemon.observability.problems import POOR, sentence

NOBODY: Final = "nobody"

REASONS: Final = {
    "skip": "skipped",
    "turn": "turn over",
    "ended": "stream ended",
    "stalled": "picture stood still",
    "returned": "came back",
    "kick": "kicked",
    "low_bitrate": "poor bitrate",
    "moved": "moved up",
    "test": "by hand",
    "lost": "OBS was lost",
    "standby": "made ready",
}
"""Why a hand-over was begun, where the code itself does not say it."""

OUTCOMES: Final = {
    "creation_failed": "could not be created",
    "not_ready": "did not become ready",
    "media_failed": "did not play",
    "stream_ended": "its stream ended",
    "superseded": "no longer wanted",
    "cut_failed": "the cut failed",
    "obs_lost": "OBS was lost",
}
"""How one ended that was not completed."""

LINEUP: Final = {
    "joined": "joined the line-up",
    "left": "left",
    "away": "is away and keeps the place for now",
    "returned": "came back",
    "moved": "was moved",
    "removed": "was removed from the line-up",
    "kicked": "was kicked",
    "blocked": "is kept out",
    "let_in": "may publish again",
    "stalled": "stands still",
    "resumed": "moves again",
    "skipped": "was skipped",
    "turn_ended": "has had the turn",
    "turn_over": "leaves after the turn",
    "leaving": "goes as soon as somebody follows",
    "stays": "stays: its picture stands still and nobody can follow",
    "gone": "has left without a word: no picture came, time and again",
    "turn_changed": "has another length of turn",
    "requeued": "goes to the end of the line-up",
    "too_many_streams": "publishes too many streams at once: the newest are kept",
}

STUDIO_MODE: Final = {
    "leave": ": it is switched off",
    "drive": ": hand-overs go by its transition",
    "hold": ": no hand-over until it is off",
}
"""What is done about studio mode, by obs.studio_mode."""

STANDBY_OFF: Final = {
    "configured": "switched off (sources.standby)",
    "static": "none in mode static",
    "render_lag": "given up for now: OBS renders late",
}
"""Why no standby is made ready."""


def printable(text: object) -> str:
    """Without what would move the cursor, change colours or turn the direction: strangers choose their names."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))


def clock(seconds: float) -> str:
    """83.2 -> 1:23, 3723 -> 1:02:03."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def took(seconds: float) -> str:
    """How long something took: 0.031 -> 31 ms, 2.31 -> 2.31 s."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def ending(row: Mapping[str, Any]) -> str:
    """Why a hand-over was made, or what became of it."""
    outcome, reason = str(row.get("outcome", "")), str(row.get("reason", ""))
    return REASONS.get(reason, _plain(reason)) if outcome == "completed" else OUTCOMES.get(outcome, _plain(outcome))


def program(row: Mapping[str, Any] | None) -> str:
    """What is wrong with what viewers get; empty where nothing is, or nothing is known."""
    if not row:
        return ""
    if row.get("shown") is False:
        return f"not seen: OBS shows {row['scene']}"
    if row.get("blank"):
        return "nothing is shown: its picture has broken off"
    if row.get("held"):
        return "studio mode is on: no hand-over"
    return ""


def tell(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """What an event says, and of what sort it is: air, news, trouble or step."""
    match kind:
        case "state_changed":
            return f"{data['source']} -> {data['dest']}, attempt {data['attempt']}", "step"
        case "handover_ended":
            return _handover(data)
        case "on_air_changed" if data["streamer"]:
            return f"{data['streamer']} is {'still ' if data.get('adopted') else ''}on air", "air"
        case "on_air_changed" if data.get("same_input"):
            return "nobody is on air: the picture has broken off", "trouble"
        case "on_air_changed":
            return "nobody is on air", "trouble"
        case "program_elsewhere":
            clock_stands = ", the turn's clock stands still" if data["clock_stands"] else ""
            return (
                f"viewers do not see {data['streamer'] or NOBODY}: OBS shows {data['scene']}{clock_stands}",
                "trouble",
            )
        case "program_back":
            return f"viewers see {data['streamer'] or 'the scene'} again", "news"
        case "studio_mode_changed":
            done = STUDIO_MODE.get(str(data["policy"]), "") if data["on"] else ""
            return f"OBS's studio mode is {'on' if data['on'] else 'off'}{done}", "trouble" if data["on"] else "news"
        case "lineup_changed":
            return _lineup(str(data["what"]), str(data["streamer"]))
        case "refused":
            return f"refused: {data['message']}", "trouble"
        case "low_bitrate":
            return _low_bitrate(data)
        case "standby_given_up":
            return f"no standby for now: OBS renders {data['render_lag']:.0%} of its frames late", "trouble"
        case "standby_taken_up":
            return "the next one is made ready ahead again", "news"
        case "health_changed" if data["issues"]:
            return f"the stream on air: {', '.join(_plain(str(name)) for name in data['issues'])}", "trouble"
        case "health_changed":
            return "the stream on air plays well again", "news"
        case "orphan_reported":
            return f"{data['input']} could not be removed from OBS, it is swept later", "trouble"
        case "fixture_missing":
            return f"the {data['what']} {data['name']} is not in OBS", "trouble"
        case "fixture_found":
            return f"the {data['what']} {data['name']} is in OBS again", "news"
        case "problem_found":
            return f"{data['streamer']} cannot come on air: {sentence(data['reason'], data['detail'])}", "trouble"
        case "problem_over":
            return f"{data['streamer']} has a picture now", "news"
        case "plugin_failed":
            return "obs-gstreamer shows nothing: OBS's own media source takes its place", "trouble"
        case "plugin_works":
            return "obs-gstreamer shows pictures again", "news"
        case "silence_on_air" if data["step"] == "over":
            return f"{data['streamer']}'s sound is back", "news"
        case "silence_on_air":
            return f"{data['streamer']} has had no sound for {data['seconds']:.0f} s", "trouble"
        case "foreign_inputs_seen":
            return f"another Motherstream ({data['owner']}) uses this prefix or scene in this OBS", "trouble"
        case _:
            return " ".join(filter(None, (_plain(kind), str(data.get("message", ""))))), "news"


def place(
    row: Mapping[str, Any], on_air: Mapping[str, Any] | None, standby: Mapping[str, Any] | None
) -> tuple[str, str]:
    """How it is with one in the line-up, and of what sort that is."""
    grace = row.get("grace_remaining")
    keeps = "" if grace is None else f", keeps the {'turn' if row['has_turn'] else 'place'} for {clock(grace)}"
    if not row["publishing"]:
        return f"away{keeps}", "trouble"
    if row["stalled"]:
        return f"stands still{keeps}", "trouble"
    if on_air and on_air["streamer"] == row["streamer"]:
        return "on air" if row["has_turn"] else "on air, filling in", "air"
    if standby and standby["streamer"] == row["streamer"]:
        return "ready" if standby["ready"] else "buffering", "news"
    if problem := row.get("problem"):
        return str(problem["message"]), "trouble"
    if row["failures"]:
        return "did not play, tried again", "trouble"
    return "waiting", "step"


def _handover(data: Mapping[str, Any]) -> tuple[str, str]:
    before, after = data["from_streamer"] or NOBODY, data["to_streamer"] or NOBODY
    if data["outcome"] == "completed":
        return f"{before} -> {after} in {took(data['seconds'])} ({ending(data)})", "news"
    # A standby that is void because the daemon or OBS was restarted is made anew: nothing was to change.
    standby = (data.get("reason"), data["outcome"]) == ("standby", "obs_lost")
    quiet = standby or data["outcome"] in ("superseded", "stream_ended")
    stays = f", {data['from_streamer']} stays" if data["from_streamer"] else ""
    return f"{after}: {ending(data)}{stays}", "news" if quiet else "trouble"


def _lineup(what: str, streamer: str) -> tuple[str, str]:
    if what in ("held", "released"):
        return f"{what}: {'no turn ends' if what == 'held' else 'turns end'} by the clock", "news"
    return f"{streamer} {LINEUP.get(what, _plain(what))}", "trouble" if what == "stalled" else "news"


def _low_bitrate(data: Mapping[str, Any]) -> tuple[str, str]:
    if data["step"] == "over":
        return f"{data['streamer']}'s bitrate is well again", "news"
    done = POOR.get(str(data["step"]), "")
    return f"{data['streamer']} sends only {data['kbps']:.0f} kbit/s{done}", "trouble"


def _plain(code: str) -> str:
    return code.replace("_", " ")
