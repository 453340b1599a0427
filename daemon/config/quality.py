"""What is measured of streams, and what is done about it."""

from typing import Any, Final, Literal

from daemon.config.section import Section, live
from daemon.config.types import File, Float, Int, Token

COVERED: Final = ("silence", "black", "frozen", "quiet", "clipping", "channels", "drift")
"""What `quality` has four steps for."""


class Probe(Section):
    """The program that plays each stream and measures its sound and picture: motherstream-probe."""

    enabled: Literal["auto", "on", "off"] = live(
        "auto", "auto: as soon as a probe asks; on: /readyz fails if none does; off: turn it away"
    )
    token: Token = live("", "bearer token of the probe, which may do nothing else; required if http.token is set")
    token_file: File = live("", "file that holds the token")
    streams: Int = live(8, "streams measured at once; those on air and next come first", ge=1, le=64)
    previews: bool = live(True, "take a small picture of each every 2 seconds")


def step(default: float, comment: str) -> Any:
    """Seconds until something is done about what is measured."""
    return live(default, comment, ge=0, le=86_400)


class Quality(Section):
    """What is done about a stream's sound and picture, after so many seconds; 0 for never."""

    silence_warn: Float = step(10.0, "no sound (below -60 dBFS) until it is reported")
    silence: Float = step(0.0, "until the slate is shown instead")
    silence_skip: Float = step(0.0, "until the next streamer follows, if there is one")
    silence_kick: Float = step(0.0, "until it is disconnected, and blocked for 5 minutes")
    black_warn: Float = step(10.0, "a black picture")
    black: Float = step(0.0, "until the slate is shown instead")
    black_skip: Float = step(0.0, "until the next streamer follows")
    black_kick: Float = step(0.0, "until it is disconnected")
    frozen_warn: Float = step(0.0, "a picture in which nothing moves; a card shown on purpose is one as well")
    frozen: Float = step(0.0, "until the slate is shown instead")
    frozen_skip: Float = step(0.0, "until the next streamer follows")
    frozen_kick: Float = step(0.0, "until it is disconnected")
    quiet_warn: Float = step(30.0, "sound below -29 LUFS")
    quiet: Float = step(0.0, "until the slate is shown instead")
    quiet_skip: Float = step(0.0, "until the next streamer follows")
    quiet_kick: Float = step(0.0, "until it is disconnected")
    clipping_warn: Float = step(30.0, "sound whose peaks are cut off")
    clipping: Float = step(0.0, "until the slate is shown instead")
    clipping_skip: Float = step(0.0, "until the next streamer follows")
    clipping_kick: Float = step(0.0, "until it is disconnected")
    channels_warn: Float = step(30.0, "a dead channel, or an inverted one")
    channels: Float = step(0.0, "until the slate is shown instead")
    channels_skip: Float = step(0.0, "until the next streamer follows")
    channels_kick: Float = step(0.0, "until it is disconnected")
    drift_warn: Float = step(30.0, "sound half a second or more away from its picture")
    drift: Float = step(0.0, "until the slate is shown instead")
    drift_skip: Float = step(0.0, "until the next streamer follows")
    drift_kick: Float = step(0.0, "until it is disconnected")
    no_video: Literal["refuse", "kick"] = live(
        "refuse", "a stream without a picture: refuse does not show it; kick disconnects it as well"
    )
    unfit: Literal["pass_over", "mark"] = live(
        "pass_over", "a waiting streamer who would be covered, skipped or kicked: let others go first, or only mark it"
    )
