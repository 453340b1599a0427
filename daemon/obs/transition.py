"""What the viewer sees: the cut, its repair, the toggle. All in OBS's own frames."""

from collections.abc import Iterable, Sequence

import structlog

from daemon.obs import fade as fades
from daemon.obs.connection import Link, Request, Result
from daemon.obs.inventory import Item, read_scene
from daemon.obs.placement import find
from daemon.obs.priming import frames, render, renderings
from daemon.ports import ObsError, ObsRefused

log = structlog.get_logger()


def enable(scene: str, item: Item, *, shown: bool) -> Request:
    """The request that shows or hides one item."""
    return Request("SetSceneItemEnabled", {"sceneName": scene, "sceneItemId": item.id, "sceneItemEnabled": shown})


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


class Transition:
    """Changes the items of one scene."""

    def __init__(self) -> None:
        self._fade = fades.Fade()

    async def cut(
        self,
        link: Link,
        scene: str,
        *,
        show: str | None,
        hide: Iterable[str],
        also_show: str | None,
        fade: float,
        fps: float,
    ) -> None:
        """As ObsPort.cut. An item of ``hide`` that is gone counts as hidden; one to be shown must be there.

        ``fps`` are OBS's frames a second.
        """
        items = await read_scene(link, scene)
        wanted = [name for name in (show, also_show) if name]
        coming = [find(items, name, "SetSceneItemEnabled") for name in wanted]
        showing = [enable(scene, item, shown=True) for item in coming]
        hidden = [item.name for item in coming if not item.shown]
        leaving = [item for item in items if item.name in set(hide) and item.shown]
        hiding = [enable(scene, item, shown=False) for item in leaving]
        for item in leaving:
            log.info(f"Hiding old source '{item.name}'", input=item.name)
        for name in wanted:
            log.info(f"Showing new source '{name}'", input=name)
        if fade > 0 and show is not None:
            outgoing = next((item.name for item in leaving), None)
            # Not in the same batch: it begins with nothing to be seen of the incoming.
            await render(link, hidden, fps)
            await self._fade.run(link, show, outgoing, begin=showing, end=hiding, seconds=fade)
        elif showing or hiding:
            # Show before hide: should OBS stop in between, there is a picture.
            await in_one_frame(link, [*showing, *hiding], before=renderings(hidden, fps))

    async def restore(self, link: Link, scene: str, *, show: str | None, hide: Iterable[str], fps: float) -> None:
        """As ObsPort.restore. Raises ObsError where the scene is not right even then."""
        hidden = set(hide)
        if show is not None:
            await fades.sweep(link, [show])
        # A cut that timed out and still waits for OBS's frames is carried out within these, and seen below. A Sleep
        # that comes last does not hold up the answer.
        await in_one_frame(link, [_sleep(frames(fps) + 1), _sleep(1)])
        wrong = _wrong(await read_scene(link, scene), show, hidden)
        if not wrong:
            return
        coming = [item.name for item in wrong if not item.shown]
        changes = [enable(scene, item, shown=not item.shown) for item in wrong]
        await in_one_frame(link, changes, before=renderings(coming, fps))
        if _wrong(await read_scene(link, scene), show, hidden):
            raise ObsError("the scene does not keep what it was told to show")

    async def toggle(self, link: Link, scene: str, name: str) -> None:
        """Hide the item for one frame, and show it."""
        item = find(await read_scene(link, scene), name, "SetSceneItemEnabled")
        await in_one_frame(link, [enable(scene, item, shown=False), _sleep(1), enable(scene, item, shown=True)])


def _sleep(count: int) -> Request:
    return Request("Sleep", {"sleepFrames": count})


def _wrong(items: Sequence[Item], show: str | None, hide: set[str]) -> list[Item]:
    """The items that have to change, those to be shown first. Raises ObsRefused where ``show`` is not there."""
    if show is not None and not any(item.name == show for item in items):
        raise ObsRefused("SetSceneItemEnabled", 600, f"'{show}' is not in the scene")
    shown = any(item.name == show and item.shown for item in items)
    wanting = [] if show is None or shown else [find(items, show, "SetSceneItemEnabled")]
    return [*wanting, *(item for item in items if item.name in hide and item.shown)]
