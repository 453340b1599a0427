"""A short way for tests to call an OBS, fake or real, through simpleobsws; and what they call it with."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

import simpleobsws
from simpleobsws import Request, RequestBatchExecutionType

SCENE = "MOTHERSTREAM"
URL = "rtmp://127.0.0.1:1935/live/alice"
PIPELINE = f'rtmp2src location="{URL}" ! decodebin name=d d. ! videoconvert ! video.sink d. ! audioconvert ! audio.sink'
GSTREAMER = {"pipeline": PIPELINE, "stop_on_hide": False}
FFMPEG = {"is_local_file": False, "input": URL, "restart_on_activate": False}


class Reachable(Protocol):
    """An OBS, fake or real: where it listens, and its password (None: it asks for none)."""

    @property
    def url(self) -> str: ...

    @property
    def password(self) -> str | None: ...


@contextlib.asynccontextmanager
async def client(
    obs: Reachable, *, password: str | None = None, subscriptions: int | None = None
) -> AsyncIterator[Any]:
    """Connected to it, though perhaps not identified yet. `password`: another than its own."""
    parameters = simpleobsws.IdentificationParameters(eventSubscriptions=subscriptions)
    ws = simpleobsws.WebSocketClient(obs.url, password or obs.password or "", parameters)
    await ws.connect()
    try:
        yield ws
    finally:
        await ws.disconnect()


class Caller:
    """A client that answers with the data, or with (code, comment) where it was refused."""

    def __init__(self, ws: Any) -> None:
        self.ws = ws

    async def __call__(self, request_type: str, **data: Any) -> Any:
        answer = await self.ws.call(Request(request_type, data or None))
        if not answer.ok():
            return answer.requestStatus.code, answer.requestStatus.comment
        return answer.responseData

    async def create(self, name: str, kind: str, settings: dict[str, Any], *, shown: bool = False) -> int:
        data = {"sceneName": SCENE, "inputName": name, "inputKind": kind, "inputSettings": settings}
        answer = await self("CreateInput", **data, sceneItemEnabled=shown)
        return int(answer["sceneItemId"])

    async def status(self, name: str) -> tuple[str, int | None, float]:
        """Media state, cursor, and the width of the scene item of that name."""
        media = await self("GetMediaInputStatus", inputName=name)
        items = (await self("GetSceneItemList", sceneName=SCENE))["sceneItems"]
        width = next(item["sceneItemTransform"]["sourceWidth"] for item in items if item["sourceName"] == name)
        return media["mediaState"].removeprefix("OBS_MEDIA_STATE_"), media["mediaCursor"], width

    async def batch(self, *requests: Request, **options: Any) -> list[int]:
        options.setdefault("execution_type", RequestBatchExecutionType.SerialFrame)
        answers = await self.ws.call_batch(list(requests), **options)
        return [answer.requestStatus.code for answer in answers]


def enable(item: int, shown: bool) -> Request:
    return Request("SetSceneItemEnabled", {"sceneName": SCENE, "sceneItemId": item, "sceneItemEnabled": shown})
