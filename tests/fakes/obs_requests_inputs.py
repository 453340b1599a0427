"""The request handlers: inputs, their media, sound and filters, and screenshots."""

import base64
import struct
import zlib
from typing import Any

from tests.fakes.obs_call import Call, Handlers
from tests.fakes.obs_checks import RefusedError, Status
from tests.fakes.obs_events import input_entry, size_of
from tests.fakes.obs_kinds import Settings, clean_settings
from tests.fakes.obs_media import PAUSED, PLAYING
from tests.fakes.obs_model import Input, Source
from tests.fakes.obs_requests_general import IMAGE_FORMATS

_ACTION = "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_"

HANDLERS = Handlers()


@HANDLERS.on("GetInputList")
def _inputs(call: Call) -> dict[str, Any]:
    kind = call.fields.optional_text("inputKind")
    listed = [one for one in call.studio.current.inputs if kind in {"", one.kind.name}]
    return {"inputs": [input_entry(one, call.studio.version) for one in listed]}


@HANDLERS.on("GetInputKindList")
def _kinds(call: Call) -> dict[str, Any]:
    plain = call.fields.optional_flag("unversioned", False)
    return {"inputKinds": [kind.unversioned if plain else kind.name for kind in call.studio.kinds.values()]}


@HANDLERS.on("CreateInput")
def _create_input(call: Call) -> dict[str, Any]:
    scene = call.fields.scene()
    name = call.fields.text("inputName")
    kind = call.fields.text("inputKind")
    if call.studio.current.source(name) is not None:
        raise RefusedError(Status.ALREADY_EXISTS, "A source already exists by that input name.")
    if kind not in call.studio.kinds:
        raise RefusedError(
            Status.INVALID_INPUT_KIND,
            "Your specified input kind is not supported by OBS. Check that your specified kind is properly versioned "
            "and that any necessary plugins are loaded.",
        )
    settings = clean_settings(call.fields.optional_table("inputSettings", empty=True))
    enabled = call.fields.optional_flag("sceneItemEnabled", True)
    item = call.studio.create_input(scene, name, kind, settings, enabled=enabled)
    made = {"inputUuid": item.source.uuid} if call.studio.version.uuids else {}
    return {**made, "sceneItemId": item.id}


@HANDLERS.on("RemoveInput")
def _remove_input(call: Call) -> None:
    call.studio.remove_input(call.fields.input().name)


@HANDLERS.on("SetInputName")
def _rename(call: Call) -> None:
    source = call.fields.input()
    new = call.fields.text("newInputName")
    if call.studio.current.source(new) is not None:
        raise RefusedError(Status.ALREADY_EXISTS, "A source already exists by that new input name.")
    call.studio.rename(source.name, new)


@HANDLERS.on("GetInputDefaultSettings")
def _defaults(call: Call) -> dict[str, Any]:
    kind = call.studio.kinds.get(call.fields.text("inputKind"))
    if kind is None:
        raise RefusedError(Status.INVALID_INPUT_KIND)
    return {"defaultInputSettings": dict(kind.defaults)}


@HANDLERS.on("GetInputSettings")
def _settings(call: Call) -> dict[str, Any]:
    source = call.fields.input()
    return {"inputSettings": dict(source.settings), "inputKind": source.kind.name}


@HANDLERS.on("SetInputSettings")
def _set_settings(call: Call) -> None:
    source = call.fields.input()
    call.studio.set_input_settings(source, new_settings(call, "inputSettings", source.settings))


def new_settings(call: Call, key: str, old: Settings) -> Settings:
    settings = clean_settings(call.fields.table(key, empty=True))
    return old | settings if call.fields.optional_flag("overlay", True) else settings


# Media


@HANDLERS.on("GetMediaInputStatus")
def _media(call: Call) -> dict[str, Any]:
    source = call.fields.input()
    timed = source.state in {PLAYING, PAUSED}
    return {
        "mediaState": source.state,
        "mediaDuration": 0 if timed else None,  # what a live stream has
        "mediaCursor": source.cursor if timed else None,
    }


@HANDLERS.on("TriggerMediaInputAction")
def _act(call: Call) -> None:
    source = call.fields.input()
    action = call.fields.text("mediaAction").removeprefix(_ACTION)
    if action not in {"PLAY", "PAUSE", "STOP", "RESTART", "NEXT", "PREVIOUS"}:
        raise RefusedError(Status.INVALID_FIELD, "You have specified an invalid media input action.")
    if source.medium.controllable and action not in {"NEXT", "PREVIOUS"}:
        source.medium.act(call.studio.clock.now(), action)
        call.studio.look(rendered=False)


# Pictures


@HANDLERS.on("GetSourceActive")
def _active(call: Call) -> dict[str, Any]:
    source = call.fields.source()
    active = source in call.studio.shown_sources()
    return {"videoActive": active, "videoShowing": active}


@HANDLERS.on("GetSourceScreenshot")
def _screenshot(call: Call) -> dict[str, Any]:
    source = call.fields.source()
    image_format = call.fields.text("imageFormat")
    if image_format not in IMAGE_FORMATS:
        raise RefusedError(
            Status.INVALID_FIELD, "Your specified image format is invalid or not supported by this system."
        )
    wanted = [int(call.fields.optional_number(key, 0, 8, 4096)) for key in ("imageWidth", "imageHeight")]
    call.fields.optional_number("imageCompressionQuality", -1, -1, 100)
    size = size_of(source, call.studio.canvas)
    if 0 in size and 0 in wanted:
        raise RefusedError(Status.PROCESSING_FAILED, "Failed to render screenshot.")
    if image_format != "png":  # the fake encodes no other
        raise RefusedError(Status.PROCESSING_FAILED, "Failed to encode screenshot.")
    width = wanted[0] or (wanted[1] * size[0] // size[1] if wanted[1] else size[0])
    height = wanted[1] or (wanted[0] * size[1] // size[0] if wanted[0] else size[1])
    image = base64.b64encode(_png(width, height, _colour(call, source))).decode()
    return {"imageData": f"data:image/png;base64,{image}"}


def _colour(call: Call, source: Source) -> bytes:
    """RGBA: nothing without a picture, else one that changes with every frame of a moving picture."""
    if isinstance(source, Input):
        source.medium.render()
        if not (source.has_picture and source.medium.drawn):
            return bytes(4)
        frame = source.medium.image
        return struct.pack(">I", zlib.crc32(f"{source.name} {frame}".encode()))[:3] + b"\xff"
    return struct.pack(">I", zlib.crc32(repr(call.studio.items(source.name)).encode()))[:3] + b"\xff"


def _png(width: int, height: int, colour: bytes) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    rows = (b"\0" + colour * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
