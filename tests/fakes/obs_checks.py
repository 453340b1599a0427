"""The checks that obs-websocket makes on a request's fields, with its status codes and its very words."""

from enum import IntEnum
from typing import Any

from tests.fakes.obs_model import Filter, Input, Scene, SceneItem, Source
from tests.fakes.obs_studio import Studio

MAIN_CANVAS, MAIN_CANVAS_UUID = "Main", "6c69626f-6273-4c00-9d88-c5136d61696e"
"""Of libobs's own, in every OBS that has canvases."""


class Status(IntEnum):
    """RequestStatus, as far as the fake answers with it."""

    SUCCESS = 100
    MISSING_REQUEST_TYPE = 203
    UNKNOWN_REQUEST_TYPE = 204
    GENERIC_ERROR = 205
    UNSUPPORTED_BATCH_EXECUTION_TYPE = 206
    NOT_READY = 207  # since obs-websocket 5.3
    MISSING_FIELD = 300
    MISSING_DATA = 301
    INVALID_FIELD = 400
    INVALID_FIELD_TYPE = 401
    FIELD_OUT_OF_RANGE = 402
    FIELD_EMPTY = 403
    TOO_MANY_FIELDS = 404
    OUTPUT_RUNNING = 500
    OUTPUT_NOT_RUNNING = 501
    STUDIO_MODE_NOT_ACTIVE = 506
    NOT_FOUND = 600
    ALREADY_EXISTS = 601
    INVALID_RESOURCE_TYPE = 602
    NOT_ENOUGH_RESOURCES = 603
    INVALID_RESOURCE_STATE = 604
    INVALID_INPUT_KIND = 605
    INVALID_FILTER_KIND = 607
    CREATION_FAILED = 700
    PROCESSING_FAILED = 702
    CANNOT_ACT = 703


class RefusedError(Exception):
    """A request is refused: its status code, and the comment that goes with it, if any."""

    def __init__(self, code: int, comment: str | None = None) -> None:
        super().__init__(code, comment)
        self.code = code
        self.comment = comment


class Fields:
    """A request's data. Each method reads one field or raises RefusedError as obs-websocket does."""

    def __init__(self, data: Any, studio: Studio) -> None:
        self._given = isinstance(data, dict)
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._studio = studio

    def has(self, key: str) -> bool:
        """There, and not null."""
        return self._data.get(key) is not None

    def _required(self, key: str) -> Any:
        if not self._given:
            raise RefusedError(Status.MISSING_DATA, "Your request data is missing or invalid (non-object)")
        if not self.has(key):
            raise RefusedError(Status.MISSING_FIELD, f"Your request is missing the `{key}` field.")
        return self._data[key]

    def value(self, key: str) -> Any:
        """Of any type."""
        return self._required(key)

    def text(self, key: str) -> str:
        self._required(key)
        return self.optional_text(key)

    def optional_text(self, key: str, default: str = "") -> str:
        if not self.has(key):
            return default
        value = self._data[key]
        if not isinstance(value, str):
            raise RefusedError(Status.INVALID_FIELD_TYPE, f"The field value of `{key}` must be a string.")
        if not value:
            raise RefusedError(Status.FIELD_EMPTY, f"The field value of `{key}` must not be empty.")
        return value

    def number(self, key: str, low: float | None = None, high: float | None = None) -> float:
        self._required(key)
        return self.optional_number(key, 0, low, high)

    def optional_number(self, key: str, default: float, low: float | None = None, high: float | None = None) -> float:
        if not self.has(key):
            return default
        value, told = self._data[key], f"The field value of `{key}`"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError(Status.INVALID_FIELD_TYPE, f"{told} must be a number.")
        if low is not None and value < low:
            raise RefusedError(
                Status.FIELD_OUT_OF_RANGE, f"The field value of `{key}` is below the minimum of `{low:.6f}`"
            )
        if high is not None and value > high:
            raise RefusedError(
                Status.FIELD_OUT_OF_RANGE, f"The field value of `{key}` is above the maximum of `{high:.6f}`"
            )
        return value

    def flag(self, key: str) -> bool:
        self._required(key)
        return self.optional_flag(key, False)

    def optional_flag(self, key: str, default: bool) -> bool:
        if not self.has(key):
            return default
        value = self._data[key]
        if not isinstance(value, bool):
            raise RefusedError(Status.INVALID_FIELD_TYPE, f"The field value of `{key}` must be boolean.")
        return value

    def table(self, key: str, *, empty: bool) -> dict[str, Any]:
        self._required(key)
        return self.optional_table(key, empty=empty)

    def optional_table(self, key: str, *, empty: bool) -> dict[str, Any]:
        if not self.has(key):
            return {}
        value = self._data[key]
        if not isinstance(value, dict):
            raise RefusedError(Status.INVALID_FIELD_TYPE, f"The field value of `{key}` must be an object.")
        if not value and not empty:
            raise RefusedError(Status.FIELD_EMPTY, f"The field value of `{key}` must not be empty.")
        return value

    # Things of the studio

    def source(self, what: str = "source") -> Source:
        """By its name or its UUID, in the fields that begin with `what`."""
        version = self._studio.version
        by_name, by_uuid = f"{what}Name", f"{what}Uuid"
        if not version.uuids:
            return self._by_name(self.text(by_name))
        # Before OBS 32 a name counts more than a UUID.
        for key in (by_uuid, by_name) if version.canvases else (by_name, by_uuid):
            if (value := self._usable(key)) is not None:
                return self._by_uuid(value) if key == by_uuid else self._by_name(value)
        either = f"`{by_name}` with optional `canvasUuid`" if version.canvases else f"`{by_name}`"
        raise RefusedError(
            Status.MISSING_FIELD,
            f"Your request must contain at least one of the following fields: {either} or `{by_uuid}`.",
        )

    def _usable(self, key: str) -> str | None:
        value = self._data.get(key)
        return value if isinstance(value, str) and value else None

    def _by_name(self, name: str) -> Source:
        where = f" within the canvas `{MAIN_CANVAS}`" if self.canvas() else ""
        source = self._studio.current.source(name)
        if source is None:
            raise RefusedError(Status.NOT_FOUND, f"No source was found by the name of `{name}`{where}.")
        return source

    def _by_uuid(self, uuid: str) -> Source:
        source = self._studio.current.by_uuid(uuid)
        if source is None:
            raise RefusedError(Status.NOT_FOUND, f"No source was found by the UUID of `{uuid}`.")
        return source

    def canvas(self) -> str | None:
        """The UUID of the canvas that is meant, which is the main one; None where OBS has no canvases."""
        if not self._studio.version.canvases:
            return None
        uuid = self._usable("canvasUuid")
        if uuid not in {None, MAIN_CANVAS_UUID}:
            raise RefusedError(Status.NOT_FOUND, f"No canvas was found by the UUID of `{uuid}`.")
        return MAIN_CANVAS_UUID

    def scene(self, *, groups: bool = True) -> Scene:
        """A scene, or a group where the request takes one."""
        source = self.source("scene")
        if not isinstance(source, Scene):
            raise RefusedError(Status.INVALID_RESOURCE_TYPE, "The specified source is not a scene.")
        if source.is_group and not groups:
            raise RefusedError(Status.INVALID_RESOURCE_TYPE, "The specified source is not a scene. (Is group)")
        return source

    def input(self) -> Input:
        source = self.source("input")
        if not isinstance(source, Input):
            raise RefusedError(Status.INVALID_RESOURCE_TYPE, "The specified source is not an input.")
        return source

    def audio_input(self) -> Input:
        source = self.input()
        if not source.kind.audio:
            raise RefusedError(Status.INVALID_RESOURCE_STATE, "The specified input does not support audio.")
        return source

    def scene_item(self) -> tuple[Scene, SceneItem]:
        scene = self.scene()
        item_id = int(self.number("sceneItemId", 0))
        item = scene.item(item_id)
        if item is None:
            raise RefusedError(
                Status.NOT_FOUND, f"No scene items were found in scene `{scene.name}` with the ID `{item_id}`."
            )
        return scene, item

    def filter(self) -> tuple[Source, Filter]:
        source = self.source()
        name = self.text("filterName")
        found = next((one for one in source.filters if one.name == name), None)
        if found is None:
            raise RefusedError(
                Status.NOT_FOUND, f"No filter was found in the source `{source.name}` with the name `{name}`."
            )
        return source, found
