"""The request handlers: what viewers get, studio mode and its transitions."""

from typing import Any

from tests.fakes.obs_call import Call, Handlers
from tests.fakes.obs_checks import RefusedError, Status

HANDLERS = Handlers()


@HANDLERS.on("GetStudioModeEnabled")
def _studio_mode(call: Call) -> dict[str, Any]:
    return {"studioModeEnabled": call.studio.mode.on}


@HANDLERS.on("SetStudioModeEnabled")
def _set_studio_mode(call: Call) -> None:
    call.studio.mode.switch(call.fields.flag("studioModeEnabled"))


def _in_studio_mode(call: Call) -> None:
    if not call.studio.mode.on:
        raise RefusedError(Status.STUDIO_MODE_NOT_ACTIVE)


@HANDLERS.on("GetCurrentPreviewScene")
def _preview(call: Call) -> dict[str, Any]:
    _in_studio_mode(call)
    preview, named = call.studio.mode.preview, call.studio.version.named
    again = named("scene", preview) if call.studio.version.uuids else {}
    return {**named("currentPreviewScene", preview), **again}


@HANDLERS.on("SetCurrentPreviewScene")
def _set_preview(call: Call) -> None:
    _in_studio_mode(call)
    call.studio.mode.set_preview(call.fields.scene())


@HANDLERS.on("TriggerStudioModeTransition")
def _transition(call: Call) -> None:
    _in_studio_mode(call)
    if call.studio.mode.preview is not None:
        call.studio.set_program(call.studio.mode.preview.name)


@HANDLERS.on("GetCurrentSceneTransitionCursor")
def _cursor(call: Call) -> dict[str, Any]:
    return {"transitionCursor": call.studio.mode.cursor}


@HANDLERS.on("SetCurrentSceneTransition")
def _set_transition(call: Call) -> None:
    name = call.fields.text("transitionName")
    if name not in ("Cut", "Fade"):
        raise RefusedError(Status.NOT_FOUND, "No scene transition was found by that name.")
    call.studio.mode.transition = name
    call.studio.mode.transition_frames = 0 if name == "Cut" else max(1, round(0.3 * call.studio.renderer.fps))


@HANDLERS.on("SetCurrentSceneTransitionDuration")
def _set_duration(call: Call) -> None:
    milliseconds = call.fields.number("transitionDuration", 50, 20000)
    if call.studio.mode.transition != "Cut":
        call.studio.mode.transition_frames = max(1, round(milliseconds / 1000 * call.studio.renderer.fps))
