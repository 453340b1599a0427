"""SRS 4 to 7: ``http_hooks``, for publishers over RTMP, SRT and WebRTC alike.

SRS accepts on status 200 (or 201) with ``{"code": 0}`` (``srs_app_http_hooks.cpp``, ``do_post``); any other status
closes the publisher's connection and is written into SRS's log together with the body. SRS 4 sends fewer fields, so
all but the action, the app and the stream may be missing.
"""

from typing import Final

from daemon.ingest.hook import (
    Body,
    Hook,
    Ignored,
    Publish,
    Reply,
    Unpublish,
    Verdict,
    error_fields,
    json_reply,
    unknown_action,
)
from daemon.ingest.stream import arguments_of, make_ref

SERVER: Final = "srs"
OTHERS: Final = frozenset({"on_connect", "on_close", "on_play", "on_stop", "on_dvr", "on_hls", "on_hls_notify"})
"""Hooks that somebody may have pointed here too. They are accepted and change nothing."""
FORWARD: Final = "on_forward"
"""Asked where forward's ``backend`` is this URL, for each publisher; one whose answer lists no URLs is thrown out
(``on_forward_backend``)."""


def parse(raw: bytes) -> Hook:
    """What the body says. Raises HookError."""
    body = Body(raw)
    action = body.needed("action")
    if action in OTHERS:
        return Ignored(action)
    if action == FORWARD:
        return Ignored(action, answer=json_reply(200, code=0, data={"urls": []}))
    if action not in ("on_publish", "on_unpublish"):
        return unknown_action(action, "SRS", begins="on_")
    ref = make_ref(
        SERVER,
        body.needed("app").strip().strip("/"),
        # SRS takes blanks out by itself before it publishes (``SrsRequest::strip``).
        body.needed("stream").strip().strip("/"),
        arguments_of(body.text("param")),
        client_id=body.identifier("client_id"),
        instance=body.identifier("server_id"),
        vhost=body.text("vhost"),
        ip=body.text("ip"),
    )
    return Publish(ref) if action == "on_publish" else Unpublish(ref)


def answer(verdict: Verdict) -> Reply:
    """Accept with 200 and code 0; else the refusal's status, which is also the code, so that both say no."""
    if verdict.accepted:
        return json_reply(200, code=0)
    return json_reply(verdict.status, code=verdict.status, **error_fields(verdict))
