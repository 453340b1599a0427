"""What a probe says of a stream, for tests."""

from typing import Any

from daemon.core.probing import Report

JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"
SOUND: dict[str, Any] = {
    "level": -20.0,
    "silent_seconds": 0.0,
    "short": -19.0,
    "loudness": -18.0,
    "peak": -6.0,
    "balance": 0.5,
    "phase": 0.9,
    "clipping": 0.0,
}
SILENT = {**SOUND, "level": None, "silent_seconds": 3.0, "short": None, "balance": None, "phase": None}


def report(session: str = "srs:1", **changes: Any) -> Report:
    whole: dict[str, Any] = {
        "session": session,
        "state": "playing",
        "seconds": 0.0,
        "problem": "",
        "video": {
            **{"codec": "h264", "profile": "High", "width": 1920, "height": 1080},
            **{"fps": 30.0, "keyframe_seconds": 2.0},
        },
        "audio": {"codec": "aac", "rate": 48000, "channels": "stereo"},
        "kbps": 3000.0,
        "sound": SOUND,
        "picture": {"light": 180.0, "black_seconds": 0.0, "motion": 9.0, "still_seconds": 0.0},
        "drift": 0.02,
        "preview": None,
    }
    return {**whole, **changes}  # type: ignore[typeddict-item]  # fields by name
