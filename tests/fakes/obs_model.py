"""What a scene collection is made of: inputs, scenes, scene items, transforms, filters. Data, and no events."""

import itertools
import math
import struct
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID

from tests.fakes.obs_kinds import FILTERS, Kind, Settings
from tests.fakes.obs_media import Medium

_numbers = itertools.count(1)


def f32(value: float) -> float:
    """The value as libobs keeps it, in a C float."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


@dataclass(eq=False)
class Filter:
    """A filter on a source. Its index is its place in the source's list."""

    name: str
    kind: str
    settings: Settings
    enabled: bool = True

    @property
    def effective(self) -> Settings:
        return FILTERS[self.kind] | self.settings


@dataclass(eq=False)
class Source:
    """What inputs and scenes share: a name that no other source has, a UUID that stays with it, and filters."""

    name: str
    uuid: str = field(default_factory=lambda: str(UUID(int=next(_numbers))), init=False)
    filters: list[Filter] = field(default_factory=list, init=False)
    removed_at: float | None = field(default=None, init=False)  # asked to go, and not gone before a scene is rendered

    @property
    def opacity(self) -> float:
        """0 to 1, from its enabled colour filters."""
        value = 1.0
        for one in self.filters:
            if one.enabled and one.kind == "color_filter_v2":
                value *= float(one.effective["opacity"])
            elif one.enabled and one.kind == "color_filter":
                value *= float(one.effective["opacity"]) / 100
        return value


@dataclass(eq=False)
class Input(Source):
    """An input. `settings` are the user's; the defaults lie under them."""

    kind: Kind
    settings: Settings
    medium: Medium = field(default_factory=lambda: Medium({}, lambda _: (0, 0)))
    volume: float = 1.0
    muted: bool = False
    balance: float = 0.5
    sync_offset: int = 0  # milliseconds
    monitoring: str = "OBS_MONITORING_TYPE_NONE"
    tracks: dict[str, bool] = field(default_factory=lambda: {str(number): True for number in range(1, 7)})
    active: bool = False  # shown in the program
    leaked: bool = False  # removed, and still there for good

    @property
    def state(self) -> str:
        return self.medium.state

    @property
    def cursor(self) -> int:
        """Milliseconds."""
        return math.floor(self.medium.cursor)

    @property
    def has_picture(self) -> bool:
        return self.medium.picture


@dataclass
class Transform:
    """A scene item's transform, by obs-websocket's names."""

    positionX: float = 0.0
    positionY: float = 0.0
    rotation: float = 0.0
    scaleX: float = 1.0
    scaleY: float = 1.0
    alignment: int = 5
    boundsType: str = "OBS_BOUNDS_NONE"
    boundsAlignment: int = 0
    boundsWidth: float = 0.0
    boundsHeight: float = 0.0
    cropLeft: int = 0
    cropRight: int = 0
    cropTop: int = 0
    cropBottom: int = 0
    cropToBounds: bool = False  # since OBS 30

    def follow(self, old: tuple[int, int], new: tuple[int, int], *, scales: bool) -> None:
        """The canvas was of one size and is of another: keep the same share of its height, and of its middle."""
        factor = new[1] / old[1]
        self.positionX = f32(((2 * self.positionX - old[0]) * factor + new[0]) / 2)
        for name in ("positionY", "boundsWidth", "boundsHeight", *(("scaleX", "scaleY") if scales else ())):
            setattr(self, name, f32(getattr(self, name) * factor))

    def answer(self, size: tuple[int, int]) -> dict[str, Any]:
        width, height = float(size[0]), float(size[1])
        return {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "sourceWidth": width,
            "sourceHeight": height,
            "width": f32(self.scaleX * width),
            "height": f32(self.scaleY * height),
        }


@dataclass(eq=False)
class SceneItem:
    """A source's place in a scene. Ids count up from 1 within the scene and are never used twice."""

    id: int
    source: Source
    enabled: bool = True
    locked: bool = False
    transform: Transform = field(default_factory=Transform)
    known_size: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return self.source.name


@dataclass(eq=False)
class Scene(Source):
    """A scene, or a group. `items[0]` is the bottom, as in GetSceneItemList."""

    items: list[SceneItem] = field(default_factory=list)
    next_id: int = 1
    is_group: bool = False

    def item(self, item_id: int) -> SceneItem | None:
        return next((item for item in self.items if item.id == item_id), None)

    def named(self, name: str) -> list[SceneItem]:
        return [item for item in self.items if item.name == name]


@dataclass(eq=False)
class Collection:
    """A scene collection. Scenes in the order of their making; inputs newest first, as libobs lists them."""

    name: str
    scenes: list[Scene] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    program: Scene | None = None
    groups: list[Scene] = field(default_factory=list)
    relative: bool = False  # places and sizes of items are shares of the canvas

    def source(self, name: str) -> Source | None:
        everything: list[Source] = [*self.inputs, *self.scenes, *self.groups]
        return next((source for source in everything if source.name == name), None)

    def by_uuid(self, uuid: str) -> Source | None:
        everything: list[Source] = [*self.inputs, *self.scenes, *self.groups]
        return next((source for source in everything if source.uuid == uuid), None)

    def uses(self, source: Source) -> bool:
        return any(item.source is source for scene in (*self.scenes, *self.groups) for item in scene.items)
