"""The shapes of what the ingest servers tell, and of what they are answered."""

from collections.abc import Iterable
from typing import Final

from daemon.http.openapi.words import Schema, nullable, one_of, record, string, whole
from daemon.ingest.servers import mediamtx, nginx_rtmp, oryx, srs
from daemon.ingest.stream import VHOST

_NAME: Final = string(pattern="^[A-Za-z0-9_-]{1,128}$")
_ID: Final = string(pattern="^[A-Za-z0-9_.:-]{0,128}$")
_VHOST: Final = string("A host's name or address.", pattern=f"^({VHOST.pattern})?$")
_CLIENT: Final[Schema] = {**_ID, "type": ["string", "integer", "null"]}
_ARGUMENTS: Final = string("The publisher's arguments, the key among them.", examples=["?key=SECRET"])


def _hook(
    description: str, needed: dict[str, Schema], also: dict[str, Schema], others: Iterable[str], begins: str = ""
) -> Schema:
    """A hook about a publisher, or one of the ``others``, which change nothing; both by their first field."""
    first = next(iter(needed))
    about = record({**needed, **also}, optional=tuple(also))
    return {"description": description, "anyOf": [about, record({first: _other(needed[first], others, begins)})]}


def _other(about: Schema, others: Iterable[str], begins: str = "") -> Schema:
    """The name of another hook, among them those that later versions may send."""
    rest = f"{begins}[a-z0-9_]{{0,29}}" if begins else "[a-z][a-z0-9_]{1,31}"
    text = string(pattern=f"^{rest}$", examples=sorted(others))
    return {**text, "not": {"enum": about["enum"]}}


SRS: Final = _hook(
    "SRS's `http_hooks`.",
    {"action": one_of("on_publish", "on_unpublish"), "app": _NAME, "stream": _NAME},
    {
        "param": nullable(_ARGUMENTS),
        "client_id": _CLIENT,
        "server_id": _CLIENT,
        "vhost": nullable(_VHOST),
        "ip": nullable(string()),
    },
    (*srs.OTHERS, srs.FORWARD),
    "on_",
)
_STREAM: Final[dict[str, Schema]] = {"app": _NAME, "stream": _NAME, "vhost": nullable(_VHOST)}
ORYX: Final[Schema] = {
    "description": "Oryx's callback.",
    "anyOf": [
        record(
            {"action": one_of("on_publish"), **_STREAM, "param": nullable(_ARGUMENTS), "request_id": _CLIENT},
            optional=("param", "request_id", "vhost"),
        ),
        record({"action": one_of("on_unpublish"), **_STREAM}, optional=("vhost",)),
        record({"action": _other(one_of("on_publish", "on_unpublish"), oryx.OTHERS, "on_")}),
    ],
}
NGINX_RTMP: Final = _hook(
    "nginx-rtmp's `on_publish` and `on_publish_done`, and the publisher's own arguments, the key among them.",
    {"call": one_of("publish", "publish_done"), "app": _NAME, "name": _NAME},
    {"addr": string(), "clientid": _ID, "tcurl": string()},
    nginx_rtmp.OTHERS,
)
MEDIAMTX: Final = _hook(
    "MediaMTX's `authHTTPAddress`, and the end of a stream from its `runOnUnavailable`.",
    {
        "action": one_of("publish", "unpublish"),
        "path": string(
            "APP/STREAM; of one level with ingest.default_app.", pattern="^[A-Za-z0-9_-]{1,128}/[A-Za-z0-9_-]{1,128}$"
        ),
        "id": {**_ID, "minLength": 1},
    },
    {
        "query": nullable(_ARGUMENTS),
        "ip": nullable(string()),
        "password": nullable(string()),
        "token": nullable(string()),
    },
    mediamtx.OTHERS,
)

NGINX_RTMP_QUERY: Final[tuple[tuple[str, Schema], ...]] = (
    ("app", _NAME),
    ("name", _NAME),
    ("call", one_of("publish", "publish_done", *sorted(nginx_rtmp.OTHERS))),
)
CODE_0: Final = record({"code": whole(const=0)}, "Accepted.")
EMPTY: Final = record({}, "Accepted.")
"""MediaMTX looks at the status alone."""
