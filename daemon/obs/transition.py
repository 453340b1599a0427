"""What the viewer sees: the cut, its repair, the toggle. All in OBS's own frames."""

from collections.abc import Iterable, Sequence

import structlog

from daemon.obs import fade as fades
from daemon.obs.connection import Link, Request, Result
from daemon.obs.inventory import Item, read_scene
from daemon.obs.placement import find
from daemon.obs.priming import prime
from daemon.ports import ObsError, ObsRefused

log = structlog.get_logger()


def enable(scene: str, item: Item, *, shown: bool) -> Request:
    """The request that shows or hides one item."""
    return Request("SetSceneItemEnabled", {"sceneName": scene, "sceneItemId": item.id, "sceneItemEnabled": shown})


async def in_one_frame(link: Link, requests: Sequence[Request], *, seconds: float | None = None) -> None:
    """Run the requests on OBS's graphics thread, before it renders. The first failure ends them.

    Raises ObsRefused for that one, ObsTimeout where the renderer stands still: then they may still be carried out.
    """
    check(requests, await link.batch(requests, frame=True, halt=True, seconds=seconds))


def check(requests: Sequence[Request], results: Sequence[Result]) -> None:
    """Raise ObsRefused for the first failure, ObsError where an answer is missing."""
    for result in results:
        result.checked()
    if len(results) != len(requests):
        raise ObsError(f"{requests[len(results)].kind}: OBS did not carry it out")


class Transition:
    """Changes the items of one scene."""

    def __init__(self) -> None:
        self._fade = fades.Fade()

    async def cut(
        self, link: Link, scene: str, *, show: str | None, hide: Iterable[str], also_show: str | None, fade: float
    ) -> None:
        """As ObsPort.cut. An item of ``hide`` that is gone counts as hidden; one to be shown must be there."""
        items = await read_scene(link, scene)
        wanted = [name for name in (show, also_show) if name]
        showing = [enable(scene, find(items, name, "SetSceneItemEnabled"), shown=True) for name in wanted]
        leaving = [item for item in items if item.name in set(hide) and item.shown]
        hiding = [enable(scene, item, shown=False) for item in leaving]
        if show is not None:
            await prime(link, show)
        for item in leaving:
            log.info(f"Hiding old source '{item.name}'", input=item.name)
        for name in wanted:
            log.info(f"Showing new source '{name}'", input=name)
        if fade > 0 and show is not None:
            outgoing = next((item.name for item in leaving), None)
            await self._fade.run(link, show, outgoing, begin=showing, end=hiding, seconds=fade)
        elif showing or hiding:
            # Show before hide: should OBS stop in between, there is a picture.
            await in_one_frame(link, [*showing, *hiding])

    async def restore(self, link: Link, scene: str, *, show: str | None, hide: Iterable[str]) -> None:
        """As ObsPort.restore. Raises ObsError where the scene is not right even then."""
        hidden = set(hide)
        if show is not None:
            await fades.sweep(link, [show])
        wrong = _wrong(await read_scene(link, scene), show, hidden)
        if not wrong:
            return
        # In a frame of OBS's: a cut that timed out and still waits there is carried out before this.
        await in_one_frame(link, [enable(scene, item, shown=not item.shown) for item in wrong])
        if _wrong(await read_scene(link, scene), show, hidden):
            raise ObsError("the scene does not keep what it was told to show")

    async def toggle(self, link: Link, scene: str, name: str) -> None:
        """Hide the item for one frame, and show it."""
        item = find(await read_scene(link, scene), name, "SetSceneItemEnabled")
        pause = Request("Sleep", {"sleepFrames": 1})
        await in_one_frame(link, [enable(scene, item, shown=False), pause, enable(scene, item, shown=True)])


def _wrong(items: Sequence[Item], show: str | None, hide: set[str]) -> list[Item]:
    """The items that have to change, those to be shown first. Raises ObsRefused where ``show`` is not there."""
    if show is not None and not any(item.name == show for item in items):
        raise ObsRefused("SetSceneItemEnabled", 600, f"'{show}' is not in the scene")
    shown = any(item.name == show and item.shown for item in items)
    wanting = [] if show is None or shown else [find(items, show, "SetSceneItemEnabled")]
    return [*wanting, *(item for item in items if item.name in hide and item.shown)]
