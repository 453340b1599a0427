"""The request handlers: scene items and their transforms."""

from typing import Any

from tests.fakes.obs_call import Call, Handlers
from tests.fakes.obs_checks import Fields, RefusedError, Status
from tests.fakes.obs_events import item_list, size_of, transform_of
from tests.fakes.obs_model import Scene, f32

_UINT32 = 2**32 - 1
_BOUNDS = {
    "OBS_BOUNDS_NONE",
    "OBS_BOUNDS_STRETCH",
    "OBS_BOUNDS_SCALE_INNER",
    "OBS_BOUNDS_SCALE_OUTER",
    "OBS_BOUNDS_SCALE_TO_WIDTH",
    "OBS_BOUNDS_SCALE_TO_HEIGHT",
    "OBS_BOUNDS_MAX_ONLY",
}
# Field, lowest and highest value. In the order in which obs-websocket looks at them.
_RANGES: tuple[tuple[str, float | None, float | None], ...] = (
    ("positionX", -90001.0, 90001.0),
    ("positionY", -90001.0, 90001.0),
    ("rotation", -360.0, 360.0),
    ("scaleX", None, None),
    ("scaleY", -90001.0, 90001.0),
    ("alignment", 0, _UINT32),
    ("boundsType", None, None),
    ("boundsAlignment", 0, _UINT32),
    ("boundsWidth", 1.0, 90001.0),
    ("boundsHeight", 1.0, 90001.0),
    ("cropLeft", 0.0, 100000.0),
    ("cropRight", 0.0, 100000.0),
    ("cropTop", 0.0, 100000.0),
    ("cropBottom", 0.0, 100000.0),
)
_WHOLE = {"alignment", "boundsAlignment", "cropLeft", "cropRight", "cropTop", "cropBottom"}

HANDLERS = Handlers()


@HANDLERS.on("GetSceneItemList")
def _items(call: Call) -> dict[str, Any]:
    return {"sceneItems": item_list(call.fields.scene(groups=False), call.studio.canvas, call.studio.version)}


@HANDLERS.on("GetGroupSceneItemList")
def _group_items(call: Call) -> dict[str, Any]:
    group = call.fields.scene()
    if not group.is_group:
        raise RefusedError(Status.INVALID_RESOURCE_TYPE, "The specified source is not a group. (Is scene)")
    return {"sceneItems": item_list(group, call.studio.canvas, call.studio.version)}


@HANDLERS.on("GetSceneItemId")
def _item_id(call: Call) -> dict[str, Any]:
    scene = call.fields.scene()
    found = scene.named(call.fields.text("sourceName"))
    offset = int(call.fields.optional_number("searchOffset", 0, -1))
    if not found or offset >= len(found):
        raise RefusedError(Status.NOT_FOUND, "No scene items were found in the specified scene by that name or offset.")
    return {"sceneItemId": found[offset].id}


@HANDLERS.on("CreateSceneItem")
def _create_item(call: Call) -> dict[str, Any]:
    scene = call.fields.scene(groups=False)
    source = call.fields.source()
    if source is scene:
        raise RefusedError(Status.CANNOT_ACT, "You cannot create scene item of a scene within itself.")
    enabled = call.fields.optional_flag("sceneItemEnabled", True)
    if isinstance(source, Scene) and _holds(source, scene):
        raise RefusedError(Status.CREATION_FAILED, "Failed to create the scene item.")
    return {"sceneItemId": call.studio.add_item(scene, source, enabled=enabled).id}


def _holds(scene: Scene, wanted: Scene) -> bool:
    inner = [item.source for item in scene.items if isinstance(item.source, Scene)]
    return any(source is wanted or _holds(source, wanted) for source in inner)


@HANDLERS.on("RemoveSceneItem")
def _remove_item(call: Call) -> None:
    call.fields.scene(groups=False)
    call.studio.remove_item(*call.fields.scene_item())


@HANDLERS.on("GetSceneItemEnabled")
def _enabled(call: Call) -> dict[str, Any]:
    return {"sceneItemEnabled": call.fields.scene_item()[1].enabled}


@HANDLERS.on("SetSceneItemEnabled")
def _set_enabled(call: Call) -> None:
    scene, item = call.fields.scene_item()
    call.studio.set_enabled(scene, item, call.fields.flag("sceneItemEnabled"))


@HANDLERS.on("GetSceneItemIndex")
def _index(call: Call) -> dict[str, Any]:
    scene, item = call.fields.scene_item()
    return {"sceneItemIndex": scene.items.index(item)}


@HANDLERS.on("SetSceneItemIndex")
def _set_index(call: Call) -> None:
    scene, item = call.fields.scene_item()
    call.studio.move_item(scene, item, int(call.fields.number("sceneItemIndex", 0, 8192)))


@HANDLERS.on("GetSceneItemTransform")
def _transform(call: Call) -> dict[str, Any]:
    item = call.fields.scene_item()[1]
    return {"sceneItemTransform": transform_of(item, call.studio.canvas, call.studio.version)}


@HANDLERS.on("SetSceneItemTransform")
def _set_transform(call: Call) -> None:
    scene, item = call.fields.scene_item()
    given = Fields(call.fields.table("sceneItemTransform", empty=False), call.studio)
    size = size_of(item.source, call.studio.canvas)
    new: dict[str, Any] = {}
    for name, low, high in _RANGES:
        if not given.has(name):
            continue
        if name == "boundsType":
            new[name] = given.optional_text(name)
            if new[name] not in _BOUNDS:
                raise RefusedError(Status.INVALID_FIELD, "The field `boundsType` has an invalid value.")
            continue
        value = given.optional_number(name, 0, low, high)
        if name in {"scaleX", "scaleY"} and abs(value * size[name == "scaleY"]) >= 90001.0:
            raise RefusedError(
                Status.FIELD_OUT_OF_RANGE,
                f"The field `{name}` is too small or large for the current source resolution.",
            )
        new[name] = int(value) if name in _WHOLE else f32(value)
    if call.studio.version.crops_to_bounds and given.has("cropToBounds"):
        new["cropToBounds"] = given.optional_flag("cropToBounds", False)
    if not new:
        raise RefusedError(Status.CANNOT_ACT, "You have not provided any valid transform changes.")
    for name, value in new.items():
        setattr(item.transform, name, value)
    call.studio.transformed(scene, item)
