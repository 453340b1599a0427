"""What a fresh input takes over from another one, so that an operator sets it once and not after each hand-over.

With ``obs.template`` that is all of the template: volume, mute, balance, sync offset, monitoring, audio tracks, filters
with their settings, order and state, and its place in the scene with the crop. Without one it is what belongs to the
studio and not to the streamer, of the input on air: volume, balance, monitoring, tracks and filters. It is done while
the input is hidden, in the batches that put it into its place.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from daemon.core.ports import NOT_FOUND
from daemon.obs import fade, level
from daemon.obs.connection import ObsEvent, Request, Result
from daemon.obs.scene_items import SceneItem

log = structlog.get_logger(__name__)

SOUND: Final[Mapping[str, str]] = {
    "InputVolume": "inputVolumeMul",
    "InputAudioBalance": "inputAudioBalance",
    "InputAudioMonitorType": "monitorType",
    "InputAudioTracks": "inputAudioTracks",
    "InputMute": "inputMuted",
    "InputAudioSyncOffset": "inputAudioSyncOffset",
}
"""What is got and set by a request each, and the field that holds it."""
CARRIED: Final = frozenset({"InputVolume", "InputAudioBalance", "InputAudioMonitorType", "InputAudioTracks"})
"""What of it is taken over from the input on air: its mute and its sync offset belong to its streamer."""
EVENTS: Final = frozenset(
    {
        *("InputVolumeChanged", "InputAudioBalanceChanged", "InputAudioMonitorTypeChanged", "InputAudioTracksChanged"),
        *("InputMuteStateChanged", "InputAudioSyncOffsetChanged", "SourceFilterCreated", "SourceFilterRemoved"),
        *("SourceFilterNameChanged", "SourceFilterListReindexed", "SourceFilterEnableStateChanged"),
        "SourceFilterSettingsChanged",
    }
)
"""Events after which an input may have to be looked at again. The last is sent from OBS 30 on."""
PLACE: Final = (
    *("positionX", "positionY", "rotation", "scaleX", "scaleY", "alignment", "boundsType", "boundsAlignment"),
    *("boundsWidth", "boundsHeight", "cropLeft", "cropRight", "cropTop", "cropBottom"),
)
"""What of a transform can be set."""
_NO_BOUNDS: Final = "OBS_BOUNDS_NONE"
MOST_FILTERS: Final = 32
OWN: Final = frozenset({fade.FILTER, level.FILTER})
"""Filters that the daemon puts there."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of an input."""

    name: str
    kind: str
    enabled: bool
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dress:
    """What an input wears: values by the names of SOUND, and its filters from the first to the last."""

    sound: Mapping[str, Any] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()


def questions(name: str, sound: Collection[str]) -> list[Request]:
    """The requests that read an input's dress."""
    asked = [Request(f"Get{kind}", {"inputName": name}) for kind in SOUND if kind in sound]
    return [*asked, Request("GetSourceFilterList", {"sourceName": name})]


def dress(results: Sequence[Result]) -> Dress | None:
    """What the answers say; None where there is no such input. What cannot be read is left as it is."""
    if not results or all(result.code == NOT_FOUND for result in results):
        return None
    sound: dict[str, Any] = {}
    for result in results[:-1]:
        kind = result.kind.removeprefix("Get")
        value = result.data.get(SOUND[kind]) if result.ok else None
        if value is not None and not (isinstance(value, float) and not math.isfinite(value)):
            sound[kind] = value
    return Dress(sound, filters(results[-1]))


def filters(result: Result) -> tuple[Filter, ...]:
    """The filters in an answer to GetSourceFilterList, but for those that the daemon puts there."""
    found: list[Filter] = []
    for each in _listed(result.data if result.ok else {}):
        name, kind, settings = each.get("filterName"), each.get("filterKind"), each.get("filterSettings")
        if isinstance(name, str) and isinstance(kind, str) and name and name not in OWN:
            plain = settings if isinstance(settings, Mapping) else {}
            found.append(Filter(name, kind, each.get("filterEnabled") is not False, plain))
    return tuple(found[:MOST_FILTERS])


def names_in(answer: Mapping[str, Any]) -> list[str]:
    """Of all filters in an answer to GetSourceFilterList, the fade's included."""
    return [name for each in _listed(answer) if isinstance(name := each.get("filterName"), str)]


def _listed(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What can be read of it."""
    listed = answer.get("filters")
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list | tuple) else []


def changes(name: str, wanted: Dress, worn: Sequence[Filter]) -> list[Request]:
    """The requests that give an input that dress, over the filters that it has."""
    requests = [Request(f"Set{kind}", {"inputName": name, SOUND[kind]: value}) for kind, value in wanted.sound.items()]
    return [*requests, *_filter_changes(name, wanted.filters, worn)]


def _filter_changes(name: str, wanted: Sequence[Filter], worn: Sequence[Filter]) -> list[Request]:
    kinds = {each.name: each.kind for each in wanted}
    kept = {each.name: each for each in worn if kinds.get(each.name) == each.kind}
    requests: list[Request] = []

    def ask(kind: str, filter_name: str, **more: object) -> None:
        requests.append(Request(kind, {"sourceName": name, "filterName": filter_name, **more}))

    for each in worn:
        if each.name not in kept:
            ask("RemoveSourceFilter", each.name)
    for each in wanted:
        before = kept.get(each.name)
        if before is None:
            ask("CreateSourceFilter", each.name, filterKind=each.kind, filterSettings=dict(each.settings))
        elif before.settings != each.settings:
            ask("SetSourceFilterSettings", each.name, filterSettings=dict(each.settings), overlay=False)
        if each.enabled != (before.enabled if before else True):
            ask("SetSourceFilterEnabled", each.name, filterEnabled=each.enabled)
    order = [each.name for each in wanted]
    if [*kept, *(each for each in order if each not in kept)] != order:
        for index, each_name in enumerate(order):
            ask("SetSourceFilterIndex", each_name, filterIndex=index)
    return requests


def place(item: SceneItem | None, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """The template's place for a picture of any size; ``fitted`` where it has none.

    A template that is scaled by factors stands for the box that it fills: a stream of another size fills the same one.
    """
    if item is None:
        return dict(fitted)
    given = {key: item.transform[key] for key in PLACE if key in item.transform}
    numbers = {key: value for key, value in item.transform.items() if _is_number(value)}
    if given.get("boundsType", _NO_BOUNDS) == _NO_BOUNDS:
        width, height = (_extent(numbers, *axis) for axis in (_ACROSS, _DOWN))
        if width < 1 or height < 1:
            crops = {key: value for key, value in given.items() if key.startswith("crop") and _is_number(value)}
            return {**fitted, **crops}
        given |= {**_BOX, "boundsWidth": width, "boundsHeight": height}
    return {key: value for key, value in given.items() if key == "boundsType" or _is_number(value)}


_ACROSS: Final = ("sourceWidth", "cropLeft", "cropRight", "scaleX")
_DOWN: Final = ("sourceHeight", "cropTop", "cropBottom", "scaleY")
_BOX: Final = {"boundsType": "OBS_BOUNDS_SCALE_INNER", "boundsAlignment": 0}


def _extent(numbers: Mapping[str, float], size: str, near: str, far: str, scale: str) -> float:
    visible = numbers.get(size, 0.0) - numbers.get(near, 0.0) - numbers.get(far, 0.0)
    return visible * abs(numbers.get(scale, 1.0))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def concerns(event: ObsEvent, names: Collection[str]) -> bool:
    """Whether one of these inputs may wear something else after this event. The daemon's own filters do not count."""
    data = event.data
    name = data.get("inputName", data.get("sourceName"))
    return event.kind in EVENTS and name in names and data.get("filterName") not in OWN


class Complaints:
    """Says once what OBS would not do."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int]] = set()

    def check(self, requests: Sequence[Request], results: Sequence[Result]) -> None:
        """Tell of the refusals that are news. None of them ends anything: the show goes on without."""
        for request, result in zip(requests, results, strict=False):
            if not result.ok and (request.kind, result.code) not in self._told:
                self._told.add((request.kind, result.code))
                what = f"OBS refuses {request.kind} for '{_name(request)}': {result.comment}"
                text = f"{what}. The show goes on without it"
                log.warning(text, request=request.kind, code=result.code, reason=result.comment)


def _name(request: Request) -> str:
    return str(request.data.get("inputName") or request.data.get("sourceName"))
