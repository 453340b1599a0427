"""The shapes of what the ingest servers tell, and of what they are answered."""

from typing import Annotated, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypeAliasType, TypedDict

from daemon.ingest.servers import mediamtx, nginx_rtmp, oryx, srs
from daemon.ingest.stream import VHOST

_PUBLISHING: Final = ["on_publish", "on_unpublish"]
_NGINX_RTMP: Final = ["publish", "publish_done"]
_MEDIAMTX: Final = ["publish", "unpublish"]
# Others change nothing, among them those that later versions may send.
_ON: Final = "^on_[a-z0-9_]{0,29}$"
_WORD: Final = "^[a-z][a-z0-9_]{1,31}$"

Part = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,128}$")]
Id = Annotated[str, Field(pattern="^[A-Za-z0-9_.:-]{0,128}$")]
ClientId = Id | int | None
Vhost = Annotated[
    Annotated[str, Field(pattern=f"^({VHOST.pattern})?$")] | None, Field(description="A host's name or address.")
]
Arguments = Annotated[
    str | None, Field(description="The publisher's arguments, the key among them.", examples=["?key=SECRET"])
]


class SrsPublisher(TypedDict):
    """About a publisher."""

    action: Annotated[str, Field(json_schema_extra={"enum": [*_PUBLISHING]})]
    app: Part
    stream: Part
    param: NotRequired[Arguments]
    client_id: NotRequired[ClientId]
    server_id: NotRequired[ClientId]
    vhost: NotRequired[Vhost]
    ip: NotRequired[str | None]


class SrsOther(TypedDict):
    """Another hook, which changes nothing."""

    action: Annotated[
        str,
        Field(
            pattern=_ON,
            examples=sorted({*srs.OTHERS, srs.FORWARD}),
            json_schema_extra={"not": {"enum": [*_PUBLISHING]}},
        ),
    ]


class OryxPublish(TypedDict):
    """About a publisher who comes."""

    action: Literal["on_publish"]
    app: Part
    stream: Part
    vhost: NotRequired[Vhost]
    param: NotRequired[Arguments]
    request_id: NotRequired[ClientId]


class OryxUnpublish(TypedDict):
    """About a publisher who leaves."""

    action: Literal["on_unpublish"]
    app: Part
    stream: Part
    vhost: NotRequired[Vhost]


class OryxOther(TypedDict):
    """Another callback, which changes nothing."""

    action: Annotated[
        str,
        Field(pattern=_ON, examples=sorted(oryx.OTHERS), json_schema_extra={"not": {"enum": [*_PUBLISHING]}}),
    ]


class NginxRtmpPublisher(TypedDict):
    """About a publisher."""

    call: Annotated[str, Field(json_schema_extra={"enum": [*_NGINX_RTMP]})]
    app: Part
    name: Part
    addr: NotRequired[str]
    clientid: NotRequired[Id]
    tcurl: NotRequired[str]


class NginxRtmpOther(TypedDict):
    """Another call, which changes nothing."""

    call: Annotated[
        str,
        Field(pattern=_WORD, examples=sorted(nginx_rtmp.OTHERS), json_schema_extra={"not": {"enum": [*_NGINX_RTMP]}}),
    ]


class MediaMtxPublisher(TypedDict):
    """About a publisher."""

    action: Annotated[str, Field(json_schema_extra={"enum": [*_MEDIAMTX]})]
    path: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,128}/[A-Za-z0-9_-]{1,128}$")]
    """APP/STREAM; of one level with ingest.default_app."""
    id: Annotated[Id, Field(min_length=1)]
    query: NotRequired[Arguments]
    ip: NotRequired[str | None]
    password: NotRequired[str | None]
    token: NotRequired[str | None]


class MediaMtxUnavailable(TypedDict):
    """The end of a path that is always available and had no publisher, which changes nothing."""

    action: Annotated[str, Field(json_schema_extra={"enum": ["unpublish"]})]
    id: NotRequired[Annotated[str | None, Field(json_schema_extra={"enum": ["", None]})]]
    ip: NotRequired[str | None]


class MediaMtxOther(TypedDict):
    """Another question, which changes nothing."""

    action: Annotated[
        str,
        Field(pattern=_WORD, examples=sorted(mediamtx.OTHERS), json_schema_extra={"not": {"enum": [*_MEDIAMTX]}}),
    ]


SrsHook = TypeAliasType("SrsHook", Annotated[SrsPublisher | SrsOther, Field(description="SRS's `http_hooks`.")])
OryxHook = TypeAliasType(
    "OryxHook", Annotated[OryxPublish | OryxUnpublish | OryxOther, Field(description="Oryx's callback.")]
)
NginxRtmpHook = TypeAliasType(
    "NginxRtmpHook",
    Annotated[
        NginxRtmpPublisher | NginxRtmpOther,
        Field(
            description="nginx-rtmp's `on_publish` and `on_publish_done`, and the publisher's own arguments, the key "
            "among them."
        ),
    ],
)
MediaMtxHook = TypeAliasType(
    "MediaMtxHook",
    Annotated[
        MediaMtxPublisher | MediaMtxUnavailable | MediaMtxOther,
        Field(description="MediaMTX's `authHTTPAddress`, and the end of a stream from its `runOnUnavailable`."),
    ],
)

NginxRtmpCall = Annotated[str, Field(json_schema_extra={"enum": [*_NGINX_RTMP, *sorted(nginx_rtmp.OTHERS)]})]


class Code0(TypedDict):
    """Accepted."""

    code: Literal[0]


class Empty(TypedDict):
    """Accepted."""

    # MediaMTX looks at the status alone.
