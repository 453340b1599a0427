"""What the operator may choose: the rules' share of the configuration, as one frozen value."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Grades:
    """After how many seconds each step is taken; 0 is never."""

    warn: float = 0.0
    """It is told as trouble."""
    cover: float = 0.0
    """The slate is shown in its place."""
    skip: float = 0.0
    """The next one follows, if there is one."""
    kick: float = 0.0
    """It is disconnected and blocked for a while."""

    @property
    def acts_after(self) -> float:
        """Seconds until more is done than told; 0 for never."""
        return min((after for after in (self.cover, self.skip, self.kick) if after > 0), default=0.0)


@dataclass(frozen=True, slots=True)
class QualityPolicy:
    """What is done about sound and picture that are not as they should be, by what is wrong with them."""

    silence: Grades = Grades(warn=10.0)
    black: Grades = Grades(warn=10.0)
    frozen: Grades = Grades()
    quiet: Grades = Grades(warn=30.0)
    clipping: Grades = Grades(warn=30.0)
    channels: Grades = Grades(warn=30.0)
    """One channel is dead, or inverted."""
    drift: Grades = Grades(warn=30.0)
    """The sound runs away from the picture."""
    no_video: str = "refuse"
    """Of one whose stream has no picture. refuse: it is not shown; kick: and disconnected, and blocked for a while."""
    unfit: str = "pass_over"
    """What becomes of one in line of whom more would be done than told, were it on air. pass_over: whoever is fit comes
    first; mark: it is only told."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Durations are in seconds. The defaults are the configuration's."""

    # sources
    mode: str = "dynamic"
    """dynamic: a fresh input a hand-over; pooled: two inputs in turn; static: one input, re-aimed."""
    prefix: str = "GMOTHERSTREAM_"
    static_input: str = "GMOTHERSTREAM"
    z_offset: int = 5
    ready_timeout: float = 15.0
    cut_timeout: float = 2.0
    cleanup_grace: float = 1.0
    job_delay: float = 2.0
    standby: bool = True
    standby_lag: float = 0.25
    """Share of OBS's frames that may be late before standby is given up for a while, 0 to 1; 0 is no bound."""
    # what is shown
    slate: str = ""
    template: str = ""
    """The input whose sound, filters and place each fresh one gets: here only to tell that it is missing."""
    fade: float = 0.0
    """Seconds of a fade; 0 cuts."""
    studio_mode: str = "leave"
    """leave: OBS's studio mode is switched off; drive: its transition takes each change into Program; hold: no change
    of the one on air while it is on."""
    program: str = "follow"
    """follow: while viewers see another scene the clock of the turn stands still; warn: it goes on."""
    # the line-up
    turn: float = 3600.0
    turn_when_alone: bool = False
    after_turn: str = "requeue"
    reconnect_grace: float = 8.0
    grace_cap: float = 60.0
    """Most seconds of grace within one turn, against flapping."""
    during_grace: str = "next"
    """next: the next one fills in; slate: the slate is shown."""
    block_last: bool = False
    kick_unannounced: bool = True
    """A publisher whom nobody can be named for is kicked once, so that its encoder comes back with a hook."""
    kick_unreachable: bool = True
    """A stream that its server lists and that cannot be played is kicked once, so that its encoder publishes anew."""
    # pictures that stand still
    stall: float = 1.0
    """Seconds that a picture may stand still; one that can be covered by a ready standby, a share of it."""
    # poor streams: kbit/s, and the seconds after which each step is taken; 0 is never
    low_bitrate: float = 250.0
    low_bitrate_warn: float = 10.0
    low_bitrate_slate: float = 0.0
    low_bitrate_skip: float = 0.0
    low_bitrate_kick: float = 0.0
    # what is measured of sound and picture
    quality: QualityPolicy = QualityPolicy()
    target_loudness: float = 0.0
    """LUFS that fresh inputs are levelled to; 0 leaves them as they are."""
    # failures
    retry_first: float = 5.0
    retry_most: float = 300.0
    removal_tries: int = 5

    def problem(self, name: str, value: object) -> str | None:
        """Why this field cannot take this value, in one line; None where it can."""
        kinds = {f.name: type(f.default) for f in fields(self)}
        kind = kinds.get(name)
        if kind is None:
            return f"there is no setting {name}"
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            return f"{name} takes {_KIND_NAMES[kind]}"
        if name in CHOICES and value not in CHOICES[name]:
            return f"{name} takes one of: {', '.join(CHOICES[name])}"
        if isinstance(value, int | float) and kind is not bool:
            least, strictly = LEAST.get(name, (0.0, False))
            # Written so that a NaN fails too.
            if not (least < value if strictly else least <= value) or value > MOST:
                return f"{name} takes {'more than' if strictly else 'at least'} {least:g} and at most {MOST:g}"
        return None


CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("dynamic", "pooled", "static"),
    "after_turn": ("requeue", "kick"),
    "during_grace": ("next", "slate"),
    "studio_mode": ("leave", "drive", "hold"),
    "program": ("follow", "warn"),
}
LEAST: dict[str, tuple[float, bool]] = {
    "turn": (0.0, True),
    "cut_timeout": (0.0, True),
    "stall": (0.0, True),
    "retry_first": (0.0, True),
    "target_loudness": (-70.0, False),
}
"""The least value of a number, and whether it must be exceeded; 0 is allowed for all others."""
MOST = 1e9
"""The greatest value of any number."""
_KIND_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    QualityPolicy: "what the configuration has",
}
