"""What OBS holds: the scene's items, and the daemon's own inputs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daemon.obs.connection import Link, Request, sense
from daemon.obs.sources import SOURCES
from statemachine.events import Inventory, OwnInput


@dataclass(frozen=True, slots=True)
class Item:
    """One scene item. Index 0 is the bottom."""

    name: str
    id: int
    index: int
    shown: bool


class Names:
    """Which names are the daemon's own: the prefix and a number."""

    def __init__(self, prefix: str) -> None:
        self._own = re.compile(re.escape(prefix) + r"([0-9]+)", re.ASCII)

    def number(self, name: str) -> int | None:
        """The number in an own name, None for any other."""
        found = self._own.fullmatch(name)
        return None if found is None else int(found[1])

    def own(self, name: str) -> bool:
        return self._own.fullmatch(name) is not None


async def read_scene(link: Link, scene: str) -> list[Item]:
    """The scene's items, the bottom first. Raises ObsError; ObsRefused 600 where there is no such scene."""
    answer = await link.call("GetSceneItemList", {"sceneName": scene})
    with sense("GetSceneItemList"):
        return _items(answer["sceneItems"])


async def read_inputs(link: Link) -> list[tuple[str, str]]:
    """Name and kind of every input, also of those outside the scene. Raises ObsError."""
    answer = await link.call("GetInputList")
    with sense("GetInputList"):
        return [(str(each["inputName"]), str(each["inputKind"])) for each in answer["inputs"]]


async def read_inventory(link: Link, scene: str, names: Names, stream_of: Callable[[str], str | None]) -> Inventory:
    """The own inputs in the order of their numbers, in the scene or not. Raises ObsError."""
    results = await link.batch([Request("GetInputList"), Request("GetSceneItemList", {"sceneName": scene})])
    with sense("GetInputList"):
        listed, scened = results
        inputs = {str(each["inputName"]): str(each["inputKind"]) for each in listed.checked()["inputs"]}
        items = _items(scened.checked()["sceneItems"])
    own = sorted(filter(names.own, inputs), key=lambda name: (names.number(name) or 0, name))
    shown = {item.name for item in items if item.shown}
    streams = await _streams(link, own, inputs, stream_of)
    others = dict.fromkeys(item.name for item in items if item.shown and not names.own(item.name))
    return Inventory(tuple(OwnInput(name, name in shown, streams.get(name)) for name in own), tuple(others))


def stream_of_path(url: str) -> str | None:
    """``app/stream`` of a URL ``rtmp://host/app/stream?…``."""
    found = re.fullmatch(r"rtmps?://[^/]+/([^?]+?)/([^/?]+)(?:\?.*)?", url)
    return None if found is None else f"{found[1]}/{found[2]}"


async def _streams(
    link: Link, own: Sequence[str], kinds: dict[str, str], stream_of: Callable[[str], str | None]
) -> dict[str, str | None]:
    if not own:
        return {}
    asked = [Request("GetInputSettings", {"inputName": name}) for name in own]
    streams: dict[str, str | None] = {}
    for name, result in zip(own, await link.batch(asked), strict=False):
        source = SOURCES.get(kinds[name])
        # One that is on its way out answers with an error, and is not heard of again.
        with sense("GetInputSettings"):
            url = source.url(result.data.get("inputSettings") or {}) if result.ok and source else None
        streams[name] = None if url is None else stream_of(url)
    return streams


def _items(answer: Sequence[dict[str, object]]) -> list[Item]:
    items = [
        Item(
            str(each["sourceName"]),
            int(str(each["sceneItemId"])),
            int(str(each["sceneItemIndex"])),
            bool(each["sceneItemEnabled"]),
        )
        for each in answer
    ]
    return sorted(items, key=lambda item: item.index)
