"""How a channel may be set up, and what may be changed of that while it runs or at a start."""

from dataclasses import replace

from statemachine.policy import CHOICES, Grades, Policy, QualityPolicy
from statemachine.settings import Value
from tests.statemachine.model_obs import OTHER_STATIC, SLATES, STATIC

MODES = {
    "plain": Policy(turn=40.0),
    "impatient": Policy(turn=15.0, job_delay=0.0, cleanup_grace=0.0, reconnect_grace=0.0, removal_tries=1),
    "slate": Policy(turn=30.0, slate="SLATE", grace_cap=12.0),
    "slate in grace": Policy(turn=30.0, slate="SLATE", during_grace="slate", fade=0.5),
    "alone too": Policy(turn=20.0, turn_when_alone=True, standby=False),
    "kick": Policy(turn=25.0, after_turn="kick", block_last=True),
    "pooled": Policy(turn=30.0, mode="pooled"),
    "pooled with slate": Policy(turn=30.0, mode="pooled", slate="SLATE"),
    "static": Policy(turn=30.0, mode="static"),
    "static with slate": Policy(turn=30.0, mode="static", slate="SLATE"),
    "driven": Policy(turn=30.0, slate="SLATE", studio_mode="drive"),
    "driven, pooled": Policy(turn=30.0, mode="pooled", studio_mode="drive", program="warn"),
    "left alone": Policy(turn=30.0, slate="SLATE", studio_mode="hold"),
    "strict": Policy(
        turn=60.0,
        slate="SLATE",
        stall=0.5,
        low_bitrate_warn=1.0,
        low_bitrate_slate=3.0,
        low_bitrate_skip=12.0,
        low_bitrate_kick=30.0,
    ),
    "listened to": Policy(
        turn=30.0,
        slate="SLATE",
        target_loudness=-14.0,
        quality=QualityPolicy(
            silence=Grades(warn=5.0, cover=6.0, skip=15.0, kick=40.0),
            black=Grades(skip=6.0),
            channels=Grades(warn=10.0),
        ),
    ),
    "listened to, pooled": Policy(
        turn=30.0, mode="pooled", target_loudness=-23.0, quality=QualityPolicy(silence=Grades(skip=5.0, kick=60.0))
    ),
    "listened to, static": Policy(
        turn=30.0, mode="static", slate="SLATE", target_loudness=-14.0, quality=QualityPolicy(silence=Grades(cover=5.0))
    ),
    "only marked": Policy(turn=30.0, quality=QualityPolicy(silence=Grades(skip=5.0), unfit="mark")),
    "strict, pooled": Policy(turn=60.0, mode="pooled", low_bitrate_skip=3.0, low_bitrate_kick=8.0, standby_lag=0.1),
    "strict, static": Policy(turn=60.0, mode="static", slate="SLATE", low_bitrate_slate=3.0, low_bitrate_skip=8.0),
}
CHANGES: list[tuple[str, Value]] = [
    *(("mode", mode) for mode in CHOICES["mode"]),
    *(("slate", slate) for slate in ("", *SLATES)),
    *(("during_grace", what) for what in CHOICES["during_grace"]),
    *(("after_turn", what) for what in CHOICES["after_turn"]),
    *(("standby", yes) for yes in (False, True)),
    *(("studio_mode", what) for what in CHOICES["studio_mode"]),
    *(("program", what) for what in CHOICES["program"]),
    *(("fade", seconds) for seconds in (0.0, 0.5)),
    *(("turn", seconds) for seconds in (1.0, 40.0)),
    ("turn", "not a number"),
    *(("block_last", yes) for yes in (False, True)),
    *(("turn_when_alone", yes) for yes in (False, True)),
    *(("reconnect_grace", seconds) for seconds in (0.0, 3.0, 20.0)),
    *(("grace_cap", seconds) for seconds in (0.0, 5.0, 60.0)),
    *(("job_delay", seconds) for seconds in (0.0, 5.0)),
    *(("cleanup_grace", seconds) for seconds in (0.0, 4.0)),
    *(("ready_timeout", seconds) for seconds in (0.5, 15.0)),
    *(("cut_timeout", seconds) for seconds in (0.1, 2.0)),
    *(("removal_tries", count) for count in (0, 5)),
    *(("stall", seconds) for seconds in (0.5, 5.0)),
    *(("low_bitrate_slate", seconds) for seconds in (0.0, 3.0)),
    *(("low_bitrate_skip", seconds) for seconds in (0.0, 8.0)),
    *(("low_bitrate_kick", seconds) for seconds in (0.0, 12.0)),
    *(("kick_unreachable", yes) for yes in (False, True)),
    *(("target_loudness", level) for level in (0.0, -14.0)),
    *(("standby_lag", share) for share in (0.0, 0.1)),
    *(("retry_first", seconds) for seconds in (0.1, 5.0)),
]
"""What a file that is read again, or an operator, may say otherwise."""
AT_A_START: list[tuple[str, Value]] = [
    *(("prefix", prefix) for prefix in ("GMOTHERSTREAM_", "LIVE_")),
    *(("static_input", name) for name in (STATIC, OTHER_STATIC)),
    *(("mode", mode) for mode in CHOICES["mode"]),
    *(("slate", slate) for slate in ("", *SLATES)),
]
"""What only a start of the daemon takes from the file."""


def changed(policy: Policy, name: str, value: Value) -> Policy:
    """The policy with one field set."""
    return replace(policy, **{name: value})  # type: ignore[arg-type]  # the lists above hold the right types
