"""What events, states and reasons say: each sentence once, for the log, notifications, the terminal and the page.

A sentence is data, so that the page has the same ones (``for_page``): ``{field}`` is a value of the event,
``{field|text}`` says what stands for an empty one, ``{field:form}`` names a form of FORMS, and ``[…]`` is left out
where its value is empty.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from daemon.observability.problems import CODECS, SENTENCES, WITH_DETAIL, codec
from daemon.observability.sentence import Sentence, Sort
from daemon.observability.wording_lineup import BY, LINEUP, PLACES
from daemon.observability.wording_quality import apart, quality, quieter, weak
from statemachine import facts
from statemachine.events import Actor
from statemachine.monitors.quantities import QUANTITIES

NOBODY: Final = "nobody"
TROUBLE_BELOW: Final = 70
"""A health score below this is told as trouble."""

REASONS: Final = {
    "skip": "skipped",
    "turn": "turn over",
    "ended": "stream ended",
    "stalled": "picture stalled",
    "returned": "came back",
    "kick": "kicked",
    "low_bitrate": "low bitrate",
    "quality": "sound or picture",
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

ACTORS: Final = {"local": "on this machine", "token": "with the token", "sign-in": "from the dashboard"}
"""From where a request came that nobody's name is known of."""

UNITS: Final = {name: quantity.unit for name, quantity in QUANTITIES.items()}
"""Of what is measured."""

STUDIO_MODE: Final = {
    "leave": "the daemon switches it off",
    "drive": "hand-overs use its transition",
    "hold": "no hand-over until it is switched off",
}
"""What is done about studio mode, by obs.studio_mode."""

STANDBY_OFF: Final = {
    "configured": "switched off (sources.standby)",
    "static": "not available in mode static",
    "render_lag": "suspended: OBS renders late",
}
"""Why no standby is made ready."""

FIXTURES: Final = {"slate": "the slate", "input": "the input of mode static", "template": "the template"}
"""What the configuration names in OBS."""

NAMES: Final = frozenset({"streamer", "from_streamer", "to_streamer", "scene", "input", "name"})
"""Fields that hold names, which strangers choose: each outlet shows them in its own way."""


_CANNOT = "{streamer} cannot come on air"


def _problems() -> Iterator[Sentence]:
    for reason, text in SENTENCES.items():
        why = text.replace("{what}", "{detail:codec}" if reason == "codec" else "the scene {detail}")
        detail = "[ ({detail})]" if reason in WITH_DETAIL else ""
        yield Sentence("problem_found", f"{_CANNOT}: {why}{detail}", "trouble", {"reason": reason})
    yield Sentence("problem_found", f"{_CANNOT}: {{reason:words}}", "trouble")


def _line_up() -> Iterator[Sentence]:
    for what, text in LINEUP.items():
        yield Sentence("lineup_changed", text, "trouble" if what == "stalled" else "news", {"what": what})
    yield Sentence("lineup_changed", "{streamer} {what:words}")


_GIVEN_UP = "{to_streamer|nobody}: {outcome:outcome}[, {from_streamer} stays]"
_POOR = "{streamer} sends only {kbps:whole} kbit/s"
_UNSEEN = "viewers do not see {streamer|the show}: OBS's Program shows the scene '{scene}'"
_MODE_ON = "OBS's studio mode is on"

EVENTS: Final = (
    Sentence("state_changed", "{source} -> {dest}, {event:words}, attempt {attempt}", "step"),
    Sentence(
        "handover_ended",
        "{from_streamer|nobody} -> {to_streamer|nobody} in {seconds:took} ({reason:reason}[, {actor:actor}])",
        when={"outcome": "completed"},
    ),
    Sentence(
        "handover_ended",
        "the show could not go on: OBS did not change the picture",
        "trouble",
        {"outcome": "cut_failed", "to_streamer": False},
    ),
    # A standby that is void because the daemon or OBS was restarted is made anew: nothing was to change.
    Sentence("handover_ended", _GIVEN_UP, when={"outcome": "obs_lost", "reason": "standby"}),
    Sentence("handover_ended", _GIVEN_UP, when={"outcome": "superseded"}),
    Sentence("handover_ended", _GIVEN_UP, when={"outcome": "stream_ended"}),
    Sentence("handover_ended", _GIVEN_UP, "trouble"),
    Sentence("on_air_changed", "{streamer} is still on air", "air", {"streamer": True, "adopted": True}),
    Sentence("on_air_changed", "{streamer} is on air", "air", {"streamer": True}),
    Sentence("on_air_changed", "nobody is on air: the picture was lost", "trouble", {"same_input": True}),
    Sentence("on_air_changed", "nobody is on air", "trouble"),
    Sentence("program_elsewhere", f"{_UNSEEN}; the turn clock is paused", "trouble", {"clock_stands": True}),
    Sentence("program_elsewhere", _UNSEEN, "trouble"),
    Sentence("program_back", "viewers see {streamer|the show} again"),
    Sentence("studio_mode_changed", "OBS's studio mode is off", when={"on": False}),
    *(
        Sentence("studio_mode_changed", f"{_MODE_ON}: {done}", "trouble", {"policy": policy})
        for policy, done in STUDIO_MODE.items()
    ),
    Sentence("studio_mode_changed", _MODE_ON, "trouble"),
    *_line_up(),
    Sentence("setting_made", f"{{name}} is now {{value:value}}{BY}"),
    Sentence("refused", f"refused: {{message}}{BY}", "trouble"),
    Sentence("low_bitrate", "{streamer}'s bitrate has recovered", when={"step": "over"}),
    Sentence("low_bitrate", f"{_POOR}: the slate is shown until it recovers", "trouble", {"step": "slate"}),
    Sentence("low_bitrate", f"{_POOR}: the next one follows", "trouble", {"step": "skip"}),
    Sentence("low_bitrate", f"{_POOR}: kicked", "trouble", {"step": "kick"}),
    Sentence("low_bitrate", _POOR, "trouble"),
    *quality(),
    Sentence(
        "standby_given_up", "standby is suspended: OBS renders {render_lag:percent} of its frames late", "trouble"
    ),
    Sentence("standby_taken_up", "standby has resumed: the next streamer is made ready ahead of time again"),
    Sentence("health_changed", "health of the stream on air: {issues:words}", "trouble", {"issues": True}),
    Sentence("health_changed", "the stream on air has recovered"),
    *_problems(),
    Sentence("problem_over", "{streamer} is publishing again", when={"reason": "republish"}),
    Sentence("problem_over", "{streamer} has a picture now"),
    Sentence("plugin_failed", "obs-gstreamer shows no picture: OBS's own media source takes its place", "trouble"),
    Sentence("plugin_works", "obs-gstreamer shows pictures again"),
    Sentence("orphan_reported", "OBS did not remove the input '{input}': retrying later", "trouble"),
    Sentence("fixture_missing", "{what:fixture} '{name}' is not in OBS: the show goes on without it", "trouble"),
    Sentence("fixture_found", "{what:fixture} '{name}' is in OBS again"),
    Sentence(
        "foreign_inputs_seen",
        "another Motherstream ({owner}) uses this prefix or scene in this OBS: stop it, or give each its own",
        "trouble",
    ),
)
"""All that is told, in the words of all outlets."""


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
    why = REASONS.get(reason, _plain(reason)) if outcome == "completed" else OUTCOMES.get(outcome, _plain(outcome))
    actor = row.get("actor")
    return f"{why}, {asked_by(actor)}" if actor else why


def asked_by(actor: Actor | Mapping[str, Any]) -> str:
    """By whom, or from where: "by nadia", "from the dashboard"."""
    kind, name = (actor.kind, actor.name) if isinstance(actor, Actor) else (str(actor["kind"]), str(actor["name"]))
    return f"by {printable(name)}" if name else ACTORS.get(kind, f"by {_plain(kind)}")


def program(row: Mapping[str, Any] | None) -> str:
    """What is wrong with what viewers get; empty where nothing is, or nothing is known."""
    if not row:
        return ""
    if row.get("shown") is False:
        return f"not seen: OBS shows {row['scene']}"
    if row.get("blank"):
        return "nothing is shown: its picture was lost"
    if row.get("held"):
        return "studio mode is on: no hand-over"
    return ""


def describe(kind: str, data: Mapping[str, Any], name: Callable[[str], str] = str) -> tuple[str, Sort]:
    """What an event says, and of what sort it is; ``name`` shows a name as the outlet shows names."""
    what = data.get("what")
    for sentence in _candidates(kind, what if isinstance(what, str) else None):
        if all(_holds(data.get(key), wanted) for key, wanted in sentence.when.items()):
            return "".join([_filled(part, data, name) for part in _parts(sentence.text)]), sentence.sort
    return " ".join(filter(None, (_plain(kind), str(data.get("message", ""))))), "news"


def describe_fact(fact: facts.Fact, name: Callable[[str], str] = str) -> str:
    """What a fact says."""
    names = _fields(type(fact))  # type: ignore[arg-type]  # a class can be looked up, whatever its instances can
    return describe(kind_of(type(fact)), {each: getattr(fact, each) for each in names}, name)[0]


@cache
def _fields(fact: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(fact))


def kind_of(fact: type[facts.Fact]) -> str:
    """The name under which such facts are told: ``state_changed`` for a StateChanged."""
    return _snake(fact.__name__)


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def span(seconds: float) -> str:
    """A length of time as people say it: "30 seconds", "5 minutes", "2 hours"."""
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length or round(seconds) == length:
            count = round(seconds / length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    count = round(seconds)
    return f"{count} second{'' if count == 1 else 's'}"


def place(
    row: Mapping[str, Any], on_air: Mapping[str, Any] | None, standby: Mapping[str, Any] | None
) -> tuple[str, str]:
    """How it is with one in the line-up, and of what sort that is."""
    name, problem = row["streamer"], row.get("problem")
    ready = bool(standby and standby["streamer"] == name and standby["ready"])
    buffering = bool(standby and standby["streamer"] == name and not standby["ready"])
    data = {
        **row,
        "on_air": bool(on_air and on_air["streamer"] == name),
        "standby": "ready" if ready else "buffering" if buffering else "",
        "problem": problem["message"] if problem else "",
        "keeps": "turn" if row["has_turn"] else "place",
        "turn": None,
    }
    return describe("place", data)


def _plain(code: str) -> str:
    return code.replace("_", " ")


def _words(value: object) -> str:
    each = value if isinstance(value, list | tuple) else (value,)
    plain = (re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _plain(str(one))).lower() for one in each)
    return re.sub(r"\bobs\b", "OBS", ", ".join(plain))


def _value(value: object) -> str:
    """As the configuration has it: 900 rather than 900.0, true rather than True."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


FORMS: Final[Mapping[str, Callable[[Any], str]]] = {
    "took": took,
    "span": span,
    "clock": clock,
    "whole": lambda value: f"{value:.0f}",
    "percent": lambda value: f"{value:.0%}",
    "words": _words,
    "value": _value,
    "unit": lambda value: UNITS.get(value, ""),
    "reason": lambda value: REASONS.get(value, _plain(value)),
    "outcome": lambda value: OUTCOMES.get(value, _plain(value)),
    "fixture": lambda value: FIXTURES.get(value, f"the {value}"),
    "actor": asked_by,
    "codec": codec,
    "quieter": quieter,
    "weak": weak,
    "apart": apart,
}
"""How a value is written; the page has the same forms."""

_ALL: Final = (*EVENTS, *PLACES)
_BY_KIND: Final = {each.kind: tuple(other for other in _ALL if other.kind == each.kind) for each in _ALL}
_VALUE: Final = re.compile(r"\{(\w+)(?:\|([^}]*))?(?::(\w+))?\}")


def _holds(value: object, wanted: object) -> bool:
    return bool(value) is wanted if isinstance(wanted, bool) else value == wanted


@lru_cache(maxsize=256)
def _candidates(kind: str, what: str | None) -> tuple[Sentence, ...]:
    """The sentences of a kind that are not about another ``what``: each hook has one told, out of some thirty."""
    return tuple(each for each in _BY_KIND.get(kind, ()) if each.when.get("what", what) in (what, True, False))


class _Value(NamedTuple):
    key: str
    otherwise: str | None
    form: str | None


_Part = tuple[bool, tuple[str | _Value, ...]]
"""Whether it is left out where one of its values is empty, and what it consists of."""


@cache
def _parts(text: str) -> tuple[_Part, ...]:
    """A sentence cut where parts of it may be left out, and each of them around its values."""
    parts = []
    for part in filter(None, re.split(r"(\[[^\]]*\])", text)):
        optional = part.startswith("[")
        inner = part[1:-1] if optional else part
        pieces: list[str | _Value] = []
        end = 0
        for found in _VALUE.finditer(inner):
            pieces += [inner[end : found.start()], _Value(*found.groups())]
            end = found.end()
        parts.append((optional, (*pieces, inner[end:])))
    return tuple(parts)


def _filled(part: _Part, data: Mapping[str, Any], name: Callable[[str], str]) -> str:
    optional, pieces = part
    if optional and not all(data.get(each.key) for each in pieces if isinstance(each, _Value)):
        return ""
    return "".join([each if isinstance(each, str) else _written(each, data, name) for each in pieces])


def _written(value: _Value, data: Mapping[str, Any], name: Callable[[str], str]) -> str:
    given = data.get(value.key, "")
    if value.form:
        return FORMS[value.form](given)
    if not given and value.otherwise:
        return value.otherwise
    text = str(given.value if isinstance(given, Enum) else given)
    return name(text) if value.key in NAMES else text


def for_page() -> dict[str, object]:
    """What the page's script takes from here, as values for JSON."""
    return {
        "EVENTS": [[each.kind, dict(each.when), each.text, each.sort] for each in EVENTS],
        "PLACES": [[each.kind, dict(each.when), each.text, each.sort] for each in PLACES],
        "NAMES": sorted({*NAMES, "owner", "message"}),
        "ACTORS": ACTORS,
        "UNITS": UNITS,
        "REASONS": REASONS,
        "OUTCOMES": OUTCOMES,
        "FIXTURES": FIXTURES,
        "CODECS": CODECS,
        "STANDBY_OFF": STANDBY_OFF,
        "TROUBLE_BELOW": TROUBLE_BELOW,
    }
