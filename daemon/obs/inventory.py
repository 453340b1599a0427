"""What OBS holds: its scene, the daemon's own inputs, and the names that the configuration gives.

Any answer may be odd: what can be read of it is used, and a reading that is not whole says so.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemon.core.ports import NOT_FOUND, ObsError
from daemon.obs.connection import NONSENSE, Link, Request, Result
from daemon.obs.fence import Fence
from daemon.obs.identity import CALLED
from daemon.obs.owners import Mark, Owners
from daemon.obs.renamed import log_copies, name_again
from daemon.obs.scene_items import SceneItem, SceneItems, look_into, rows, text
from daemon.obs.sources import SOURCES
from statemachine.events import ForeignInput, Inventory, OwnInput

DIGITS = 18
"""More than an own name's number can ever have; Python refuses to read some thousands of them."""


class InputNames:
    """Which names are the daemon's own: the prefix and a number."""

    def __init__(self, prefix: str) -> None:
        self._own = re.compile(re.escape(prefix) + f"([0-9]{{1,{DIGITS}}})", re.ASCII)

    def number(self, name: str) -> int | None:
        """The number in an own name, None for any other."""
        found = self._own.fullmatch(name)
        return None if found is None else int(found[1])

    def own(self, name: str) -> bool:
        return self._own.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class InventoryReading:
    """OBS as it was read: for the rules, and for the adapter itself."""

    inventory: Inventory
    items: SceneItems
    video: Mapping[str, Any]
    """GetVideoSettings; empty where it was refused."""
    marks: Mapping[str, Mark]
    """Whose the inputs are that bear an own name, where they say so."""
    beside: Sequence[Result] = ()
    """What was answered to the query's ``beside``."""


@dataclass(frozen=True, slots=True)
class InventoryQuery:
    """What a reading is about."""

    scene: str
    names: InputNames
    stream_of: Callable[[str], str | None]
    fixtures: Collection[str] = ()
    """Items that people have made, by the configuration's names: each is searched for."""
    static: str = ""
    """The one input of mode static: it may be on air yet where the mode has become another."""
    sources: Collection[str] = ()
    """Inputs of which it is enough that they are in OBS."""
    beside: Sequence[Request] = ()
    """What else is asked in the same message, at the same moment."""

    @property
    def theirs(self) -> set[str]:
        """What people have made, whatever its settings say."""
        return {*self.fixtures, *self.sources}


@dataclass(frozen=True, slots=True)
class _Found:
    """What is read first."""

    inputs: Mapping[str, str]
    items: SceneItems
    video: Mapping[str, Any]
    whole: bool
    beside: Sequence[Result]
    renamed: Mapping[str, str]
    """Own inputs that are known by their UUIDs, by the names that people have given them."""


async def read_inputs(link: Link) -> list[tuple[str, str]]:
    """Name and kind of every input, also of those outside the scene. Raises ObsError."""
    return list(_inputs(await link.call("GetInputList"))[0].items())


async def read_inventory(link: Link, asked: InventoryQuery, owners: Owners) -> InventoryReading:
    """The own inputs in the order of their numbers, in the scene or not. Raises ObsError.

    One in the scene that somebody has renamed gets its name back. Where that is taken, as by the one that it is a copy
    of, it is an own one under the name that it has. So is one of a prefix that was configured before: it is on air yet.
    """
    names = asked.names
    found, made = await _find_named(link, asked, owners)
    strays = _strays(made, asked, owners)
    log_copies(strays, owners.copies)
    inputs, items = found.inputs, found.items
    own = _of_former_prefix(made, asked, owners)
    own += sorted((name for name in inputs if names.own(name)), key=lambda name: (names.number(name) or 0, name))
    own += sorted(name for name in strays if not names.own(name))
    static = [asked.static] if asked.static in inputs and asked.static not in own else []
    settings = await _settings(link, [*own, *static])
    marks = {name: mark for name in own if (mark := owners.mark(name, settings.get(name))) is not None}

    def read(name: str, placed: Sequence[SceneItem]) -> OwnInput:
        shown = sum(item.shown for item in placed)
        stream = _stream(inputs[name], settings.get(name), asked.stream_of)
        return OwnInput(name, shown > 0, stream, items=len(placed), shown_items=max(1, shown))

    mine: list[OwnInput] = []
    foreign: list[ForeignInput] = []
    for name in own:
        placed = [item for item in items.named(name) if item.holder is None or item.holder.kind != "scene"]
        if owners.foreign(name, in_scene=bool(placed)):
            foreign.append(ForeignInput(name, marks[name].text if name in marks else ""))
            continue
        owners.taken(name)
        mine.append(read(name, placed))
    for name, mark in made.items():
        if name not in own and owners.foreign(name, in_scene=True):
            # Of another prefix, but in this scene: viewers see the upper one of both.
            marks[name] = mark
            foreign.append(ForeignInput(name, mark.text))
    others = dict.fromkeys(item.name for item in items if item.shown and item.name not in own)
    inventory = Inventory(
        tuple(mine),
        tuple(others),
        missing=tuple(_missing(found, asked)),
        foreign=tuple(foreign),
        whole=found.whole and items.whole,
        # It may be in a nested scene, too: people have put it there.
        static=read(asked.static, items.named(asked.static)) if static else None,
    )
    return InventoryReading(inventory, items, found.video, marks, found.beside)


def _missing(found: _Found, asked: InventoryQuery) -> Iterator[str]:
    """What is configured and not there. A list that could not be read to its end does not tell that."""
    there = {item.name for item in found.items}
    if found.items.whole:
        yield from (name for name in asked.fixtures if name not in there)
    if found.whole:
        yield from (name for name in asked.sources if name not in found.inputs)


async def _find_named(link: Link, asked: InventoryQuery, owners: Owners) -> tuple[_Found, dict[str, Mark]]:
    """What is there, and what of it daemons have made, once each own input has its name back that can have it."""
    found = await _find(link, asked)
    made = await _marked(link, asked, found, owners)
    strays = _strays(made, asked, owners)
    strays |= {called: name for called, name in found.renamed.items() if not owners.foreign(name, in_scene=True)}
    if strays and await name_again(link, strays):
        found = await _find(link, asked)
        made = await _marked(link, asked, found, owners)
    return found, made


async def _find(link: Link, asked: InventoryQuery) -> _Found:
    requests = [
        Request("GetInputList"),
        Request("GetSceneItemList", {"sceneName": asked.scene}),
        Request("GetVideoSettings"),
    ]
    results = await link.batch([*requests, *asked.beside])
    if len(results) < len(requests):
        raise ObsError("GetInputList: OBS's answer makes no sense (too short)")
    (listed, placed, video), beside = results[:3], results[3:]
    inputs, whole = _inputs(listed.checked())
    link.identities.keep({name: uuid for name, uuid in _field(listed, "inputUuid") if asked.names.own(name)})
    renamed = {called: name for name, called in _field(listed, CALLED)}
    items = await look_into(link, rows(placed.checked(), asked.scene), deep=asked.fixtures)
    return _Found(inputs, items, video.data if video.ok else {}, whole, beside, renamed)


async def _marked(link: Link, asked: InventoryQuery, found: _Found, owners: Owners) -> dict[str, Mark]:
    """The scene's inputs that a daemon has made, this one or another, whatever their names are."""
    if not owners.own:
        return {}
    placed = dict.fromkeys(item.name for item in found.items if item.holder is None or item.holder.kind != "scene")
    suspects = [name for name in placed if found.inputs.get(name) in SOURCES and name not in asked.theirs]
    settings = await _settings(link, suspects)
    return {name: mark for name in suspects if (mark := owners.mark(name, settings.get(name))) is not None}


def _strays(made: Mapping[str, Mark], asked: InventoryQuery, owners: Owners) -> dict[str, str]:
    """Inputs that this daemon has made and that bear another name now, with the name that each had."""
    return {
        name: mark.made_as
        for name, mark in made.items()
        if mark.owner == owners.own and mark.made_as != name and asked.names.own(mark.made_as)
    }


def _of_former_prefix(made: Mapping[str, Mark], asked: InventoryQuery, owners: Owners) -> list[str]:
    """Inputs that bear the names that this daemon gave them, by another prefix than today's.

    And those that one gave them which made them for this scene and is no more.
    """
    return sorted(
        name
        for name, mark in made.items()
        if mark.made_as == name
        and not asked.names.own(name)
        and (mark.owner == owners.own or (mark.scene == owners.scene and not owners.foreign(name, in_scene=True)))
    )


def stream_of_path(url: str) -> str | None:
    """``app/stream`` of a URL ``rtmp://host/app/stream?…``."""
    found = re.fullmatch(r"rtmps?://[^/]+/([^?]+?)/([^/?]+)(?:\?.*)?", url)
    return None if found is None else f"{found[1]}/{found[2]}"


@dataclass(frozen=True, slots=True)
class Origin:
    """How it is known who made an input, and of which stream."""

    owner: str = ""
    """What this daemon marks its inputs with; empty: nothing is marked, and nothing is somebody else's."""
    stream_of: Callable[[str], str | None] = stream_of_path
    """Tells ``app/stream`` from the URL of an input, None where it cannot."""
    fence: Fence | None = None
    """Where OBS may be another daemon's by now."""


def _inputs(answer: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    """Kinds by name, and whether each entry could be read. Raises ObsError for no list."""
    listed = answer.get("inputs")
    if not isinstance(listed, list | tuple):
        raise ObsError("GetInputList: OBS's answer makes no sense (no list)")
    found: dict[str, str] = {}
    whole = True
    for each in listed:
        try:
            found[text(each["inputName"])] = str(each.get("inputKind"))
        except NONSENSE:
            whole = False
    return found, whole


def _field(listed: Result, key: str) -> Iterator[tuple[str, str]]:
    """Each listed input's name with a field of it, where it has that one. After ``_inputs``: it is a list."""
    for each in listed.data["inputs"]:
        if isinstance(each, Mapping) and isinstance(each.get("inputName"), str) and isinstance(each.get(key), str):
            yield each["inputName"], each[key]


async def _settings(link: Link, own: Sequence[str]) -> dict[str, Mapping[str, Any] | None]:
    """Their settings; None for one that is gone by now, and nothing for one that does not tell."""
    if not own:
        return {}
    asked = [Request("GetInputSettings", {"inputName": name}) for name in own]
    return {
        name: _settings_in(result)
        for name, result in zip(own, await link.batch(asked), strict=False)
        if result.ok or result.code == NOT_FOUND
    }


def _settings_in(result: Result) -> Mapping[str, Any] | None:
    settings = result.data.get("inputSettings")
    return settings if result.ok and isinstance(settings, Mapping) else None


def _stream(kind: str, settings: Mapping[str, Any] | None, stream_of: Callable[[str], str | None]) -> str | None:
    source = SOURCES.get(kind)
    if source is None or settings is None:
        return None
    try:
        url = source.url(settings)
        return None if url is None else stream_of(url)
    except NONSENSE:
        return None
