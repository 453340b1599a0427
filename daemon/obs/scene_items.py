"""A scene's items, also those inside its groups, and, for a name that is not among them, in the scenes nested in it."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from daemon.core.ports import NOT_FOUND, ObsError, ObsRefused
from daemon.obs.connection import NONSENSE, Link, Request

GROUP, SCENE = "group", "scene"
DEEPEST = 4
"""How far scenes within scenes are looked into."""
MOST_HOLDERS = 64
"""Groups and nested scenes that are read at once, at most."""


@dataclass(frozen=True, slots=True)
class SceneItem:
    """One scene item. Index 0 is the bottom."""

    name: str
    id: int
    index: int
    enabled: bool
    scene: str
    """The scene or the group that it lies in, as requests name it."""
    holder: "SceneItem | None" = None
    """The group's, or the nested scene's, own item; None for one that lies in the scene itself."""
    kind: str = ""
    """GROUP or SCENE for what holds items itself."""
    transform: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        """Enabled, as is all that it lies in."""
        return self.enabled and (self.holder is None or self.holder.shown)


@dataclass(frozen=True, slots=True)
class SceneItems:
    """What was read, the scene's own items first, from the bottom up. ``whole``: nothing in it was unreadable."""

    all: tuple[SceneItem, ...]
    whole: bool = True

    def __iter__(self) -> Iterator[SceneItem]:
        return iter(self.all)

    @property
    def direct(self) -> list[SceneItem]:
        """Those that lie in the scene itself."""
        return [item for item in self.all if item.holder is None]

    @property
    def holders(self) -> set[str]:
        """The groups and nested scenes in it."""
        return {item.name for item in self.all if item.kind}

    def named(self, name: str) -> list[SceneItem]:
        """All of that name, the oldest of the scene itself first."""
        found = [item for item in self.all if item.name == name]
        return sorted(found, key=lambda item: (item.holder is not None, item.id))

    def find(self, name: str, request: str) -> SceneItem:
        """The one of that name: one that is shown, else the oldest. Raises ObsRefused 600."""
        found = self.named(name)
        if not found:
            raise ObsRefused(request, NOT_FOUND, f"'{name}' is not in the scene")
        return next((item for item in found if item.shown), found[0])


_RENUMBERING = frozenset(
    {"SceneItemCreated", "SceneItemRemoved", "InputRemoved", "InputNameChanged", "SceneRemoved", "SceneNameChanged"}
)
"""Events after which an item may have another number or name, or be gone."""


class KnownItems:
    """What was read of the scene last, as long as nothing that is known of has changed there since.

    That is a hint: what another hand has done in this moment is not in it. So from it only items' numbers are taken,
    never whether something has yet to be done.
    """

    def __init__(self) -> None:
        self._items: SceneItems | None = None
        self._touched = 0

    @property
    def items(self) -> SceneItems | None:
        """None where they have to be read."""
        return self._items

    def touch(self) -> None:
        """Something is being changed in the scene, or may have been."""
        self._items = None
        self._touched += 1

    def on_event(self, kind: str) -> None:
        """OBS tells of something; ``kind`` is its event's type."""
        if kind in _RENUMBERING:
            self.touch()

    def reading(self) -> Callable[[SceneItems], None]:
        """A reading begins: what keeps its result, unless it is overtaken by a change."""
        touched = self._touched

        def keep(items: SceneItems) -> None:
            if touched == self._touched:
                self._items = items

        return keep


def enable(item: SceneItem, *, shown: bool) -> list[Request]:
    """The requests that show an item, with all that it lies in, or that hide it alone."""
    requests: list[Request] = []
    around: SceneItem | None = item
    while around is not None:
        if around is item or (shown and not around.enabled):
            asked = {"sceneName": around.scene, "sceneItemId": around.id, "sceneItemEnabled": shown}
            requests.append(Request("SetSceneItemEnabled", asked))
        around = around.holder
    return requests


async def read_items(
    link: Link, scene: str, names: Collection[str] | None = None, *, deep: Collection[str] = ()
) -> SceneItems:
    """The scene's items and those of its groups. Raises ObsError; ObsRefused 600 where there is no such scene.

    Where only ``names`` matter, groups are left out once each of them was found. For those of ``deep`` that are
    nowhere, the scenes nested in it are searched as well.
    """
    answer = await link.call("GetSceneItemList", {"sceneName": scene})
    return await look_into(link, rows(answer, scene), names, deep=deep)


async def look_into(
    link: Link, found: SceneItems, names: Collection[str] | None = None, *, deep: Collection[str] = ()
) -> SceneItems:
    """What ``read_items`` reads beyond the scene's own items, added to these."""
    items, whole = list(found.all), found.whole
    seen = {item.scene for item in items}
    level = items
    for _ in range(DEEPEST):
        there = {item.name for item in items}
        groups = names is None or not there.issuperset(names)
        scenes = not there.issuperset(deep)
        wanted = [item for item in level if (item.kind == GROUP and groups) or (item.kind == SCENE and scenes)]
        holders = list({item.name: item for item in wanted if item.name not in seen}.values())[:MOST_HOLDERS]
        if not holders:
            break
        seen.update(holder.name for holder in holders)
        inner = await _read_holders(link, holders)
        items += inner.all
        whole = whole and inner.whole
        level = list(inner.all)
    return SceneItems(tuple(items), whole)


async def _read_holders(link: Link, holders: Sequence[SceneItem]) -> SceneItems:
    kinds = {GROUP: "GetGroupSceneItemList", SCENE: "GetSceneItemList"}
    asked = [Request(kinds[holder.kind], {"sceneName": holder.name}) for holder in holders]
    items: list[SceneItem] = []
    whole = True
    for holder, result in zip(holders, await link.batch(asked), strict=False):
        if result.ok:  # a group may be dissolved at any time
            inner = rows(result.data, holder.name, holder)
            items += inner.all
            whole = whole and inner.whole
        elif result.code != NOT_FOUND:
            whole = False
    return SceneItems(tuple(items), whole)


def rows(answer: Mapping[str, Any], scene: str, holder: SceneItem | None = None) -> SceneItems:
    """Items out of an answer that lists them. One that cannot be read is left out. Raises ObsError for no list."""
    listed = answer.get("sceneItems")
    if not isinstance(listed, list | tuple):
        raise ObsError("GetSceneItemList: OBS's answer makes no sense (no list)")
    items = list(_readable(listed, scene, holder))
    return SceneItems(tuple(sorted(items, key=lambda item: item.index)), len(items) == len(listed))


def _readable(listed: Iterable[Any], scene: str, holder: SceneItem | None) -> Iterator[SceneItem]:
    for each in listed:
        try:
            yield _item(each, scene, holder)
        except NONSENSE:
            continue


def _item(each: Mapping[str, Any], scene: str, holder: SceneItem | None) -> SceneItem:
    kind = ""
    if each.get("isGroup") is True:
        kind = GROUP
    elif each.get("sourceType") == "OBS_SOURCE_TYPE_SCENE":
        kind = SCENE
    transform = each.get("sceneItemTransform")
    return SceneItem(
        text(each["sourceName"]),
        as_int(each["sceneItemId"]),
        as_int(each["sceneItemIndex"]),
        bool(each["sceneItemEnabled"]),
        scene,
        holder,
        kind,
        transform if isinstance(transform, Mapping) else {},
    )


def text(value: Any) -> str:
    """A name out of an answer. Raises TypeError where it is none."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def as_int(value: Any) -> int:
    """A number of OBS's that counts something. Raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("not a number")
    if abs(value) > 2**63:
        raise ValueError("out of range")
    return int(value)
