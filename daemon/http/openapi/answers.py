"""The shapes of the control API's answers and requests.

Answers say what they hold at least: a client must bear that more is added. All that is named is there, and null where
it is not known or there is none.
"""

from typing import Final

from daemon.http.openapi.words import (
    MOMENT,
    SECONDS,
    STREAMER,
    SUCCESS,
    array,
    done,
    nullable,
    number,
    one_of,
    record,
    ref,
    string,
    truth,
    whole,
)
from daemon.http.params import LONGEST_NAME

_PROBLEM: Final = record(
    {
        "reason": string(
            "no_video, codec, unreachable, not_ready, stalled, low_bitrate, plugin, static_input, obs, cut_failed, "
            "gone; leaving, away, probation; of the first in line obs_unreachable, studio_mode or crowded; of the one "
            "on air program_elsewhere. More may come."
        ),
        "message": string("What is wrong, and what to do."),
    },
    "Why the streamer is not shown, or not seen.",
)
_PLACE: Final = {
    "streamer": STREAMER,
    "position": whole("From 0.", minimum=0),
    "since": MOMENT,
    "problem": nullable(_PROBLEM),
}

STATUS: Final = record(
    {
        "state": ref("State"),
        "attempt": whole("The number of the last attempt to change the one on air.", minimum=0),
        "held": truth("No turn ends by the clock."),
        "on_air": nullable(ref("OnAir")),
        "program": ref("Program"),
        "standby": nullable(ref("Standby")),
        "standby_off": nullable(ref("StandbyOff")),
        "queue": array(record(_PLACE), "The line-up; its first has the turn."),
        "obs": record(
            {
                "connected": truth(),
                "version": nullable(string()),
                "websocket": nullable(string("obs-websocket's version.")),
                "source_kind": nullable(string("The kind of the inputs that are made.")),
            }
        ),
        "last_switch": nullable(ref("Switch")),
        "refused": array(
            record(
                {
                    "at": MOMENT,
                    "streamer": nullable(STREAMER),
                    "address": nullable(string("The publisher's.")),
                    "reason": string("In one word: no_key, unknown_key, path_taken, blocked, …"),
                    "message": string("What is wrong, and what to do."),
                    "count": whole("How often.", minimum=1),
                }
            ),
            "Publishers who were not let in within the last hour, the newest first.",
        ),
    }
)
ON_AIR: Final = record(
    {
        "streamer": STREAMER,
        "input": string("OBS's input."),
        "since": MOMENT,
        "seconds": SECONDS,
        "remaining": nullable(number("Seconds of the turn that are left; null for one who only fills in.", minimum=0)),
        "silent_since": nullable(MOMENT),
        "live": truth("The stream is still published; without it, this is its last picture, for its grace."),
    },
    "The one whose picture is shown: it changes when the picture has changed, not when it was asked to.",
)
PROGRAM: Final = record(
    {
        "scene": nullable(string("The scene that viewers are shown.")),
        "studio_mode": nullable(truth("OBS's studio mode is on.")),
        "shown": nullable(truth("They see the one on air; where nobody is, the daemon's scene.")),
        "held": truth("No hand-over is made while studio mode is on (`obs.studio_mode`)."),
        "input": nullable(string("OBS's input on air, also where nobody can be named for it.")),
        "blank": truth("That input shows nothing: its player has reported an error or an end. Nobody is on air."),
    },
    "What OBS gives to viewers; null where OBS is not reached.",
)
STANDBY: Final = record({"streamer": STREAMER, "input": string("OBS's input."), "ready": truth("A picture is proven.")})
STANDBY_OFF: Final = record(
    {
        "reason": string("configured, static or render_lag; more may come."),
        "since": nullable(MOMENT),
        "render_lag": nullable(number("Share of OBS's frames that were late last.", minimum=0, maximum=1)),
    },
    "Why the next one is not made ready ahead of the turn.",
)
SWITCH: Final = record(
    {
        "from": string("Who was on air; empty where nobody was."),
        "to": string("Who is on air; empty where nobody is."),
        "reason": string("Why, as in `Handover`."),
        "outcome": string("How it ended, as in `Handover`."),
        "seconds": SECONDS,
    }
)
QUEUE: Final = record(
    {
        "held": truth("No turn ends by the clock."),
        "queue": array(
            record(
                {
                    **_PLACE,
                    "publishing": truth("A stream of theirs is being published."),
                    "has_turn": truth(),
                    "turn": number("Seconds of their turn.", exclusiveMinimum=0),
                    "stalled": truth("The stream delivers nothing."),
                    "failures": whole("Attempts in a row that showed no picture.", minimum=0),
                    "grace_remaining": nullable(number("Seconds that the place is kept.", minimum=0)),
                }
            )
        ),
        "blocked": array(record({"streamer": STREAMER, "seconds": SECONDS}), "Who is kept out, and for how long."),
    }
)
HANDOVER: Final = record(
    {
        "at": MOMENT,
        "attempt": whole(),
        "input": string("The input that was to be shown."),
        "outgoing": string("The input that was shown before."),
        "from_streamer": string(),
        "to_streamer": string(),
        "reason": string(
            "first, skip, turn, ended, stalled, returned, kick, removed, low_bitrate, moved, test, lost or "
            "standby; more may come."
        ),
        "outcome": string(
            "completed, creation_failed, not_ready, media_failed, cut_failed or obs_lost; more may come."
        ),
        "seconds": number("From the moment it was due to its picture, or to its end.", minimum=0),
        "detail": string(),
    },
    "One change of the one on air, or an attempt at it.",
)
STATES: Final = record(
    {
        "states": array(ref("State")),
        "transitions": array(
            record(
                {
                    "from": ref("State"),
                    "event": string(),
                    "to": ref("State"),
                    "when": string("The condition; empty where there is none."),
                    "meaning": string(),
                }
            )
        ),
    },
    "The state machine, as it is carried out.",
)

# --- OBS --------------------------------------------------------------------------------------------------------------

INPUTS: Final = record(
    {
        "status": SUCCESS,
        "inputs": array(
            record(
                {
                    "name": string(),
                    "kind": string(),
                    "own": truth("The daemon has made it."),
                    "shown": truth("It is shown in the scene of the streams."),
                }
            )
        ),
        "count": whole(minimum=0),
    }
)
MEDIA: Final = record(
    {
        "status": SUCCESS,
        "input_name": string(),
        "media_status": record(
            {
                "mediaState": string(),
                "mediaDuration": nullable(number("Milliseconds.")),
                "mediaCursor": nullable(number("Milliseconds.")),
            },
            "OBS's answer to GetMediaInputStatus.",
        ),
    }
)
CONNECTION: Final = record(
    {
        "status": SUCCESS,
        "connection_healthy": truth(),
        "message": string(),
        "connection": record(
            {
                "connected": truth(),
                "reason": string("Why it is not."),
                "version": nullable(string()),
                "websocket": nullable(string()),
                "losses": whole("Times that the connection was lost.", minimum=0),
                "fps": nullable(number()),
                "rendered_frames": nullable(whole()),
                "lagged_frames": nullable(whole()),
                "cpu_percent": nullable(number()),
                "memory_mb": nullable(number()),
            }
        ),
    }
)
RECONNECTED: Final = record(
    {"status": one_of("success", "warning"), "connection_healthy": truth(), "message": string()},
)
NOTIFY_TEST: Final = record(
    {
        "status": one_of("success", "warning", description="warning: one could not be sent."),
        "message": string(),
        "targets": array(
            record(
                {
                    "target": string("Its number in `notify.urls`, and its kind."),
                    "ok": truth(),
                    "problem": nullable(string("Why it was not sent.")),
                }
            )
        ),
    }
)
STREAMING: Final = record(
    {
        "status": SUCCESS,
        "outputActive": truth(),
        "outputReconnecting": truth(),
        "outputTimecode": string(),
        "outputDuration": number("Milliseconds."),
        "outputCongestion": number(),
        "outputBytes": number(),
        "outputSkippedFrames": whole(),
        "outputTotalFrames": whole(),
    },
    "OBS's answer to GetStreamStatus.",
)
MEASUREMENT: Final = record(
    {
        "streamer": string("Printable characters.", minLength=1, maxLength=LONGEST_NAME),
        "quantity": one_of("sound"),
        "value": nullable(number("dBFS, from -200 to 20; what is beyond counts as the bound. Null is silence.")),
    }
)
TEST_BODY: Final = record(
    {
        "rtmp_url": string(
            "The stream's URL: rtmp or rtmps, of the host and port of `ingest.rtmp_url`, ending in APP/STREAM.",
            maxLength=2048,
            pattern="^rtmps?://[A-Za-z0-9._~:/?\\[\\]&=%-]+$",
            examples=["rtmp://127.0.0.1:1935/live/alice"],
        ),
        "scene_name": string("`obs.scene`, which it is anyway.", maxLength=2048),
    },
    optional=("scene_name",),
)
TEST: Final = done(
    rtmp_url=string("As asked for, its keys made unreadable."),
    scene_name=string(),
    attempt=whole(minimum=0),
    state=ref("State"),
    session=string("The session that is shown."),
)
