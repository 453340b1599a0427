"""What the viewer sees: the cut, its repair, the toggle. All in OBS's own frames."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import structlog

from daemon.core.ports import NOT_FOUND, ObsError, ObsRefused
from daemon.obs import fade as fades
from daemon.obs.connection import Link, Request, Result
from daemon.obs.priming import frames, render, renderings
from daemon.obs.scene import ObsScene
from daemon.obs.scene_items import SceneItem, SceneItems, enable, read_items

log = structlog.get_logger(__name__)

TRIES = 3
"""How often a cut is done again because an item of it has gone meanwhile."""


async def in_one_frame(link: Link, requests: Sequence[Request], *, before: Sequence[Request] = ()) -> None:
    """Run the requests on OBS's graphics thread, before it renders. The first failure ends them.

    ``before`` comes in the frames up to that one, and is done without where OBS refuses it.

    Raises ObsRefused for that one, ObsTimeout where the renderer stands still: then they may still be carried out.
    """
    results = await link.batch([*before, *requests], frame=True, halt=True)
    if any(not result.ok for result in results[: len(before)]):
        results = await link.batch(requests, frame=True, halt=True)
    else:
        results = results[len(before) :]
    check(requests, results)


def check(requests: Sequence[Request], results: Sequence[Result]) -> None:
    """Raise ObsRefused for the first failure, ObsError where an answer is missing."""
    for result in results:
        result.checked()
    if len(results) != len(requests):
        raise ObsError(f"{requests[len(results)].kind}: OBS did not carry it out")


class TransitionExecutor:
    """Changes the items of one scene. ``own`` tells the daemon's inputs from what people have made: that alone is
    also searched for in scenes that are nested in this one."""

    def __init__(self, own: Callable[[str], bool] = lambda name: False) -> None:
        self._own = own
        self._fade = fades.Fade()

    async def cut(
        self,
        scene: ObsScene,
        change: "Change",
        *,
        fade: float,
        later: Callable[[SceneItem], Awaitable[bool]] | None = None,
    ) -> list[SceneItem]:
        """As ObsPort.cut. An item that is to be hidden and is gone counts as hidden.

        An item may go between the reading and the frame: then what is left to do is done by a plain cut. What ``later``
        says of a leaving item is left shown, and returned.
        """
        if fade <= 0 and later is None and await self._at_once(scene, change):
            return []
        for tries in range(TRIES):
            coming, leaving = change.due(await self._read(scene, change))
            if not tries:
                _log_change(coming, leaving)
            left = [item for item in leaving if later is not None and await later(item)]
            leaving = [item for item in leaving if item not in left]
            try:
                if fade > 0 and change.show is not None and not tries:
                    await self._cross(scene, change.show, coming, leaving, fade)
                else:
                    await self._exchange(scene, coming, leaving)
            except ObsRefused as error:
                if error.code != NOT_FOUND or tries == TRIES - 1:
                    raise
            else:
                return left
        raise AssertionError("the last try returns or raises")

    async def _at_once(self, scene: ObsScene, change: "Change") -> bool:
        """Cut by what is known, if that does. To read the scene, OBS would wait until it has rendered a frame, and so
        the cut would come in the one after the next."""
        due = None if scene.known is None else change.by(scene.known)
        if due is None:
            return False
        coming, leaving = due
        # One that is gone, or in a group now, ends the batch before anything has changed.
        looks = [
            Request("GetSceneItemEnabled", {"sceneName": item.scene, "sceneItemId": item.id})
            for item in (*coming, *leaving)
        ]
        try:
            await self._exchange(scene, coming, leaving, first=looks)
        except ObsRefused as error:
            if error.code != NOT_FOUND:
                raise
            return False
        _log_change([item for item in coming if not item.shown], [item for item in leaving if item.shown])
        return True

    async def restore(self, scene: ObsScene, change: "Change") -> None:
        """As ObsPort.restore. Raises ObsError where the scene is not right even then."""
        if change.show is not None:
            await fades.sweep(scene.link, [change.show])
        # A cut that timed out and still waits for OBS's frames is carried out within these, and seen below. A Sleep
        # that comes last does not hold up the answer.
        await in_one_frame(scene.link, [_sleep(frames(scene.fps) + 1), _sleep(1)])
        coming, leaving = change.due(await self._read(scene, change))
        if not coming and not leaving:
            return
        await self._exchange(scene, coming, leaving)
        if any(change.due(await self._read(scene, change))):
            raise ObsError("the scene did not keep the change")

    async def hide_duplicates(self, link: Link, scene: str, name: str) -> None:
        """Of the items of that name that are shown, leave the oldest."""
        shown = [item for item in (await read_items(link, scene)).named(name) if item.shown]
        if requests := [request for item in shown[1:] for request in enable(item, shown=False)]:
            await in_one_frame(link, requests)

    async def toggle(self, link: Link, scene: str, name: str) -> None:
        """Hide the item for one frame, and show it."""
        item = (await read_items(link, scene, [name], deep=[name])).find(name, "SetSceneItemEnabled")
        await in_one_frame(link, [*enable(item, shown=False), _sleep(1), *enable(item, shown=True)])

    async def _read(self, scene: ObsScene, change: "Change") -> SceneItems:
        names = change.names
        return await read_items(scene.link, scene.name, names, deep=[name for name in names if not self._own(name)])

    async def _cross(
        self, scene: ObsScene, incoming: str, coming: Sequence[SceneItem], leaving: Sequence[SceneItem], seconds: float
    ) -> None:
        outgoing = next((item.name for item in leaving), None)
        # Not in the same batch: it begins with nothing to be seen of the incoming.
        await render(scene.link, [item.name for item in coming], scene.fps)
        crossing = fades.Crossing(incoming, outgoing, _enabling(coming, shown=True), _enabling(leaving, shown=False))
        await self._fade.run(scene.link, crossing, seconds)

    async def _exchange(
        self,
        scene: ObsScene,
        coming: Sequence[SceneItem],
        leaving: Sequence[SceneItem],
        *,
        first: Sequence[Request] = (),
    ) -> None:
        # Show before hide: should OBS stop in between, there is a picture.
        if requests := [*_enabling(coming, shown=True), *_enabling(leaving, shown=False)]:
            before = renderings([item.name for item in coming], scene.fps)
            await in_one_frame(scene.link, [*first, *requests], before=before)


@dataclass(frozen=True, slots=True)
class Change:
    """How the scene is to be: ``show`` must be there, ``also_show`` may be missing."""

    show: str | None
    hide: frozenset[str]
    also_show: str | None

    @property
    def names(self) -> list[str]:
        """All that it speaks of."""
        return [*(name for name in (self.show, self.also_show) if name), *sorted(self.hide)]

    def due(self, items: SceneItems) -> tuple[list[SceneItem], list[SceneItem]]:
        """The items to be shown and those to be hidden. Raises ObsRefused where ``show`` is not there."""
        coming = [] if self.show is None else [items.find(self.show, "SetSceneItemEnabled")]
        if self.also_show and items.named(self.also_show):
            coming.append(items.find(self.also_show, "SetSceneItemEnabled"))
        leaving = [item for item in items if item.name in self.hide and item.shown]
        return [item for item in coming if not item.shown], leaving

    def by(self, known: SceneItems) -> tuple[list[SceneItem], list[SceneItem]] | None:
        """All items to be shown and to be hidden, also those that seem to be so; None where ``known`` does not do."""
        named = [known.named(name) for name in self.names]
        if self.show is None or not known.whole or not all(named) or any(item.holder for item in chain(*named)):
            return None
        coming = [known.find(name, "SetSceneItemEnabled") for name in (self.show, self.also_show) if name]
        return coming, [item for item in known if item.name in self.hide]


def _enabling(items: Iterable[SceneItem], *, shown: bool) -> list[Request]:
    return [request for item in items for request in enable(item, shown=shown)]


def _log_change(coming: Iterable[SceneItem], leaving: Iterable[SceneItem]) -> None:
    for item in leaving:
        log.info(f"Hiding old source '{item.name}'", input=item.name)
    for item in coming:
        log.info(f"Showing new source '{item.name}'", input=item.name)
        if item.holder is not None and not item.holder.shown:
            log.warning(
                f"'{item.name}' is inside the hidden '{item.holder.name}', which is shown with it", input=item.name
            )


def _sleep(count: int) -> Request:
    return Request("Sleep", {"sleepFrames": count})
