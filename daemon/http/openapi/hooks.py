"""The shapes of what the ingest servers tell, and of what they are answered."""

from typing import Final

from daemon.http.openapi.words import nullable, one_of, record, string, whole
from daemon.ingest import mediamtx, nginx_rtmp, oryx, srs

_NAME: Final = string(pattern="^[A-Za-z0-9_-]{1,128}$")
_ACTS: Final = ("on_publish", "on_unpublish")
SRS_HOOK: Final = record(
    {
        "action": one_of(*_ACTS, *sorted(srs.OTHERS)),
        "app": _NAME,
        "stream": _NAME,
        "param": nullable(string("The publisher's arguments, the key among them.", examples=["?key=SECRET"])),
        "client_id": {"type": ["string", "integer", "null"]},
        "server_id": {"type": ["string", "integer", "null"]},
        "vhost": nullable(string()),
        "ip": nullable(string()),
    },
    "SRS's `http_hooks`.",
    optional=("app", "stream", "param", "client_id", "server_id", "vhost", "ip"),
)
ORYX_HOOK: Final = record(
    {
        "action": one_of(*_ACTS, *sorted(oryx.OTHERS)),
        "app": _NAME,
        "stream": _NAME,
        "param": nullable(string("The publisher's arguments, the key among them.")),
        "request_id": {"type": ["string", "integer", "null"]},
        "vhost": nullable(string()),
    },
    "Oryx's callback.",
    optional=("app", "stream", "param", "request_id", "vhost"),
)
NGINX_HOOK: Final = record(
    {
        "call": one_of("publish", "publish_done", *sorted(nginx_rtmp.OTHERS)),
        "app": _NAME,
        "name": _NAME,
        "addr": string(),
        "clientid": string(),
        "tcurl": string(),
    },
    "nginx-rtmp's `on_publish` and `on_publish_done`, and the publisher's own arguments, the key among them.",
    optional=("app", "name", "addr", "clientid", "tcurl"),
)
MEDIAMTX_HOOK: Final = record(
    {
        "action": one_of("publish", "unpublish", *sorted(mediamtx.OTHERS)),
        "path": string("APP/STREAM.", pattern="^[A-Za-z0-9_-]{1,128}/[A-Za-z0-9_-]{1,128}$"),
        "id": string("The publisher's."),
        "query": nullable(string("The publisher's arguments, the key among them.")),
        "ip": nullable(string()),
        "password": nullable(string()),
        "token": nullable(string()),
    },
    "MediaMTX's `authHTTPAddress`, and the end of a stream from its `runOnUnavailable`.",
    optional=("path", "id", "query", "ip", "password", "token"),
)

CODE_0: Final = record({"code": whole(const=0)}, "Accepted.")
EMPTY: Final = record({}, "Accepted.")
"""MediaMTX looks at the status alone."""
