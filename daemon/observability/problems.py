"""Why a streamer cannot come on air, in words: the one table for log, API, pages, terminal and notifications."""

from typing import Final

CODECS: Final = {"hevc": "HEVC (H.265)", "av1": "AV1", "vp9": "VP9", "vp8": "VP8", "h264": "H.264"}

SENTENCES: Final = {
    "no_video": "the stream has sound and no picture: add a video source in the encoder, and publish again",
    "codec": "this OBS cannot play {what}: set the encoder to H.264 (x264, NVENC H.264), or use OBS 30.2 or later here",
    "unreachable": "OBS cannot open the stream: see that the encoder sends, that ingest.rtmp_url is where OBS reaches "
    "the RTMP server, and, where others play, stop the encoder and start it again",
    "not_ready": "no picture came in time: see that the encoder sends and that its keyframe interval is 2 s, or "
    "raise sources.ready_timeout",
    "stalled": "the picture stands still: see to the encoder and its upload, or lower its bitrate",
    "plugin": 'OBS lacks the obs-gstreamer plugin: install it, or set sources.kind = "auto"',
    "static_input": "sources.mode is static, and its one input cannot be made to play the stream",
    "low_bitrate": "it sends too little for a good picture: lower the encoder's bitrate, or use a better connection",
    "obs": "OBS could not make an input for it: see OBS's own log",
    "gone": "its input was removed in OBS before it could be shown: leave the daemon's inputs to it",
    "cut_failed": "OBS did not change the picture: see OBS's own log",
    "leaving": "its turn is over, and it goes as soon as another one is on air: it may publish again to wait in line",
    "away": "its stream has ended: start the encoder again before its place is lost",
    "probation": "its picture stood still and moves again: it is shown once it has moved for some seconds",
    "obs_unreachable": "OBS cannot be reached: see that it runs, and to obs.host, obs.port and obs.password",
    "studio_mode": "OBS's studio mode is on and obs.studio_mode is hold: switch it off for hand-overs to go on",
    "crowded": "OBS still opens inputs that were given up: it is tried in a moment; restart OBS if this stays",
    "program_elsewhere": "viewers are shown {what}: in OBS, take the scene that obs.scene names into Program",
}
"""What is wrong, and what to do, by the reason's one word."""

WITH_DETAIL: Final = frozenset({"obs", "cut_failed", "static_input"})
"""Reasons whose detail is OBS's own word, and told as well."""


def sentence(reason: str, detail: str = "") -> str:
    """What is wrong and what to do about it."""
    if reason == "codec":
        return SENTENCES["codec"].format(what=CODECS.get(detail, detail.upper() or "the codec of its picture"))
    if reason == "program_elsewhere":
        return SENTENCES[reason].format(what=f"the scene {detail}" if detail else "something else")
    text = SENTENCES.get(reason, reason.replace("_", " "))
    return f"{text} ({detail})" if reason in WITH_DETAIL and detail else text
