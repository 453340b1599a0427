"""What the checks of ``/readyz`` are about, in words: for the notifications and the page."""

from typing import Final, NamedTuple


class CheckWords(NamedTuple):
    """Of one check."""

    what: str
    """What works, or does not."""
    means: str
    """What it means for the show where it does not, for somebody who is woken by it."""


CHECKS: Final = {
    "obs": CheckWords("OBS", "The picture stays as it is. Hand-overs wait until OBS answers."),
    "program": CheckWords(
        "the Program",
        "Viewers do not see what is on air, or it cannot change. Check OBS's scene and studio mode.",
    ),
    "journal": CheckWords("the database", "The show goes on. A restart now would lose recent changes."),
    "keys": CheckWords("the streamers' keys", "Known keys stay valid. Changes to keys are not picked up."),
    "ingest": CheckWords("the RTMP server", "Falling back to hooks only: a lost hook goes unnoticed."),
    "store": CheckWords("the shared store", "The show goes on. Until it answers, no other daemon can take over."),
    "heir": CheckWords("the channel's other daemon", "The show goes on. If this machine fails, nobody takes over."),
    "probe": CheckWords("the probe", "Nobody measures sound and picture: silence and black go unnoticed."),
}
"""By the check's name."""
