"""MediaMTX: ``authHTTPAddress`` asks, any 20x accepts (``internal/auth/manager.go``).

It asks about readers and users of its API too: those are let in from the networks that hooks may come from, because
OBS and this daemon are such clients, and refused from anywhere else. It never tells of an end by itself: that comes
from its list of connections, or sooner from a ``runOnUnavailable`` (``runOnNotReady`` in older versions) that posts
``{"action": "unpublish", "path": "$MTX_PATH", "id": "$MTX_SOURCE_ID"}``.
"""

from typing import Final

from daemon.ingest.hook import Body, Hook, Ignored, Publish, Reply, Unpublish, Verdict, error_fields, json_reply
from daemon.ingest.stream import HookError, arguments_of, as_address, make_ref

SERVER: Final = "mediamtx"
OTHERS: Final = frozenset({"read", "playback", "api", "metrics", "pprof"})


def parse(raw: bytes) -> Hook:
    """What the body says. Raises HookError."""
    body = Body(raw)
    action = body.needed("action")
    if action in OTHERS:
        return Ignored(action, as_address(body.text("ip")))
    if action not in ("publish", "unpublish"):
        raise HookError("unknown_action", "the action is none of MediaMTX's that are known here", 401)
    app, slash, stream = body.needed("path").partition("/")
    if not slash:
        raise HookError("bad_path", "the path must be APP/STREAM, such as live/alice")
    ref = make_ref(
        SERVER,
        app,
        stream,
        arguments_of(body.text("query")),
        client_id=body.needed("id"),
        ip=body.text("ip"),
        # Publishers of RTSP, SRT and WebRTC give a password or a token rather than a query.
        credentials=(body.text("password"), body.text("token")),
    )
    return Publish(ref) if action == "publish" else Unpublish(ref)


def answer(verdict: Verdict) -> Reply:
    """401 is the refusal that makes MediaMTX ask an RTSP client for its credentials."""
    if verdict.accepted:
        return json_reply(200)
    return json_reply(401 if verdict.status == 403 else verdict.status, **error_fields(verdict))
