"""Every route of the API: what it takes, what it answers, and what it is refused with."""

from typing import Final

from daemon.config.types import LONGEST_TURN
from daemon.http.openapi import answers, health, hooks
from daemon.http.openapi.operation import (
    BODY,
    BUSY,
    HOOK,
    NAME,
    OBS,
    VALUE,
    YES_OR_NO,
    Operation,
    both,
    in_path,
    in_query,
    ok,
)
from daemon.http.openapi.words import array, done, number, one_of, record, ref, string, truth, typed, whole
from daemon.http.routes import dashboard, stream_health
from daemon.http.routes import lineup as api
from daemon.http.routes import obs as obs_api
from daemon.ingest.hook import FORM, JSON

_DELAY: Final = done(obs_job_delay_seconds=number("Seconds.", minimum=0))
_OFFSET: Final = done(z_offset=whole(minimum=0))
_BLOCKED: Final = {"is_blocked": truth("The last one on air may not come straight back.")}
_SIGNED: Final = done()
_TEXT: Final = string()

LOOKING: Final = (
    Operation("status", "GET", "/status", "show", "What is on air and what comes next", ok(ref("Status"))),
    Operation("queue", "GET", "/queue", "show", "The line-up in detail, and who is kept out", ok(ref("Queue"))),
    Operation(
        "history",
        "GET",
        "/history",
        "show",
        "The last hand-overs, the newest first",
        ok(record({"history": array(ref("Handover"))})),
        VALUE,
        (in_query("count", whole(minimum=1, maximum=api.MOST_HISTORY, default=50)),),
    ),
    Operation("states", "GET", "/states", "show", "The state machine's table", ok(answers.STATES)),
    Operation(
        "thumbnail",
        "GET",
        "/thumbnail",
        "show",
        "The program's picture",
        {200: {"image/jpeg": _TEXT}},
        both(OBS, VALUE, {503: ("no_picture",)}),
        (in_query("size", one_of(*dashboard.WIDTHS)),),
        description="At most a second old.",
    ),
    Operation(
        "events",
        "GET",
        "/events",
        "show",
        "Everything that happens, as it happens",
        {200: {"text/event-stream": _TEXT}},
        {503: ("too_many",)},
        ({"name": "Last-Event-ID", "in": "header", "required": False, "schema": string()},),
        description=(
            "Server-sent events, the first of them `hello`. The data of each kind has the schema `event.KIND`; kinds "
            "may be added. With `Last-Event-ID` what was missed is sent first, if it is still kept."
        ),
    ),
)

CHANGING: Final = (
    Operation(
        "skip",
        "POST",
        "/queue/skip",
        "line-up",
        "End the turn of the one on air",
        ok(done()),
        both(BUSY, {409: ("handover_pending", "nobody_on_air", "nobody_waits")}),
    ),
    Operation("hold", "POST", "/queue/hold", "line-up", "No turn ends by the clock", ok(done(held=truth())), BUSY),
    Operation("release", "POST", "/queue/release", "line-up", "Turns end by the clock", ok(done(held=truth())), BUSY),
    Operation(
        "move",
        "POST",
        "/queue/{name}/move",
        "line-up",
        "Give one who waits another place",
        ok(done(streamer=string(), position=whole(minimum=0))),
        both(BUSY, {400: ("bad_name", "bad_position", "bad_value"), 404: ("not_found",), 409: ("on_air",)}),
        (in_path("name", NAME), in_query("position", whole("From 0.", minimum=0, maximum=1_000_000), required=True)),
    ),
    Operation(
        "kick",
        "POST",
        "/queue/{name}/kick",
        "line-up",
        "Cut one off, and keep it out for a while",
        ok(done(streamer=string(), seconds=number(minimum=0))),
        both(BUSY, {400: ("bad_name", "bad_value")}),
        (
            in_path("name", NAME),
            in_query("seconds", number(minimum=0, maximum=LONGEST_TURN, default=int(api.KICK_SECONDS))),
        ),
    ),
    Operation(
        "let_in",
        "POST",
        "/queue/{name}/let-in",
        "line-up",
        "Let one who is kept out publish again",
        ok(done(streamer=string())),
        both(BUSY, {400: ("bad_name",), 409: ("not_blocked",)}),
        (in_path("name", NAME),),
    ),
    Operation(
        "remove",
        "DELETE",
        "/queue/{name}",
        "line-up",
        "Take one out; a new publish joins again",
        ok(done(streamer=string())),
        both(BUSY, {400: ("bad_name",), 404: ("not_found",)}),
        (in_path("name", NAME),),
    ),
)

SCRIPTS: Final = (
    Operation(
        "queue_json",
        "GET",
        "/queue-json",
        "scripts",
        "The line-up's names",
        ok(record({"stream_queue": array(string())})),
    ),
    Operation(
        "time_settings",
        "GET",
        "/time-settings",
        "scripts",
        "A turn's length, and what is left of the present one",
        ok(record({"swap_interval": whole("Seconds.", minimum=0), "remaining_time": whole("Seconds.", minimum=0)})),
    ),
    Operation(
        "timer_data",
        "GET",
        "/timer-data",
        "scripts",
        "What is left of the present turn, for a timer that OBS shows",
        ok(record({"remaining_time": whole("Seconds; 0 while nobody has the turn.", minimum=0)})),
        description="Asks for no token, and may be read by any page: that is how older timer pages read it.",
    ),
    Operation(
        "update_timer",
        "POST",
        "/update-timer/{seconds}",
        "scripts",
        "Change a turn's length",
        ok(done(time=whole("Seconds."), reset_time=truth())),
        both(BUSY, {400: ("bad_name", "bad_setting", "bad_value"), 404: ("not_found",)}),
        (
            in_path("seconds", whole(minimum=1, maximum=LONGEST_TURN)),
            in_query("reset_time", {**YES_OR_NO, "description": "The present turn begins anew."}),
            in_query(
                "streamer",
                {**NAME, "description": "Whose turn: a name in the line-up; everybody's where it is missing."},
            ),
        ),
    ),
    Operation(
        "is_blocked",
        "GET",
        "/block-toggle",
        "scripts",
        "Whether the last one on air may come straight back",
        ok(record(_BLOCKED)),
    ),
    Operation(
        "block_toggle",
        "POST",
        "/block-toggle",
        "scripts",
        "Let it, if it may not; else keep it from that",
        ok(done(**_BLOCKED, blocking=truth("As `is_blocked`."))),
        both(BUSY, {400: ("bad_setting",)}),
    ),
)

STUDIO: Final = (
    Operation("inputs", "GET", "/obs/list-inputs", "OBS", "All inputs of OBS", ok(answers.INPUTS), OBS),
    Operation(
        "media_status",
        "GET",
        "/obs/media-input-status/{input}",
        "OBS",
        "How an input plays",
        ok(answers.MEDIA),
        both(OBS, {400: ("bad_name",)}),
        (
            in_path(
                "input",
                {**NAME, "description": "An input's name: printable characters.", "examples": ["GMOTHERSTREAM_1"]},
            ),
        ),
    ),
    Operation(
        "connection_health",
        "GET",
        "/obs/connection-health",
        "OBS",
        "The connection to OBS",
        ok(answers.CONNECTION),
    ),
    Operation("reconnect", "POST", "/obs/force-reconnect", "OBS", "Make the connection anew", ok(answers.RECONNECTED)),
    Operation(
        "test_notifications",
        "POST",
        "/notify/test",
        "health",
        "Send a test to everybody who is told",
        ok(answers.NOTIFY_TEST),
        {409: ("no_targets", "test_running")},
        description="Past what waits to be sent. No answer holds an address.",
    ),
    Operation(
        "measured",
        "POST",
        "/measurements",
        "health",
        "Tell what was measured of the one on air",
        ok(done(streamer=string(), quantity=string())),
        both(BODY, BUSY, {400: ("bad_name", "bad_value")}),
        body={JSON: answers.MEASUREMENT},
        description="`sound` is its level in dBFS. Silent below -60 for 5 seconds, it is an issue of health, and told "
        "after `quality.silence`; above -50 for 2 seconds it sounds again. It is good for 30 seconds. Of one "
        "who is not on air it changes nothing.",
    ),
    Operation("streaming", "GET", "/obs/streaming-status", "OBS", "Whether OBS streams", ok(answers.STREAMING), OBS),
    Operation(
        "test",
        "POST",
        "/debug/test-dynamic-source-switch",
        "OBS",
        "Show a stream of the ingest server at once",
        ok(answers.TEST, 202),
        both(
            BODY,
            BUSY,
            {
                400: ("bad_param", "bad_scheme", "bad_stream", "bad_url", "other_host"),
                404: ("not_found",),
                409: ("blocked", "name_taken", "no_picture", "on_air", "other_scene"),
            },
        ),
        body={JSON: answers.TEST_BODY},
    ),
    Operation(
        "set_z_offset",
        "POST",
        "/debug/set-source-z-offset",
        "OBS",
        "Place new inputs so many layers below the top",
        ok(_OFFSET),
        both(BUSY, {400: ("bad_setting", "bad_value")}),
        (in_query("z_offset", whole(minimum=0, maximum=obs_api.MOST_OFFSET), required=True),),
    ),
    Operation("z_offset", "GET", "/debug/get-source-z-offset", "OBS", "Where new inputs are placed", ok(_OFFSET)),
    Operation("job_delay", "GET", "/debug/obs-job-delay", "OBS", "The least time between two hand-overs", ok(_DELAY)),
    Operation(
        "set_job_delay",
        "POST",
        "/debug/obs-job-delay",
        "OBS",
        "Change the least time between two hand-overs",
        ok(_DELAY),
        both(BUSY, {400: ("bad_setting", "bad_value")}),
        (in_query("delay_seconds", number(minimum=0, maximum=obs_api.MOST_DELAY), required=True),),
        description="The parameter may be called `seconds` too.",
    ),
)

WATCHING: Final = (
    Operation("healthz", "GET", "/healthz", "health", "It runs", {**ok(health.ALIVE), **ok(health.ALIVE, 503)}),
    Operation(
        "readyz", "GET", "/readyz", "health", "It can do its work", {**ok(health.READY), **ok(health.READY, 503)}
    ),
    Operation("metrics", "GET", "/metrics", "health", "For Prometheus", {200: {"text/plain": _TEXT}}),
    Operation("stream_health", "GET", "/stream-health/current", "health", "How the show plays", ok(health.HEALTH_NOW)),
    Operation(
        "stream_health_history",
        "GET",
        "/stream-health/history",
        "health",
        "How it has played",
        ok(health.HEALTH_HISTORY),
        VALUE,
        (
            in_query(
                "count",
                whole(minimum=1, maximum=stream_health.MOST_HISTORY, default=int(stream_health.DEFAULT_HISTORY)),
            ),
        ),
    ),
    Operation(
        "stream_health_status",
        "GET",
        "/stream-health/status",
        "health",
        "How the monitoring goes",
        ok(health.HEALTH_STATUS),
    ),
)

PAGES: Final = (
    Operation("dashboard", "GET", "/", "dashboard", "The dashboard", {200: {"text/html": _TEXT}}),
    Operation(
        "dashboard_file",
        "GET",
        "/dashboard/{file}",
        "dashboard",
        "The dashboard's files",
        {200: dict.fromkeys(dashboard.TYPES.values(), _TEXT), 304: {}},
        {404: ("not_found",)},
        (in_path("file", string(minLength=1, examples=["main.js"])),),
    ),
    Operation(
        "signed_in",
        "GET",
        "/sign-in",
        "dashboard",
        "Whether a token is asked for, and whether this client has signed in",
        ok(record({"token_required": truth(), "signed_in": truth()})),
    ),
    Operation(
        "sign_in",
        "POST",
        "/sign-in",
        "dashboard",
        "Take the token for a cookie",
        ok(_SIGNED),
        both(BODY, {401: ("unauthorized",), 429: ("too_many_tries",)}),
        body={JSON: record({"token": string(maxLength=2048)})},
    ),
    Operation("sign_out", "POST", "/sign-out", "dashboard", "Take the cookie back", ok(_SIGNED)),
    Operation(
        "openapi",
        "GET",
        "/openapi.json",
        "dashboard",
        "This description",
        ok(typed("object", "An OpenAPI document.", {"required": ["openapi", "info", "paths"]})),
    ),
)

INGEST: Final = tuple(
    Operation(
        f"hook_{name.lower().replace('-', '_')}",
        "POST",
        f"/hooks/{name.lower()}",
        "hooks",
        f"{name} tells of a publisher",
        ok(answer),
        both(HOOK, more),
        body={kind: ref(body)},
        description="Accepted is a 2xx; anything else refuses the publisher.",
    )
    for name, kind, body, answer, more in (
        ("SRS", JSON, "SrsHook", hooks.CODE_0, {}),
        ("Oryx", JSON, "OryxHook", hooks.CODE_0, {}),
        ("nginx-rtmp", FORM, "NginxRtmpHook", hooks.CODE_0, {}),
        ("MediaMTX", JSON, "MediaMtxHook", hooks.EMPTY, {401: ()}),
    )
)

BY_GET: Final = Operation(
    "hook_nginx_rtmp_get",
    "GET",
    "/hooks/nginx-rtmp",
    "hooks",
    "nginx-rtmp tells of a publisher, by notify_method get",
    ok(hooks.CODE_0),
    {400: (), 403: ()},
    tuple(in_query(name, schema, required=True) for name, schema in hooks.NGINX_RTMP_QUERY),
    description="As the POST. The fields stand behind the hook URL's own arguments, and the app is the first of them.",
)

OPERATIONS: Final = (*LOOKING, *CHANGING, *SCRIPTS, *STUDIO, *WATCHING, *PAGES, *INGEST, BY_GET)
