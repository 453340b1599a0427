"""A fade without a plugin: the incoming's opacity and both volumes, step by step, in one batch of OBS's frames.

The incoming lies above the outgoing and becomes opaque. Should the daemon die meanwhile, OBS carries the batch to its
end by itself: the incoming shown and opaque, the outgoing hidden. What is left is the filter, which also holds the
volumes that were found; it is swept on the next connection.
"""

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from daemon.core.ports import NAME_TAKEN, NOT_FOUND, ObsError, ObsRefused
from daemon.obs.connection import Link, Request, sense

log = structlog.get_logger(__name__)

FILTER = "motherstream fade"
FILTER_KIND = "color_filter_v2"
VOLUMES = "motherstream_volumes"

FIRST_STEP = 0.05
"""Seconds that a step is taken to last before one was timed: a frame and a half at 30 a second."""
MOST_STEPS = 300
SLACK = 4.0
"""How many times its duration a fade may take before it counts as unanswered."""
QUIET_FRAMES = 4
"""Frames after its hiding before the outgoing's volume is put back: sound is mixed ahead of the picture."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Who takes whose place."""

    incoming: str
    outgoing: str | None
    """None where nothing with a sound leaves."""
    begin: Sequence[Request]
    """What shows the incoming."""
    end: Sequence[Request]
    """What hides the outgoing."""


class Fade:
    """Crosses picture and sound. Knows from the last one how long OBS takes for a step."""

    def __init__(self) -> None:
        self._step = FIRST_STEP

    async def run(self, link: Link, crossing: Crossing, seconds: float) -> None:
        """Let the two cross within ``seconds``. Raises ObsError."""
        incoming, outgoing = crossing.incoming, crossing.outgoing
        loud_in = await volume(link, incoming)
        loud_out = await volume(link, outgoing) if outgoing is not None else None
        steps = max(2, min(MOST_STEPS, round(seconds / self._step)))
        requests = _requests(crossing, loud_in, loud_out, steps)
        volumes = {incoming: loud_in} if outgoing is None else {incoming: loud_in, outgoing: loud_out}
        try:
            await _create_filter(link, incoming, volumes)
            began = monotonic()
            results = await link.batch(requests, frame=True, halt=True, seconds=seconds * SLACK + link.timeout)
            for result in results:
                result.checked()
            if len(results) != len(requests):
                raise ObsError("the fade was not completed")
            self._step = max(0.001, (monotonic() - began) / steps)
        finally:
            # Also on the way out of an error: a batch that OBS gave up must not leave the incoming half seen.
            with contextlib.suppress(ObsError):
                await link.batch(
                    [
                        _removal(incoming),
                        *_level(incoming, loud_in, 1.0),
                        Request("Sleep", {"sleepFrames": QUIET_FRAMES}),
                        *(_level(outgoing, loud_out, 1.0) if outgoing is not None else ()),
                    ],
                    frame=True,
                )


def _requests(crossing: Crossing, loud_in: float | None, loud_out: float | None, steps: int) -> list[Request]:
    """All of a fade, to be carried out frame by frame."""
    incoming, outgoing = crossing.incoming, crossing.outgoing
    requests = [*_level(incoming, loud_in, 0.0), *crossing.begin]
    for number in range(1, steps + 1):
        share = number / steps
        requests += [Request("Sleep", {"sleepFrames": 1}), _opacity(incoming, share)]
        requests += _level(incoming, loud_in, math.sin(share * math.pi / 2))
        if outgoing is not None:
            requests += _level(outgoing, loud_out, math.cos(share * math.pi / 2))
    return [*requests, *crossing.end]


async def sweep(link: Link, names: Iterable[str]) -> None:
    """Take away what fades may have left on these inputs, and put volumes back. Raises ObsError."""
    asked = [Request("GetSourceFilter", {"sourceName": name, "filterName": FILTER}) for name in names]
    mending: list[Request] = []
    for request, found in zip(asked, await link.batch(asked) if asked else (), strict=False):
        if found.ok:
            mending.append(_removal(request.data["sourceName"]))
            mending += _volumes_in(found.data.get("filterSettings"))
    if mending:
        for result in await link.batch(mending, frame=True):
            if result.code != NOT_FOUND:
                result.checked()


def _volumes_in(settings: Any) -> list[Request]:
    volumes = settings.get(VOLUMES) if isinstance(settings, Mapping) else None
    if not isinstance(volumes, Mapping):
        return []
    return [
        request
        for name, loud in volumes.items()
        if isinstance(loud, int | float)
        for request in _level(str(name), float(loud), 1.0)
    ]


def _removal(name: str) -> Request:
    # On the graphics thread, as all that touches an input that is seen: otherwise OBS may find the filter's target gone
    # in the middle of rendering, and that frame is blank (measured on OBS 29.0.2).
    return Request("RemoveSourceFilter", {"sourceName": name, "filterName": FILTER})


async def volume(link: Link, name: str) -> float | None:
    """The input's volume as a factor; None for a source that has no sound. Raises ObsError."""
    try:
        answer = await link.call("GetInputVolume", {"inputName": name})
    except ObsRefused:
        return None
    with sense("GetInputVolume"):
        return float(answer["inputVolumeMul"])


async def _create_filter(link: Link, name: str, volumes: Mapping[str, float | None]) -> None:
    # OBS keeps settings that the filter does not know.
    settings = {"opacity": 0.0, VOLUMES: {each: loud for each, loud in volumes.items() if loud is not None}}
    about = {"sourceName": name, "filterName": FILTER, "filterKind": FILTER_KIND, "filterSettings": settings}
    try:
        await link.call("CreateSourceFilter", about)
    except ObsRefused as error:
        if error.code != NAME_TAKEN:
            raise
        again = _opacity(name, 0.0)
        await link.call(again.kind, again.data)


def _opacity(name: str, share: float) -> Request:
    settings = {"opacity": share}
    return Request("SetSourceFilterSettings", {"sourceName": name, "filterName": FILTER, "filterSettings": settings})


def _level(name: str, loud: float | None, share: float) -> list[Request]:
    if loud is None:
        return []
    return [Request("SetInputVolume", {"inputName": name, "inputVolumeMul": loud * share})]
