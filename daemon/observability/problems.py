"""Why a streamer cannot come on air, in words: the one table for log, API, pages, terminal and notifications."""

from collections.abc import Callable, Mapping
from typing import Final

from daemon.observability.wording_quality import apart, quieter, weak

CODECS: Final = {"hevc": "HEVC (H.265)", "av1": "AV1", "vp9": "VP9", "vp8": "VP8", "h264": "H.264"}

SENTENCES: Final = {
    "no_video": "the stream has sound but no picture: add a video source in the encoder and publish again",
    "codec": "this OBS cannot play {what}: set the encoder to H.264 (x264, NVENC H.264), or use OBS 30.2 or later here",
    "unreachable": "OBS cannot open the stream: check that the encoder is sending and that OBS can reach "
    "ingest.rtmp_url; if other streams play, restart the encoder",
    "not_ready": "no picture came in time: check that the encoder is sending and that its keyframe interval is 2 s, or "
    "raise sources.ready_timeout",
    "republish": "OBS failed twice to open a stream that the RTMP server lists: it was disconnected once, so that its "
    "encoder publishes again; if that does not reconnect by itself, start it again",
    "stalled": "the picture has stalled: check the encoder and its upload, or lower its bitrate",
    "plugin": 'OBS lacks the obs-gstreamer plugin: install it, or set sources.kind = "auto"',
    "static_input": "sources.mode is static, and its one input cannot play the stream",
    "low_bitrate": "too little data arrives for a good picture: lower the encoder's bitrate, or improve the connection",
    "obs": "OBS could not create an input for it: see OBS's log",
    "gone": "its input was removed in OBS before it could be shown: leave the daemon's inputs alone",
    "cut_failed": "OBS did not change the picture: see OBS's log",
    "silent": "there is no sound: check the mixer's output, its mute, and the encoder's audio device",
    "black": "the picture is black: check the camera, its cap, and the encoder's scene",
    "frozen": "nothing moves in the picture: check the camera and the encoder's capture",
    "too_quiet": "the sound is {what} dB too quiet: raise its level in the mixer or the encoder",
    "clipping": "the sound's peaks are cut off: lower its level before the encoder",
    "one_sided": "the {what} channel is all but silent: check its cable and the mixer's pan",
    "inverted": "one channel is inverted, so that mono listeners hear almost nothing: check the cables and the mixer",
    "drifting": "sound and picture are {what} s apart: restart the encoder, or set its audio sync offset",
    "low_rate": "the sound has only {what} samples a second: set the encoder to 44.1 or 48 kHz",
    "leaving": "its turn is over, and it leaves once another streamer is on air: publish again to rejoin the line",
    "away": "its stream has ended: restart the encoder before the place is lost",
    "probation": "its picture had stalled and has resumed: it is shown once it has played for a few seconds",
    "obs_unreachable": "OBS cannot be reached: check that it is running, and obs.host, obs.port and obs.password",
    "studio_mode": "OBS's studio mode is on and obs.studio_mode is hold: switch it off to resume hand-overs",
    "crowded": "OBS is still opening abandoned inputs: retrying in a moment; restart OBS if this persists",
    "program_elsewhere": "viewers are shown {what}: in OBS, switch Program to the scene that obs.scene names",
}
"""What is wrong, and what to do, by the reason's one word."""

WITH_DETAIL: Final = frozenset({"obs", "cut_failed", "static_input"})
"""Reasons whose detail is OBS's own word, and told as well."""


MEASURED: Final[Mapping[str, Callable[[float], str]]] = {
    "too_quiet": quieter,
    "one_sided": weak,
    "drifting": apart,
    "low_rate": lambda value: f"{value:.0f}",
}
"""Reasons whose sentence names what was measured."""


def _number(detail: str) -> float:
    try:
        return float(detail)
    except ValueError:
        return 0.0


def codec(name: str) -> str:
    """A codec as people write it; the page's script has the same."""
    return CODECS.get(name, name.upper() or "the codec of its picture")


def sentence(reason: str, detail: str = "") -> str:
    """What is wrong and what to do about it."""
    if reason == "codec":
        return SENTENCES["codec"].format(what=codec(detail))
    if reason in MEASURED:
        return SENTENCES[reason].format(what=MEASURED[reason](_number(detail)))
    if reason == "program_elsewhere":
        return SENTENCES[reason].format(what=f"the scene {detail}" if detail else "something else")
    text = SENTENCES.get(reason, reason.replace("_", " "))
    return f"{text} ({detail})" if reason in WITH_DETAIL and detail else text
