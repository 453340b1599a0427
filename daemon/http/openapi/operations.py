"""Every route of the API: what it takes, what it answers, and what it is refused with."""

from typing import Annotated, Any, Final

from pydantic import Field

from daemon.core.probing import PATH, Orders, Reports
from daemon.core.shapes import Done, Name
from daemon.health import shapes as health
from daemon.http.auth import PEER_HOOK
from daemon.http.openapi import hooks
from daemon.http.openapi.operation import (
    BODY,
    BUSY,
    HOOK,
    OBS,
    VALUE,
    Operation,
    Parameter,
    YesOrNo,
    both,
    in_path,
    in_query,
    ok,
)
from daemon.http.openapi.use_cases import CHANGING
from daemon.http.routes import dashboard
from daemon.http.shapes import control, pair, parameters, show, studio
from daemon.ingest.hook import FORM, JSON
from statemachine.monitors.quality import STALE
from statemachine.monitors.quantities import QUANTITIES, Quantity


def _measuring(name: str, quantity: Quantity) -> str:
    below, above = ("Below", "Above") if quantity.amiss < quantity.well else ("Above", "Below")
    told = f", and a notification after `quality.{quantity.grades}_warn`" if quantity.grades else ""
    return (
        f"`{name}` is in {quantity.unit}. {below} {quantity.amiss:g} for {quantity.seen_after:g} seconds it is a "
        f"health issue{told}. {above} {quantity.well:g} for {quantity.good_for:g} seconds that is over."
    )


LOOKING: Final = (
    Operation("status", "GET", "/status", "show", "What is on air and what comes next", ok(show.Status)),
    Operation("queue", "GET", "/queue", "show", "The line-up in detail, and who is blocked", ok(show.Queue)),
    Operation(
        "history",
        "GET",
        "/history",
        "show",
        "The last hand-overs, the newest first",
        ok(show.History),
        VALUE,
        (in_query("count", parameters.HandoverCount, default=int(parameters.SOME_HANDOVERS)),),
    ),
    Operation("states", "GET", "/states", "show", "The state machine's table", ok(show.StateTable)),
    Operation(
        "thumbnail",
        "GET",
        "/thumbnail",
        "show",
        "The program's picture",
        {200: {"image/jpeg": str}},
        both(OBS, VALUE, {503: ("no_picture",)}),
        (in_query("size", Annotated[str, Field(json_schema_extra={"enum": [*dashboard.WIDTHS]})]),),
        description="At most a second old.",
    ),
    Operation(
        "events",
        "GET",
        "/events",
        "show",
        "Everything that happens, as it happens",
        {200: {"text/event-stream": str}},
        {503: ("too_many",)},
        (Parameter("Last-Event-ID", "header", str),),
        description=(
            "Server-sent events, the first of them `hello`. The data of each kind has the schema `event.KIND`; kinds "
            "may be added. With `Last-Event-ID`, missed events that are still kept are sent first."
        ),
    ),
)

SCRIPTS: Final = (
    Operation(
        "queue_json",
        "GET",
        "/queue-json",
        "scripts",
        "The line-up's names",
        ok(control.StreamQueue),
    ),
    Operation(
        "time_settings",
        "GET",
        "/time-settings",
        "scripts",
        "The length of a turn, and the time left in the current one",
        ok(control.TimeSettings),
    ),
    Operation(
        "timer_data",
        "GET",
        "/timer-data",
        "scripts",
        "The time left in the current turn, for a timer shown in OBS",
        ok(control.RemainingTime),
        description="Requires no token and may be read by any page, as older timer pages do.",
    ),
    Operation(
        "update_timer",
        "POST",
        "/update-timer/{seconds}",
        "scripts",
        "Change the length of turns",
        ok(control.TurnLength),
        both(BUSY, {400: ("bad_name", "bad_setting", "bad_value"), 404: ("not_found",)}),
        (
            in_path("seconds", parameters.TurnSeconds),
            in_query("reset_time", Annotated[YesOrNo, Field(description="Restart the current turn.")]),
            in_query(
                "streamer",
                Annotated[Name, Field(description="Whose turn: a name in the line-up; everybody's if omitted.")],
            ),
        ),
    ),
    Operation(
        "is_blocked",
        "GET",
        "/block-toggle",
        "scripts",
        "Whether the last one on air may come straight back",
        ok(control.LastBlocked),
    ),
    Operation(
        "block_toggle",
        "POST",
        "/block-toggle",
        "scripts",
        "Toggle that",
        ok(control.BlockToggled),
        both(BUSY, {400: ("bad_setting",)}),
    ),
)

STUDIO: Final = (
    Operation("inputs", "GET", "/obs/list-inputs", "OBS", "All inputs of OBS", ok(studio.Inputs), OBS),
    Operation(
        "media_status",
        "GET",
        "/obs/media-input-status/{input}",
        "OBS",
        "State of one input",
        ok(studio.Media),
        both(OBS, {400: ("bad_name",)}),
        (in_path("input", parameters.InputName),),
    ),
    Operation(
        "connection_health",
        "GET",
        "/obs/connection-health",
        "OBS",
        "The connection to OBS",
        ok(studio.Connection),
    ),
    Operation("reconnect", "POST", "/obs/force-reconnect", "OBS", "Reconnect to OBS", ok(studio.Reconnected)),
    Operation(
        "test_notifications",
        "POST",
        "/notify/test",
        "health",
        "Send a test notification to every target",
        ok(control.NotifyTest),
        {409: ("no_targets", "test_running")},
        description="Skips the queue of pending messages. No answer contains an address.",
    ),
    Operation(
        "measured",
        "POST",
        "/measurements",
        "health",
        "Report a measurement of a streamer",
        ok(control.Measured),
        both(BODY, BUSY, {400: ("bad_name", "bad_value")}),
        body={JSON: control.Measurement},
        description=" ".join(_measuring(name, quantity) for name, quantity in QUANTITIES.items())
        + f" A measurement is valid for {STALE:g} seconds.",
    ),
    Operation(
        "probe",
        "POST",
        PATH,
        "health",
        "A probe reports what it measures, and hears whom to measure",
        ok(Orders),
        both(BODY, {403: ("probe_off",), 429: ("too_often",)}),
        body={JSON: Reports},
        description="For motherstream-probe. `probe.token` is accepted here, and nowhere else.",
    ),
    Operation(
        "preview",
        "GET",
        "/preview/{name}.jpg",
        "show",
        "A small picture of what a streamer sends, on air or not",
        {200: {"image/jpeg": str}},
        {400: ("bad_name",), 404: ("no_preview",)},
        (in_path("name", Name),),
        description="Some seconds old, and there while a probe measures the stream.",
    ),
    Operation(
        "streaming", "GET", "/obs/streaming-status", "OBS", "Whether OBS is streaming", ok(studio.Streaming), OBS
    ),
    Operation(
        "test",
        "POST",
        "/debug/test-dynamic-source-switch",
        "OBS",
        "Show a stream of the ingest server at once",
        ok(control.TestBegun, 202),
        both(
            BODY,
            BUSY,
            {
                400: ("bad_param", "bad_scheme", "bad_stream", "bad_url", "other_host"),
                404: ("not_found",),
                409: ("blocked", "name_taken", "no_picture", "on_air", "other_scene"),
            },
        ),
        body={JSON: control.TestBody},
    ),
    Operation(
        "set_z_offset",
        "POST",
        "/debug/set-source-z-offset",
        "OBS",
        "Set how many layers below the top new inputs are placed",
        ok(control.ZOffset),
        both(BUSY, {400: ("bad_setting", "bad_value")}),
        (in_query("z_offset", parameters.Layers, required=True),),
    ),
    Operation(
        "z_offset",
        "GET",
        "/debug/get-source-z-offset",
        "OBS",
        "How many layers below the top new inputs are placed",
        ok(control.ZOffset),
    ),
    Operation(
        "job_delay",
        "GET",
        "/debug/obs-job-delay",
        "OBS",
        "The minimum time between two hand-overs",
        ok(control.JobDelay),
    ),
    Operation(
        "set_job_delay",
        "POST",
        "/debug/obs-job-delay",
        "OBS",
        "Change the minimum time between two hand-overs",
        ok(control.JobDelay),
        both(BUSY, {400: ("bad_setting", "bad_value")}),
        (in_query("delay_seconds", parameters.Delay, required=True),),
        description="The parameter may also be called `seconds`.",
    ),
)

WATCHING: Final = (
    Operation("healthz", "GET", "/healthz", "health", "It runs", {**ok(studio.Alive), **ok(studio.Alive, 503)}),
    Operation(
        "readyz", "GET", "/readyz", "health", "Whether it can do its job", {**ok(studio.Ready), **ok(studio.Ready, 503)}
    ),
    Operation("metrics", "GET", "/metrics", "health", "For Prometheus", {200: {"text/plain": str}}),
    Operation("stream_health", "GET", "/stream-health/current", "health", "Stream health now", ok(health.HealthNow)),
    Operation(
        "stream_health_history",
        "GET",
        "/stream-health/history",
        "health",
        "Stream health samples",
        ok(health.HealthHistory),
        VALUE,
        (in_query("count", parameters.SampleCount, default=int(parameters.SOME_SAMPLES)),),
    ),
    Operation(
        "stream_health_status",
        "GET",
        "/stream-health/status",
        "health",
        "State of the health monitoring",
        ok(health.HealthStatus),
    ),
)

PAIR: Final = (
    Operation(
        "owner",
        "GET",
        "/owner",
        "pair",
        "Whether this daemon owns its channel",
        {**ok(pair.Role), **ok(pair.Role, 503)},
        description="200 at the owner, 503 at an heir: what a proxy asks that has to choose between two daemons.",
    ),
    Operation(
        "step_down",
        "POST",
        "/step-down",
        "pair",
        "Let the other daemon of the channel take over",
        ok(Done),
        {409: ("no_heir", "no_store")},
        description="It takes over within a second. Viewers see nothing of it.",
    ),
    Operation(
        "fleet",
        "GET",
        "/fleet",
        "pair",
        "All channels of the shared store",
        ok(pair.Fleet),
        {409: ("no_store",), 503: ("store_gone",)},
    ),
    Operation(
        "peer_hook",
        "POST",
        PEER_HOOK,
        "pair",
        "The channel's other daemon passes on a hook",
        ok(pair.PeerVerdict),
        both(BODY, {400: ("bad_value",), 403: ("not_a_peer",), 409: ("no_store",)}),
        body={JSON: pair.PeerHook},
        description="For daemons: it asks for a secret that is in the shared store alone.",
    ),
)

PAGES: Final = (
    Operation("dashboard", "GET", "/", "dashboard", "The dashboard", {200: {"text/html": str}}),
    Operation(
        "dashboard_file",
        "GET",
        "/dashboard/{file}",
        "dashboard",
        "The dashboard's files",
        {200: dict.fromkeys(dashboard.TYPES.values(), str), 304: {}},
        {404: ("not_found",)},
        (in_path("file", Annotated[str, Field(min_length=1, examples=["main.js"])]),),
    ),
    Operation(
        "signed_in",
        "GET",
        "/sign-in",
        "dashboard",
        "Whether a token is required, and whether this client has signed in",
        ok(control.SignInState),
    ),
    Operation(
        "sign_in",
        "POST",
        "/sign-in",
        "dashboard",
        "Sign in: exchange the token for a cookie",
        ok(Done),
        both(BODY, {401: ("unauthorized",), 429: ("too_many_tries",)}),
        body={JSON: control.SignInBody},
    ),
    Operation("sign_out", "POST", "/sign-out", "dashboard", "Sign out", ok(Done)),
    Operation(
        "openapi",
        "GET",
        "/openapi.json",
        "dashboard",
        "This description",
        ok(
            Annotated[
                dict[str, Any],
                Field(description="An OpenAPI document.", json_schema_extra={"required": ["openapi", "info", "paths"]}),
            ]
        ),
    ),
)

INGEST: Final = tuple(
    Operation(
        f"hook_{name.lower().replace('-', '_')}",
        "POST",
        f"/hooks/{name.lower()}",
        "hooks",
        f"{name} reports a publisher",
        ok(answer),
        both(HOOK, more),
        body={kind: body},
        description="2xx accepts the publisher; anything else refuses it.",
    )
    for name, kind, body, answer, more in (
        ("SRS", JSON, hooks.SrsHook, hooks.Code0, {}),
        ("Oryx", JSON, hooks.OryxHook, hooks.Code0, {}),
        ("nginx-rtmp", FORM, hooks.NginxRtmpHook, hooks.Code0, {}),
        ("MediaMTX", JSON, hooks.MediaMtxHook, hooks.Empty, {401: ()}),
    )
)

BY_GET: Final = Operation(
    "hook_nginx_rtmp_get",
    "GET",
    "/hooks/nginx-rtmp",
    "hooks",
    "nginx-rtmp reports a publisher, with notify_method get",
    ok(hooks.Code0),
    {400: (), 403: ()},
    (
        in_query("app", hooks.Part, required=True),
        in_query("name", hooks.Part, required=True),
        in_query("call", hooks.NginxRtmpCall, required=True),
    ),
    description="As the POST. The fields follow the hook URL's own arguments, starting with the app.",
)

OPERATIONS: Final = (*LOOKING, *CHANGING, *SCRIPTS, *STUDIO, *WATCHING, *PAIR, *PAGES, *INGEST, BY_GET)
