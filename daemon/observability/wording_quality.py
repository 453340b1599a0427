"""What is said of a stream's sound and picture: of each quantity that is amiss, and what is done about it."""

from collections.abc import Iterator
from typing import Final

from daemon.observability.sentence import Sentence

AMISS: Final = {
    "sound": "{streamer} has had no sound for {seconds:span}",
    "light": "{streamer}'s picture has been black for {seconds:span}",
    "motion": "nothing has moved in {streamer}'s picture for {seconds:span}",
    "loudness": "{streamer}'s sound is {value:quieter} dB too quiet",
    "clipping": "{streamer}'s sound is clipping: its peaks are cut off",
    "balance": "the {value:weak} channel of {streamer}'s sound is all but silent",
    "phase": "one channel of {streamer}'s sound is inverted",
    "drift": "{streamer}'s sound is {value:apart} s away from the picture",
    "rate": "{streamer}'s sound has only {value:whole} samples a second",
}
"""By quantity, as it is told of one who is on air or in line."""
WELL: Final = {
    "sound": "{streamer}'s sound is back",
    "light": "{streamer}'s picture is no longer black",
    "motion": "{streamer}'s picture moves again",
    "loudness": "{streamer}'s sound is loud enough again",
    "clipping": "{streamer}'s sound no longer clips",
    "balance": "both channels of {streamer}'s sound are there again",
    "phase": "{streamer}'s channels are in phase again",
    "drift": "{streamer}'s sound and picture are together again",
    "rate": "{streamer}'s sound has enough samples a second again",
}
"""The same, once that is over."""
DONE: Final = {
    "cover": ": the slate is shown until that is over",
    "skip": ": the next one follows",
    "kick": ": disconnected",
    "unfit": ": others go first until that is over",
}
"""What is done about it, by the step."""
REFERENCE: Final = -23.0
"""LUFS of EBU R 128, from which "too quiet" is counted."""

_KINDS: Final = {"silence_on_air": ("sound",), "measured_on_air": tuple(AMISS), "measured_in_line": tuple(AMISS)}


def quality() -> Iterator[Sentence]:
    """All sentences about it."""
    for kind, quantities in _KINDS.items():
        yield Sentence(kind, "{streamer}'s sound and picture are no longer measured", when={"step": "unmeasured"})
        for name in quantities:
            of = {} if kind == "silence_on_air" else {"quantity": name}
            yield Sentence(kind, WELL[name], when={**of, "step": "over"})
            for step, done in DONE.items():
                yield Sentence(kind, AMISS[name] + done, "trouble", {**of, "step": step})
            yield Sentence(kind, AMISS[name], "trouble", of)
        if kind != "silence_on_air":
            yield Sentence(kind, "{streamer}'s {quantity:words} is as it should be again", when={"step": "over"})
            yield Sentence(kind, "{streamer}'s {quantity:words} is off: {value:value} {quantity:unit}", "trouble")


def quieter(loudness: float) -> str:
    """How many dB it lacks."""
    return str(max(1, round(REFERENCE - loudness)))


def weak(balance: float) -> str:
    """Which channel has less, by the dB that the left one has more."""
    return "right" if balance > 0 else "left"


def apart(drift: float) -> str:
    """Seconds between sound and picture."""
    return f"{abs(drift):.1f}"
