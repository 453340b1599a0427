"""The request handlers: general requests, scene collections, scenes and outputs."""

from typing import Any

from tests.fakes.obs_call import SERIAL_FRAME, SERIAL_REALTIME, Call, Handlers
from tests.fakes.obs_checks import MAIN_CANVAS, MAIN_CANVAS_UUID, RefusedError, Status
from tests.fakes.obs_events import Intent, scene_list
from tests.fakes.obs_model import Scene
from tests.fakes.obs_outputs import Output

IMAGE_FORMATS = ["bmp", "cur", "ico", "jpeg", "jpg", "pbm", "pgm", "png", "ppm", "xbm", "xpm"]

HANDLERS = Handlers()


# General

REALMS = ("OBS_WEBSOCKET_DATA_REALM_GLOBAL", "OBS_WEBSOCKET_DATA_REALM_PROFILE")


def _realm(call: Call) -> dict[str, Any]:
    realm = call.fields.text("realm")
    if realm not in REALMS:
        raise RefusedError(Status.NOT_FOUND, "You have specified an invalid persistent data realm.")
    return call.studio.persistent.setdefault(realm, {})


@HANDLERS.on("GetPersistentData")
def _persistent(call: Call) -> dict[str, Any]:
    return {"slotValue": _realm(call).get(call.fields.text("slotName"))}


@HANDLERS.on("SetPersistentData")
def _keep_persistent(call: Call) -> None:
    kept, name = _realm(call), call.fields.text("slotName")
    kept[name] = call.fields.value("slotValue")


@HANDLERS.on("GetVersion")
def _version(call: Call) -> dict[str, Any]:
    version = call.studio.version
    return {
        "obsVersion": version.obs,
        "obsWebSocketVersion": version.websocket,
        "rpcVersion": 1,
        "availableRequests": list(call.known),
        "supportedImageFormats": IMAGE_FORMATS,
        "platform": "debian",
        "platformDescription": version.system,
    }


@HANDLERS.on("GetStats")
def _stats(call: Call) -> dict[str, Any]:
    renderer = call.studio.renderer
    return {
        "cpuUsage": 5.0,
        "memoryUsage": 200.0,
        "availableDiskSpace": 50000.0,
        "activeFps": float(renderer.fps),
        "averageFrameRenderTime": 2.0,
        "renderSkippedFrames": renderer.skipped,
        "renderTotalFrames": renderer.frames,
        "outputSkippedFrames": 0,
        "outputTotalFrames": call.studio.record.frames or call.studio.stream.frames,
        "webSocketSessionIncomingMessages": call.session.get("in", 0),
        "webSocketSessionOutgoingMessages": call.session.get("out", 0),
    }


@HANDLERS.on("GetVideoSettings")
def _video_settings(call: Call) -> dict[str, Any]:
    return _video(call)


def _video(call: Call) -> dict[str, Any]:
    width, height = call.studio.canvas
    return {
        "fpsNumerator": call.studio.renderer.fps,
        "fpsDenominator": 1,
        "baseWidth": width,
        "baseHeight": height,
        "outputWidth": width,
        "outputHeight": height,
    }


@HANDLERS.on("SetVideoSettings")
def _set_video_settings(call: Call) -> None:
    studio = call.studio
    if studio.stream.active or studio.record.active:
        raise RefusedError(Status.OUTPUT_RUNNING, "Video settings cannot be changed while an output is active.")
    width, height = studio.canvas
    new = [
        int(call.fields.optional_number(key, old, 8, 4096))
        for key, old in (("baseWidth", width), ("baseHeight", height))
    ]
    studio.resize((new[0], new[1]))
    studio.renderer.fps = int(call.fields.optional_number("fpsNumerator", studio.renderer.fps, 1))


@HANDLERS.on("GetCanvasList", since=32)
def _canvases(call: Call) -> dict[str, Any]:
    flags = {"MAIN": True, "ACTIVATE": True, "MIX_AUDIO": True, "SCENE_REF": True, "EPHEMERAL": False}
    canvas = {"canvasName": MAIN_CANVAS, "canvasUuid": MAIN_CANVAS_UUID, "canvasFlags": flags}
    return {"canvases": [{**canvas, "canvasVideoSettings": _video(call)}]}


@HANDLERS.on("BroadcastCustomEvent")
def _custom_event(call: Call) -> None:
    call.studio.emit(Intent.GENERAL, "CustomEvent", call.fields.table("eventData", empty=False))


@HANDLERS.on("Sleep")
def _sleep(call: Call) -> None:
    if call.execution == SERIAL_REALTIME:
        call.sleep_seconds = call.fields.number("sleepMillis", 0, 50000) / 1000
    elif call.execution == SERIAL_FRAME:
        call.sleep_frames = int(call.fields.number("sleepFrames", 0, 10000))
    else:
        raise RefusedError(Status.UNSUPPORTED_BATCH_EXECUTION_TYPE)


# Scene collections


@HANDLERS.on("GetSceneCollectionList")
def _collections(call: Call) -> dict[str, Any]:
    return {
        "currentSceneCollectionName": call.studio.current.name,
        "sceneCollections": sorted(call.studio.collections),
    }


@HANDLERS.on("SetCurrentSceneCollection")
def _set_collection(call: Call) -> None:
    name = call.fields.text("sceneCollectionName")
    if name not in call.studio.collections:
        raise RefusedError(Status.NOT_FOUND)
    if name != call.studio.current.name:
        call.studio.begin_collection_change(name)
        call.studio.finish_collection_change()


@HANDLERS.on("CreateSceneCollection")
def _create_collection(call: Call) -> None:
    name = call.fields.text("sceneCollectionName")
    if name in call.studio.collections:
        raise RefusedError(Status.ALREADY_EXISTS)
    call.studio.begin_collection_change(name)
    call.studio.finish_collection_change()


# Scenes


@HANDLERS.on("GetSceneList")
def _scenes(call: Call) -> dict[str, Any]:
    call.fields.canvas()
    preview = call.studio.version.named("currentPreviewScene", call.studio.mode.preview)
    return {**_program_name(call), **preview, "scenes": scene_list(call.studio.current, call.studio.version)}


@HANDLERS.on("GetCurrentProgramScene")
def _program(call: Call) -> dict[str, Any]:
    again = call.studio.version.named("scene", _program_scene(call)) if call.studio.version.uuids else {}
    return {**_program_name(call), **again}


def _program_name(call: Call) -> dict[str, Any]:
    return call.studio.version.named("currentProgramScene", _program_scene(call))


def _program_scene(call: Call) -> Scene | None:
    return None if call.studio.mode.switching else call.studio.current.program


@HANDLERS.on("SetCurrentProgramScene")
def _set_program(call: Call) -> None:
    call.studio.set_program(call.fields.scene().name)


@HANDLERS.on("CreateScene")
def _create_scene(call: Call) -> dict[str, Any] | None:
    name = call.fields.text("sceneName")
    if call.studio.current.source(name) is not None:
        raise RefusedError(Status.ALREADY_EXISTS, "A source already exists by that scene name.")
    scene = call.studio.create_scene(name)
    return {"sceneUuid": scene.uuid} if call.studio.version.uuids else None


@HANDLERS.on("RemoveScene")
def _remove_scene(call: Call) -> None:
    scene = call.fields.scene()
    # 5.1.0 counts from a variable that it never sets, and may let the last scene go. The fake does as it meant to.
    if len(call.studio.current.scenes) < 2:
        raise RefusedError(Status.NOT_ENOUGH_RESOURCES, "You cannot remove the last scene in the collection.")
    call.studio.remove_scene(scene.name)


@HANDLERS.on("SetSceneName")
def _rename_scene(call: Call) -> None:
    scene = call.fields.scene()
    new = call.fields.text("newSceneName")
    if call.studio.current.source(new) is not None:
        raise RefusedError(Status.ALREADY_EXISTS, "A source already exists by that new scene name.")
    call.studio.rename(scene.name, new)


# Outputs


def _timecode(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{rest:03}"


def _output_status(call: Call, output: Output) -> dict[str, Any]:
    duration = output.duration(call.studio.renderer.fps)
    return {
        "outputActive": output.active,
        "outputTimecode": _timecode(duration),
        "outputDuration": duration,
        "outputBytes": output.bytes,
    }


@HANDLERS.on("GetStreamStatus")
def _stream_status(call: Call) -> dict[str, Any]:
    stream = call.studio.stream
    return {
        **_output_status(call, stream),
        "outputReconnecting": stream.reconnecting,
        "outputCongestion": 0.0,
        "outputSkippedFrames": 0,
        "outputTotalFrames": stream.frames,
    }


@HANDLERS.on("GetRecordStatus")
def _record_status(call: Call) -> dict[str, Any]:
    return {**_output_status(call, call.studio.record), "outputPaused": False}


def _start(output: Output) -> None:
    if output.active:
        raise RefusedError(Status.OUTPUT_RUNNING)
    output.start()


def _stop(output: Output) -> None:
    if not output.active:
        raise RefusedError(Status.OUTPUT_NOT_RUNNING)
    output.stop()


@HANDLERS.on("StartStream")
def _start_stream(call: Call) -> None:
    _start(call.studio.stream)


@HANDLERS.on("StopStream")
def _stop_stream(call: Call) -> None:
    _stop(call.studio.stream)


@HANDLERS.on("StartRecord")
def _start_record(call: Call) -> None:
    _start(call.studio.record)


@HANDLERS.on("StopRecord")
def _stop_record(call: Call) -> dict[str, Any]:
    _stop(call.studio.record)
    return {"outputPath": call.studio.record.path}
