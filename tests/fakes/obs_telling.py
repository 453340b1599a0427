"""The events of the fake's scenes and inputs, with the fields that its version of OBS gives them."""

from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.fakes.obs_events import Intent, input_entry, scene_list, transform_of
from tests.fakes.obs_model import Collection, Input, Scene, SceneItem, Source
from tests.fakes.obs_versions import Version

Emit = Callable[[Intent, str, dict[str, Any]], None]


class Teller:
    """Tells what has come to pass, as it is by then."""

    def __init__(self, version: Version, emit: Emit) -> None:
        self._version = version
        self._named = version.named
        self._emit = emit

    # Scenes

    def scene(self, scene: Scene, what: str) -> None:
        """It was ``Created`` or ``Removed``."""
        self._emit(Intent.SCENES, f"Scene{what}", {**self._named("scene", scene), "isGroup": False})

    def scene_list(self, collection: Collection) -> None:
        self._emit(Intent.SCENES, "SceneListChanged", {"scenes": scene_list(collection, self._version)})

    def program(self, scene: Scene | None) -> None:
        if scene is not None:
            self._emit(Intent.SCENES, "CurrentProgramSceneChanged", self._named("scene", scene))

    def preview(self, scene: Scene) -> None:
        self._emit(Intent.SCENES, "CurrentPreviewSceneChanged", self._named("scene", scene))

    def transition(self, name: str, step: str) -> None:
        """It has ``Started``, ``VideoEnded`` or ``Ended``."""
        uuid = {"transitionUuid": str(uuid5(NAMESPACE_OID, name))} if self._version.uuids else {}
        self._emit(Intent.TRANSITIONS, f"SceneTransition{step}", {"transitionName": name, **uuid})

    def renamed(self, source: Source, old: str) -> None:
        """A scene or an input."""
        if isinstance(source, Scene):
            self._emit(Intent.SCENES, "SceneNameChanged", {"oldSceneName": old, **self._named("scene", source)})
        else:
            self._emit(Intent.INPUTS, "InputNameChanged", {"oldInputName": old, **self._named("input", source)})

    # Inputs

    def input_created(self, source: Input) -> None:
        settings = {"inputSettings": dict(source.settings), "defaultInputSettings": dict(source.kind.defaults)}
        self._emit(Intent.INPUTS, "InputCreated", {**input_entry(source, self._version), **settings})

    def input_removed(self, source: Input) -> None:
        self._emit(Intent.INPUTS, "InputRemoved", self._named("input", source))

    def settings(self, source: Input) -> None:
        if self._version.tells_settings:
            told = {**self._named("input", source), "inputSettings": dict(source.settings)}
            self._emit(Intent.INPUTS, "InputSettingsChanged", told)

    def active(self, source: Input, active: bool) -> None:
        named = self._named("input", source)
        self._emit(Intent.INPUT_ACTIVE_STATE_CHANGED, "InputActiveStateChanged", {**named, "videoActive": active})
        self._emit(Intent.INPUT_SHOW_STATE_CHANGED, "InputShowStateChanged", {**named, "videoShowing": active})

    # Scene items

    def item_created(self, scene: Scene, item: SceneItem) -> None:
        """On top of the scene."""
        created = {**self._named("source", item.source), "sceneItemIndex": len(scene.items) - 1}
        self._item("Created", scene, item, **created)
        if not item.enabled:
            self.item_enabled(scene, item)
        self._item("Selected", scene, item)

    def item_removed(self, scene: Scene, item: SceneItem) -> None:
        self._item("Removed", scene, item, **self._named("source", item.source))

    def item_enabled(self, scene: Scene, item: SceneItem) -> None:
        self._item("EnableStateChanged", scene, item, sceneItemEnabled=item.enabled)

    def reindexed(self, scene: Scene) -> None:
        order = [{"sceneItemId": one.id, "sceneItemIndex": place} for place, one in enumerate(scene.items)]
        told = {**self._named("scene", scene), "sceneItems": order}
        self._emit(Intent.SCENE_ITEMS, "SceneItemListReindexed", told)

    def transformed(self, scene: Scene, item: SceneItem, canvas: tuple[int, int]) -> None:
        transform = transform_of(item, canvas, self._version)
        told = {**self._named("scene", scene), "sceneItemId": item.id, "sceneItemTransform": transform}
        self._emit(Intent.SCENE_ITEM_TRANSFORM_CHANGED, "SceneItemTransformChanged", told)

    def _item(self, what: str, scene: Scene, item: SceneItem, **more: Any) -> None:
        told = {**self._named("scene", scene), "sceneItemId": item.id, **more}
        self._emit(Intent.SCENE_ITEMS, f"SceneItem{what}", told)
