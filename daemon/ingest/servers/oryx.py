"""Oryx: ``on_publish`` and ``on_unpublish`` (``platform/callback.go`` of 5.15.20).

It names no client: a publish is told from the next by its ``request_id``, and an end names the stream alone, without
the publisher's arguments. Accepted is status 200 with code 0, nothing else.
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

SERVER: Final = "oryx"
OTHERS: Final = frozenset({"on_record_begin", "on_record_end", "on_ocr"})


def parse(raw: bytes) -> Hook:
    """What the body says. Raises HookError."""
    body = Body(raw)
    action = body.needed("action")
    if action in OTHERS:
        return Ignored(action)
    if action not in ("on_publish", "on_unpublish"):
        return unknown_action(action, "Oryx", begins="on_")
    publishes = action == "on_publish"
    ref = make_ref(
        SERVER,
        body.needed("app").strip().strip("/"),
        body.needed("stream").strip().strip("/"),
        arguments_of(body.text("param")),
        # An end has a request id of its own, which belongs to no publish.
        client_id=body.identifier("request_id") if publishes else "",
        vhost=body.text("vhost"),
    )
    return Publish(ref) if publishes else Unpublish(ref)


def answer(verdict: Verdict) -> Reply:
    """As SRS's, but 201 would not do."""
    if verdict.accepted:
        return json_reply(200, code=0)
    return json_reply(verdict.status, code=verdict.status, **error_fields(verdict))
