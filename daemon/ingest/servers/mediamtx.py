"""MediaMTX: ``authHTTPAddress`` asks, any 20x accepts (``internal/auth/manager.go``).

It asks about readers and users of its API too: those are let in from the networks that hooks may come from, because
OBS and this daemon are such clients, and refused from anywhere else. It never tells of an end by itself: that comes
from its list of connections, or sooner from a ``runOnUnavailable`` (``runOnNotReady`` in older versions) that posts
``{"action": "unpublish", "path": "$MTX_PATH", "id": "$MTX_SOURCE_ID"}``.
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
from daemon.ingest.stream import HookError, arguments_of, as_address, make_ref

SERVER: Final = "mediamtx"
OTHERS: Final = frozenset({"read", "playback", "api", "metrics", "pprof"})


def parse(raw: bytes, default_app: str = "") -> Hook:
    """What the body says; ``default_app`` is that of a path of one level. Raises HookError."""
    body = Body(raw)
    action = body.needed("action")
    ip = as_address(body.text("ip"))
    if action in OTHERS:
        return Ignored(action, ip)
    if action.startswith("on_"):
        raise HookError("wrong_server", "this is a hook of SRS or Oryx, but it came to MediaMTX's address", 401)
    if action not in ("publish", "unpublish"):
        return unknown_action(action, "MediaMTX", ip)
    if action == "unpublish" and not body.text("id"):
        # Of a path that is always available: it goes, and had no publisher (``runOnUnavailable`` as MediaMTX stops).
        return Ignored(action)
    app, stream, flat = parts_of_path(body.needed("path"), default_app)
    arguments = arguments_of(body.text("query"))
    # Publishers of RTSP, SRT and WebRTC give a password or a token rather than a query. Before 1.12.3 the token of
    # one of WHIP stood in the query.
    credentials = (body.text("password"), body.text("token"), dict(arguments).get("jwt", ""))
    ref = make_ref(
        SERVER,
        app,
        stream,
        arguments,
        client_id=body.needed("id"),
        ip=ip,
        credentials=credentials,
        flat=flat,
    )
    if action == "unpublish":
        return Unpublish(ref)
    # An RTSP client shows its credentials once it was told 401 (internal/servers/rtsp/conn.go), and one of WHIP too.
    twice = body.text("protocol").startswith(("rtsp", "webrtc"))
    first = twice and not any((*credentials, body.text("user"), ref.key))
    return Publish(ref, asks_again=first)


def parts_of_path(path: str, default_app: str) -> tuple[str, str, bool]:
    """The app, the stream, and whether the path has one level. Raises HookError."""
    app, slash, stream = path.partition("/")
    if slash:
        return app, stream, False
    if not default_app:
        what = "set ingest.default_app to admit paths of one level, or publish to APP/STREAM, such as live/alice"
        raise HookError("bad_path", f"the path has one level: {what}")
    return default_app, path, True


def answer(verdict: Verdict) -> Reply:
    """401 is the refusal that makes MediaMTX ask an RTSP client for its credentials."""
    if verdict.accepted:
        return json_reply(200)
    return json_reply(401 if verdict.status == 403 else verdict.status, **error_fields(verdict))
