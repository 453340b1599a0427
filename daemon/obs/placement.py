"""Where an input lies in the scene: ``z_offset`` layers below the top, fitted to the canvas.

Layers are counted without the daemon's own inputs. Both inputs of a hand-over are in the scene for a while; if the
outgoing counted as an overlay, the incoming would come to lie one layer lower with each hand-over. The newest own input
lies right above the older ones, so a fade goes from the one below to the one above.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from daemon.obs.connection import Link, Request
from daemon.obs.inventory import Item, Names, read_scene
from daemon.obs.supervisor import Traits
from daemon.ports import ObsRefused

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the scene: the item's index there, 0 at the bottom, and the offset that this amounts to."""

    index: int
    z_offset: int


def spot(others: Sequence[str], z_offset: int, own: Callable[[str], bool]) -> Spot:
    """Where to put an item, given the names of all the others from the bottom up.

    In a scene of ten with one own input, an offset of 5 leaves five above it and is index 4.
    """
    overlays = [index for index, name in enumerate(others) if not own(name)]
    reached = min(max(z_offset, 0), len(overlays))
    if reached == 0:
        return Spot(len(others), 0)
    # Into the place of the last overlay that stays above, which moves up by one.
    return Spot(overlays[-reached], reached)


class Placer:
    """Puts items into their place. Tells the log when a scene has too few layers, once for each way that it has."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None

    async def place(self, link: Link, scene: str, name: str, z_offset: int, names: Names, traits: Traits) -> int:
        """Returns the offset after clamping. Raises ObsError; ObsRefused where it is not in the scene."""
        items = await read_scene(link, scene)
        item = find(items, name, "SetSceneItemIndex")
        where = spot([each.name for each in items if each.id != item.id], z_offset, names.own)
        at = {"sceneName": scene, "sceneItemId": item.id}
        requests = [Request("SetSceneItemTransform", {**at, "sceneItemTransform": fitted(traits)})]
        if item.index != where.index:
            requests.append(Request("SetSceneItemIndex", {**at, "sceneItemIndex": where.index}))
        for result in await link.batch(requests):
            result.checked()
        self._tell(z_offset, where.z_offset)
        return where.z_offset

    def _tell(self, asked: int, got: int) -> None:
        if asked == got:
            self._told = None
        elif self._told != (asked, got):
            self._told = (asked, got)
            log.warning(f"z_offset {asked} clamped to {got}: the scene has no more layers", z_offset=asked, clamped=got)


def fitted(traits: Traits) -> dict[str, Any]:
    """A transform that scales a picture of any size into the canvas and keeps its shape.

    ffmpeg_source comes in at the publisher's own size.
    """
    return {
        "boundsType": "OBS_BOUNDS_SCALE_INNER",
        "boundsWidth": float(traits.width),
        "boundsHeight": float(traits.height),
        "boundsAlignment": 0,
        "alignment": 5,
        "positionX": 0.0,
        "positionY": 0.0,
    }


def find(items: Sequence[Item], name: str, request: str) -> Item:
    """The topmost item of that name. Raises ObsRefused 600."""
    for item in reversed(items):
        if item.name == name:
            return item
    raise ObsRefused(request, 600, f"'{name}' is not in the scene")
