"""Where an input lies in the scene: ``z_offset`` layers below the top, fitted to the canvas.

Layers are counted without the daemon's own inputs. Both inputs of a hand-over are in the scene for a while; if the
outgoing counted as an overlay, the incoming would come to lie one layer lower with each hand-over. The newest own input
lies right above the older ones, so a fade goes from the one below to the one above.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from daemon.core.ports import ObsError
from daemon.obs.connection import Link, Request
from daemon.obs.dressing import CARRIED, SOUND, Complaints, changes, dress, filters, place, questions
from daemon.obs.inventory import InputNames
from daemon.obs.scene_items import SceneItems, look_into, rows
from daemon.obs.supervisor import Traits

CANVASES: Final = 8
"""Sizes of the canvas that are remembered: those of before, and the one of now."""

log = structlog.get_logger(__name__)


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


@dataclass(frozen=True, slots=True)
class Wish:
    """How an input is to be placed and dressed."""

    name: str
    z_offset: int
    template: str = ""
    like: str = ""
    """The input that stands in for a template where there is none."""


class Placer:
    """Puts items into their place. Tells the log when a scene has too few layers, once for each way that it has."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None
        self._complaints = Complaints()
        self._fitted: deque[dict[str, Any]] = deque(maxlen=CANVASES)
        """What inputs were fitted to, the newest last."""

    async def place(self, link: Link, scene: str, wish: Wish, names: InputNames, traits: Traits) -> int:
        """Returns the offset after clamping. Raises ObsError; ObsRefused where it is not in the scene.

        Two batches, the one that reads and the one that sets, whatever there is to take over.
        """
        name = wish.name
        asked = questions(wish.template, SOUND) if wish.template else []
        carried = questions(wish.like, CARRIED) if wish.like else []
        worn = Request("GetSourceFilterList", {"sourceName": name})
        read = [Request("GetSceneItemList", {"sceneName": scene}), worn, *asked, *carried]
        results = await link.batch(read)
        if len(results) < len(read):
            raise ObsError("GetSceneItemList: OBS's answer makes no sense (too short)")
        nested = {each for each in (name, wish.template) if each}
        items = await look_into(link, rows(results[0].checked(), scene), nested)
        item = items.find(name, "SetSceneItemIndex")
        template = dress(results[2 : 2 + len(asked)])
        wanted = template or dress(results[2 + len(asked) :])
        box = next(iter(items.named(wish.template)), None) if wish.template else None
        at = {"sceneName": item.scene, "sceneItemId": item.id}
        placing = [Request("SetSceneItemTransform", {**at, "sceneItemTransform": place(box, fitted(traits))})]
        offset = wish.z_offset
        if item.holder is None:
            below = [each.name for each in items.direct if each.id != item.id]
            where = spot(below, wish.z_offset, lambda each: names.own(each) or each == wish.template)
            offset = where.z_offset
            if item.index != where.index:
                placing.append(Request("SetSceneItemIndex", {**at, "sceneItemIndex": where.index}))
        taking_over = changes(name, wanted, filters(results[1])) if wanted else []
        answers = await link.batch([*placing, *taking_over])
        for result in answers[: len(placing)]:
            result.checked()
        self._complaints.check(taking_over, answers[len(placing) :])
        self._log_clamped(wish.z_offset, offset)
        return offset

    async def dress_again(self, link: Link, wish: Wish) -> None:
        """The same again for what it takes over, where that may have changed since. Raises ObsError."""
        name, model = wish.name, wish.template or wish.like
        asked = questions(model, SOUND if wish.template else CARRIED)
        results = await link.batch([*asked, Request("GetSourceFilterList", {"sourceName": name})])
        wanted = dress(results[:-1]) if len(results) > len(asked) else None
        if wanted is None or not results[-1].ok:
            return
        if requests := changes(name, wanted, filters(results[-1])):
            self._complaints.check(requests, await link.batch(requests))

    async def refit(self, link: Link, items: SceneItems, own: Collection[str], traits: Traits) -> None:
        """Fit to the canvas the own inputs that fill one of before, as it was for each that was placed meanwhile.

        Raises ObsError.
        """
        new = fitted(traits)
        if new not in self._fitted:
            self._fitted.append(new)
        former = [each for box in self._fitted for each in (box, followed(box, new)) if each != new]
        requests = [
            Request(
                "SetSceneItemTransform",
                {"sceneName": item.scene, "sceneItemId": item.id, "sceneItemTransform": new},
            )
            for item in items
            if item.name in own and any(_fills(item.transform, box) for box in former)
        ]
        if requests:
            await link.batch(requests, frame=True)

    def _log_clamped(self, asked: int, got: int) -> None:
        if asked == got:
            self._told = None
        elif self._told != (asked, got):
            self._told = (asked, got)
            log.warning(f"z_offset {asked} clamped to {got}: the scene has no more layers", z_offset=asked, clamped=got)


def _fills(transform: Mapping[str, Any], box: Mapping[str, Any]) -> bool:
    """Whether a transform is the one that this daemon gives; an operator's own is left alone."""

    def same(found: Any, wanted: Any) -> bool:
        if isinstance(wanted, str) or not isinstance(found, int | float):
            return bool(found == wanted)
        return bool(abs(found - wanted) < 0.5)

    return all(same(transform.get(key), wanted) for key, wanted in box.items())


def followed(box: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What OBS 31 and later make of a box that filled a canvas when that becomes another.

    In scene collections of their own making, sizes are shares of the canvas's height, and places across are counted
    from its middle (``pos_to_absolute`` in libobs's obs-scene.c): with another shape it fills the canvas no more.
    """
    width = box["boundsWidth"] * new["boundsHeight"] / box["boundsHeight"]
    return {**new, "boundsWidth": width, "positionX": (new["boundsWidth"] - width) / 2}


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
