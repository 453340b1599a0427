"""obs-websocket's event categories, their bits, and the data of events that takes working out."""

from enum import IntFlag
from math import log10
from typing import Any

from tests.fakes.obs_model import Collection, Input, Scene, SceneItem, Source, f32
from tests.fakes.obs_versions import Version


class Intent(IntFlag):
    """An event's category, as in `eventIntent` and `eventSubscriptions`."""

    GENERAL = 1 << 0
    CONFIG = 1 << 1
    SCENES = 1 << 2
    INPUTS = 1 << 3
    TRANSITIONS = 1 << 4
    FILTERS = 1 << 5
    OUTPUTS = 1 << 6
    SCENE_ITEMS = 1 << 7
    MEDIA_INPUTS = 1 << 8
    VENDORS = 1 << 9
    UI = 1 << 10
    ALL = (1 << 11) - 1
    INPUT_VOLUME_METERS = 1 << 16
    INPUT_ACTIVE_STATE_CHANGED = 1 << 17
    INPUT_SHOW_STATE_CHANGED = 1 << 18
    SCENE_ITEM_TRANSFORM_CHANGED = 1 << 19


def size_of(source: Source, canvas: tuple[int, int]) -> tuple[int, int]:
    """A source's width and height: a scene has the canvas's, an input its picture's, (0, 0) before its first frame."""
    return source.medium.size if isinstance(source, Input) else canvas


def scene_list(collection: Collection, version: Version) -> list[dict[str, Any]]:
    """Scenes as GetSceneList gives them: the newest first, at index 0."""
    return [
        {**version.named("scene", scene), "sceneIndex": index}
        for index, scene in enumerate(reversed(collection.scenes))
    ]


def item_list(scene: Scene, canvas: tuple[int, int], version: Version) -> list[dict[str, Any]]:
    """Scene items as GetSceneItemList gives them: index 0 is the bottom."""
    return [_item(item, index, canvas, version) for index, item in enumerate(scene.items)]


def transform_of(item: SceneItem, canvas: tuple[int, int], version: Version) -> dict[str, Any]:
    answer = item.transform.answer(size_of(item.source, canvas))
    if not version.crops_to_bounds:
        del answer["cropToBounds"]
    return answer


def _item(item: SceneItem, index: int, canvas: tuple[int, int], version: Version) -> dict[str, Any]:
    source = item.source
    is_input = isinstance(source, Input)
    return {
        "sceneItemId": item.id,
        "sceneItemIndex": index,
        "sceneItemEnabled": item.enabled,
        "sceneItemLocked": item.locked,
        "sceneItemTransform": transform_of(item, canvas, version),
        "sceneItemBlendMode": "OBS_BLEND_NORMAL",
        **version.named("source", source),
        "sourceType": "OBS_SOURCE_TYPE_INPUT" if is_input else "OBS_SOURCE_TYPE_SCENE",
        "inputKind": source.kind.name if isinstance(source, Input) else None,
        "isGroup": source.is_group if isinstance(source, Scene) else None,
    }


def input_entry(source: Input, version: Version) -> dict[str, Any]:
    """An input as GetInputList and InputCreated have it."""
    entry = {
        **version.named("input", source),
        "inputKind": source.kind.name,
        "unversionedInputKind": source.kind.unversioned,
    }
    return entry | {"inputKindCaps": source.kind.flags} if version.tells_abilities else entry


def filter_list(source: Source) -> list[dict[str, Any]]:
    return [
        {
            "filterName": one.name,
            "filterKind": one.kind,
            "filterIndex": index,
            "filterEnabled": one.enabled,
            "filterSettings": dict(one.settings),
        }
        for index, one in enumerate(source.filters)
    ]


def volume_of(source: Input) -> dict[str, Any]:
    """The volume as a factor and in decibels, each a C float; silence is -100 dB."""
    decibels = f32(20 * log10(source.volume)) if source.volume > 0 else -100.0
    return {"inputVolumeMul": source.volume, "inputVolumeDb": decibels}
