"""``obs.scene`` was changed: the inputs that there are become items of the new scene as well.

They stay in the old one, for that may be what viewers see until the operator changes OBS's scene. There they go with
their inputs, which are made and removed by hand-over.
"""

from collections.abc import Awaitable, Callable

import structlog

from daemon.core.ports import ObsRefused
from daemon.obs.connection import Link
from daemon.obs.scene_items import enable, read_items

log = structlog.get_logger(__name__)


async def bring_along(
    link: Link,
    former: str,
    scene: str,
    is_own: Callable[[str], bool],
    put: Callable[[str], Awaitable[object]],
) -> None:
    """Raises ObsError. ``put`` makes a hidden item of an input in the new scene, in its place."""
    try:
        before = await read_items(link, former)
    except ObsRefused:
        return  # the old scene is gone, and with it what was in it
    present = {item.name for item in await read_items(link, scene)}
    for name in dict.fromkeys(item.name for item in before if is_own(item.name)):
        if name in present:
            continue
        await put(name)
        if any(item.shown for item in before.named(name)):
            moved = (await read_items(link, scene, [name])).find(name, "SetSceneItemEnabled")
            for result in await link.batch(enable(moved, shown=True)):
                result.checked()
        log.info(f"Added source '{name}' to the scene '{scene}'", input=name, scene=scene)
