"""Events of every kind, built at random from a small world of names, so that they mean something together."""

from dataclasses import fields, replace
from typing import Any, get_type_hints

from hypothesis import strategies as st

from statemachine import events as ev
from statemachine.codec import EVENT_TYPES
from statemachine.monitors.quantities import QUANTITIES
from statemachine.policy import CHOICES, Grades, Policy, QualityPolicy
from statemachine.reading import ProgramReading

STREAMERS = st.sampled_from(["alice", "bob", "carol"])
TIMES = st.floats(0.0, 1e6).map(lambda at: round(at, 3))
PROGRAM_SCENES = st.sampled_from(["MOTHERSTREAM", "BREAK"])
INPUTS = st.sampled_from(["GMOTHERSTREAM_1", "GMOTHERSTREAM_2", "GMOTHERSTREAM_3", "GMOTHERSTREAM_40", "GMOTHERSTREAM"])
CODECS = st.sampled_from([None, "", "h264", "hevc"])
TEXT = st.text(max_size=8)
OTHERS = st.none() | st.lists(st.sampled_from(["SLATE", "GMOTHERSTREAM", "LOGO"]), unique=True).map(tuple)
SESSION_IDS = st.sampled_from(["srs:1/a", "srs:1/b", "srs:1/c", "srs:2/a", "test:1"])

sessions = st.builds(
    ev.Session,
    id=SESSION_IDS,
    streamer=STREAMERS,
    app=st.just("live"),
    stream=STREAMERS,
    turn=st.none() | st.floats(1.0, 100.0),
    space=st.sampled_from(["", "", "a.example"]),
)
readings = st.none() | st.builds(
    ProgramReading,
    scene=PROGRAM_SCENES,
    studio_mode=st.booleans(),
    live=st.booleans(),
    copied=st.booleans(),
    inputs=st.lists(INPUTS, max_size=2, unique=True).map(tuple),
    moving=st.booleans(),
)
inventories = st.lists(
    st.builds(
        ev.OwnInput,
        name=INPUTS,
        shown=st.booleans(),
        stream=st.none() | st.just("live/alice") | TEXT,
        items=st.integers(0, 3),
        shown_items=st.integers(1, 3),
    ),
    max_size=3,
    unique_by=lambda item: item.name,
).flatmap(
    lambda items: st.builds(
        ev.Inventory,
        st.just(tuple(items)),
        OTHERS,
        missing=st.lists(st.sampled_from(["SLATE", "GMOTHERSTREAM"]), unique=True).map(tuple),
        foreign=st.lists(st.builds(ev.ForeignInput, INPUTS, TEXT), max_size=2).map(tuple),
        whole=st.booleans(),
        program=readings,
    )
)
VALUES = st.sampled_from([-100.0, -60.0, -30.0, 0.0, *(each.amiss for each in QUANTITIES.values())])
policies = st.builds(
    Policy,
    mode=st.sampled_from(CHOICES["mode"]),
    slate=st.sampled_from(["", "SLATE"]),
    standby=st.booleans(),
    fade=st.sampled_from([0.0, 1.0]),
    studio_mode=st.sampled_from(CHOICES["studio_mode"]),
    program=st.sampled_from(CHOICES["program"]),
    turn=st.floats(1.0, 100.0),
    turn_when_alone=st.booleans(),
    after_turn=st.sampled_from(CHOICES["after_turn"]),
    reconnect_grace=st.floats(0.0, 20.0),
    grace_cap=st.floats(0.0, 30.0),
    during_grace=st.sampled_from(CHOICES["during_grace"]),
    block_last=st.booleans(),
    kick_unannounced=st.booleans(),
    kick_unreachable=st.booleans(),
    job_delay=st.floats(0.0, 5.0),
    cleanup_grace=st.floats(0.0, 5.0),
    ready_timeout=st.floats(0.0, 20.0),
    retry_first=st.floats(0.001, 10.0),
    removal_tries=st.integers(0, 3),
    stall=st.floats(0.2, 20.0),
    standby_lag=st.sampled_from([0.0, 0.25, 1.0]),
    low_bitrate=st.sampled_from([0.0, 250.0]),
    low_bitrate_warn=st.sampled_from([0.0, 3.0]),
    low_bitrate_slate=st.sampled_from([0.0, 5.0]),
    low_bitrate_skip=st.sampled_from([0.0, 9.0]),
    low_bitrate_kick=st.sampled_from([0.0, 20.0]),
    quality=st.builds(
        QualityPolicy,
        silence=st.builds(Grades, *(st.sampled_from([0.0, seconds]) for seconds in (2.0, 5.0, 9.0, 20.0))),
        black=st.builds(Grades, *(st.sampled_from([0.0, seconds]) for seconds in (20.0, 9.0, 5.0, 2.0))),
        frozen=st.builds(Grades, warn=st.sampled_from([0.0, 4.0])),
        unfit=st.sampled_from(["pass_over", "mark"]),
    ),
    target_loudness=st.sampled_from([0.0, -14.0]),
)
settings = st.one_of(
    st.tuples(st.sampled_from(["turn", "job_delay", "z_offset", "slate", "mode", "nonsense"]), st.booleans()),
    st.tuples(st.sampled_from(["turn", "job_delay", "ready_timeout", "stall"]), st.floats(allow_nan=False)),
    st.tuples(st.sampled_from(["z_offset", "removal_tries", "turn"]), st.integers(-5, 5)),
    st.tuples(st.sampled_from(sorted(CHOICES)), st.sampled_from(sum(CHOICES.values(), ()))),
)


def _of(name: str, hint: Any) -> st.SearchStrategy[Any]:
    by_name = {
        "attempt": st.integers(0, 12),
        "streamer": STREAMERS if hint is str else st.none() | STREAMERS,
        "session": sessions,
        "session_id": SESSION_IDS,
        "sessions": st.lists(sessions, max_size=4).map(tuple),
        "others": st.sampled_from([(), (), ("srs:2/",)]),
        "nameless": st.lists(sessions.map(lambda session: replace(session, streamer="")), max_size=2).map(tuple),
        "can_kick": st.booleans(),
        "server": st.sampled_from(["srs:1/", "srs:2/", "test:"]),
        "asked_at": TIMES,
        "since": TIMES,
        "down_since": st.none() | TIMES,
        "input": INPUTS,
        "inventory": inventories,
        "policy": policies,
        "reason": TEXT,
        "position": st.integers(-2, 5),
        "seconds": st.sampled_from([-1.0, 0.0, 0.5, 30.0]),
        "restart": st.booleans(),
        "shown": st.booleans(),
        "kbps": st.none() | st.sampled_from([0.0, 50.0, 250.0, 3000.0]),
        "frames": st.integers(-1, 600),
        "late": st.integers(-1, 900),
        "taken": st.booleans(),
        "untouched": st.booleans(),
        "actor": st.none() | st.builds(ev.Actor, st.sampled_from(["local", "token", "sign-in"]), TEXT),
        "tracks": st.builds(ev.Tracks, video=CODECS, audio=st.sampled_from([None, "", "aac"])),
        "fallback": st.booleans(),
        "blank": st.booleans(),
        "unplayable": st.sampled_from([(), ("hevc", "av1")]),
        "code": st.sampled_from(["", "no_video", "plugin", "gone", "static_input"]),
        "quantity": st.sampled_from([*QUANTITIES, "nonsense"]),
        "measurements": st.lists(
            st.builds(ev.Measurement, st.sampled_from([*QUANTITIES, "nonsense"]), VALUES, st.sampled_from([0.0, 3.0])),
            max_size=3,
        ).map(tuple),
        "loudness": st.none() | st.sampled_from([-60.0, -23.0, -8.0]),
        "peak": st.none() | st.sampled_from([-40.0, -1.0, 2.0]),
        "value": VALUES,
    }
    if name not in by_name and hint is str:
        return STREAMERS  # another one whom a request concerns
    return by_name[name]


def _event(kind: type[ev.Event], at: st.SearchStrategy[float]) -> st.SearchStrategy[ev.Event]:
    if kind is ev.SettingChanged:
        return st.builds(lambda at, pair: ev.SettingChanged(at, *pair), at, settings)
    hints = get_type_hints(kind)
    return st.builds(kind, at=at, **{f.name: _of(f.name, hints[f.name]) for f in fields(kind) if f.name != "at"})


def events(at: st.SearchStrategy[float] = TIMES) -> st.SearchStrategy[ev.Event]:
    """Any event of the rules."""
    return st.one_of([_event(kind, at) for kind in EVENT_TYPES.values()])


def scripts(most: int = 40) -> st.SearchStrategy[list[ev.Event]]:
    """Events one after the other, in time that may jump and does not always go forward."""
    steps = st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 0.0, 0.1, 1.0, 3.0, 9.0, 70.0]), events()), max_size=most)

    def timed(steps: list[tuple[float, ev.Event]]) -> list[ev.Event]:
        now, made = 100.0, []
        for pause, event in steps:
            now += pause
            values = {f.name: getattr(event, f.name) for f in fields(event)}
            made.append(type(event)(**{**values, "at": now}))
        return made

    return steps.map(timed)
