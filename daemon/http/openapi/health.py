"""The shapes of ``/stream-health``'s answers, and of the probes'."""

from typing import Final

from daemon.http.openapi.words import (
    MOMENT,
    SECONDS,
    STREAMER,
    SUCCESS,
    Schema,
    array,
    nullable,
    number,
    one_of,
    record,
    ref,
    string,
    truth,
    typed,
    whole,
)

_SHARE: Final = nullable(number("A share from 0 to 1; null while it is not known.", minimum=0, maximum=1))
SCORE: Final = number("100 is as it should be, 0 cannot be worse.", minimum=0, maximum=100)
ISSUES: Final = array(string(), "What is amiss, the gravest first.")
_SAMPLE: Final[dict[str, Schema]] = {
    "at": MOMENT,
    "time": number("Seconds since the epoch."),
    "score": SCORE,
    "issues": ISSUES,
    "penalties": typed("object", "What each issue takes off the score.", {"additionalProperties": number()}),
    "streamer": nullable(STREAMER),
    "input": nullable(string()),
    "waiting": whole("Streamers who publish and are not on air.", minimum=0),
    "media": record(
        {
            "state": nullable(string("OBS's media state.")),
            "cursor": nullable(number("Milliseconds.")),
            "progress": nullable(number("Seconds of media a second.")),
            "jitter": nullable(number("Milliseconds.", minimum=0)),
            "still": nullable(number("Seconds without a new picture.", minimum=0)),
            "width": nullable(whole()),
            "height": nullable(whole()),
        }
    ),
    "ingest": record({"received": nullable(whole("Bytes.")), "bitrate": nullable(number("kbit/s.", minimum=0))}),
    "obs": record(
        {
            "connected": truth(),
            "fps": nullable(number()),
            "render_lag": _SHARE,
            "encoder_lag": _SHARE,
            "dropped": _SHARE,
            "memory_mb": nullable(number()),
            "cpu_percent": nullable(number()),
            "streaming": nullable(truth()),
        }
    ),
}
SAMPLE: Final = record(_SAMPLE)
HEALTH_NOW: Final = record(
    {
        "status": one_of("success", "no_monitoring"),
        "monitoring_active": truth(),
        **_SAMPLE,
        "score": nullable(SCORE),
    },
    "The last sample; before the first one there is but a `score` of null.",
    optional=tuple(name for name in _SAMPLE if name not in ("score", "issues")),
)
HEALTH_HISTORY: Final = record(
    {"status": SUCCESS, "count": whole(minimum=0), "history": array(ref("HealthSample"), "The oldest first.")}
)
HEALTH_STATUS: Final = record(
    {
        "status": SUCCESS,
        "monitoring_active": truth(),
        "interval": number("Seconds between two samples.", exclusiveMinimum=0),
        "samples": whole("Taken since the start.", minimum=0),
        "history": record(
            {
                "count": whole(minimum=0),
                "capacity": whole(minimum=0),
                "lowest_score": nullable(SCORE),
                "mean_score": nullable(SCORE),
            }
        ),
        "score": nullable(SCORE),
        "issues": ISSUES,
        "since_start": record({"stalled_seconds": SECONDS, "blank_seconds": SECONDS, "off_air_seconds": SECONDS}),
        "limits": record({"stall": number("Seconds."), "low_bitrate": number("kbit/s.")}),
        "reports": record({"folder": nullable(string()), "file": nullable(string()), "problem": string()}),
    }
)

# --- probes ------------------------------------------------------------------------------------------------------

ALIVE: Final = record({"status": one_of("ok", "stuck")})
READY: Final = record(
    {
        "ready": truth(),
        "checks": typed(
            "object",
            "What has to be well, by name.",
            {"additionalProperties": record({"ok": truth(), "detail": string("What is wrong.")})},
        ),
    }
)
