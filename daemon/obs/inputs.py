"""Making an input, aiming one anew, and taking one away: what OBS answers late, twice or not at all included."""

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from daemon.config.model import Ffmpeg, Sources
from daemon.core.ports import NAME_TAKEN, NOT_FOUND, NothingToAim, ObsError, ObsRefused, ObsTimeout
from daemon.obs.connection import Link, Request, sense
from daemon.obs.dock import SourcesDock
from daemon.obs.dressing import names_in
from daemon.obs.inventory import read_inputs
from daemon.obs.owners import OWNER, Mark, Owners, read_mark
from daemon.obs.pipeline import checked_url, re_aimed
from daemon.obs.scene_items import as_int, read_items
from daemon.obs.sources import FFMPEG, GSTREAMER

STOP = "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_STOP"
ENDED = frozenset(f"OBS_MEDIA_STATE_{each}" for each in ("ENDED", "STOPPED", "ERROR"))
CLOSED = {"is_local_file": True, "local_file": ""}
"""What makes an ffmpeg_source let go of its stream, and not come back to it."""
APPLIED = 2
"""Frames after which OBS has taken an input's new settings: it does so in the next."""
RECONNECTS_AFTER = 10.0
"""Seconds: ffmpeg_source's own reconnect_delay_sec."""
REMOVAL = 3.0
"""Seconds within which a removed input has to be gone from OBS's list."""
REMOVAL_POLL = 0.05
"""Seconds between looks at whether it is."""
ASK_AFTER = 0.5
"""Seconds of that after which OBS is asked for it by its name: its window has long let go of it by then, unless it
hangs. Half of it before that, its items are taken out of all other scenes."""
ASK_OF_COPY = 0.15
"""The same where studio mode's Program may be a copy of the scene, which lets go of nothing before that."""
COPIES = 8
"""Items of one input in one scene, at most."""
REREADS = 3
"""Readings that a creation without an answer is given to show up in."""
REREAD = 0.5
"""Seconds between them."""


class InputSpec(NamedTuple):
    """An input as it is to be."""

    name: str
    kind: str
    settings: Mapping[str, Any]


async def create(link: Link, scene: str, wanted: InputSpec) -> int:
    """Create a hidden input; its item's id. Raises ObsError; ObsRefused 605 where OBS lacks its kind."""
    request = {
        "sceneName": scene,
        "inputName": wanted.name,
        "inputKind": wanted.kind,
        "inputSettings": dict(wanted.settings),
        "sceneItemEnabled": False,
    }
    try:
        made = await link.call("CreateInput", request)
        link.identities.learn(wanted.name, made.get("inputUuid"))
        with sense("CreateInput"):
            return as_int(made["sceneItemId"])
    except ObsTimeout:
        # It may have been carried out, or still be: OBS knows. Or another daemon was first with the name.
        item = await _appeared(link, scene, wanted.name)
        if item is None:
            raise
        if mark := await _mark_of_another(link, wanted):
            raise _taken("CreateInput", wanted.name, mark) from None
        return item


async def re_aim(link: Link, scene: str, wanted: InputSpec, owners: Owners, dock: SourcesDock) -> bool:
    """Give an input that exists its new settings; False where there is none. Raises ObsError."""
    name, kind, settings = wanted
    try:
        answer = await link.call("GetInputSettings", {"inputName": name})
    except ObsRefused as error:
        if error.code == NOT_FOUND:
            return False
        raise
    present, before = answer.get("inputKind"), answer.get("inputSettings")
    if present != kind:
        raise ObsRefused("SetInputSettings", NAME_TAKEN, f"'{name}' is of another kind, {present}")
    mark = owners.mark(name, before) if isinstance(before, Mapping) else None
    if mark is not None and mark.owner != settings.get(OWNER):
        raise _taken("SetInputSettings", name, mark)
    # Into the scene again, if somebody has taken it out.
    if not (await read_items(link, scene, [name])).named(name):
        await dock.add(name, partial(put_in, link, scene, name))
    await link.call("SetInputSettings", {"inputName": name, "inputSettings": dict(settings), "overlay": True})
    return True


async def put_in(link: Link, scene: str, name: str) -> int:
    """Make a hidden item of an input that exists; its id. Raises ObsError."""
    about = {"sceneName": scene, "sourceName": name, "sceneItemEnabled": False}
    made = await link.call("CreateSceneItem", about)
    with sense("CreateSceneItem"):
        return as_int(made["sceneItemId"])


async def aim(link: Link, name: str, url: str, sources: Sources) -> None:
    """Let an input that people have made open ``url``, now: its other settings stay. Raises NothingToAim, ObsError.

    Either kind opens anew whenever its settings are set, so that it needs no restart.
    """
    try:
        answer = await link.call("GetInputSettings", {"inputName": name})
    except ObsRefused as error:
        if error.code == NOT_FOUND:
            missing = f"there is no input '{name}' in OBS: create it, or choose another sources.mode"
            raise NothingToAim(missing) from error
        raise
    kind, settings = answer.get("inputKind"), answer.get("inputSettings")
    if not isinstance(settings, Mapping):
        settings = {}
    if kind == FFMPEG:
        await _aim_media_source(link, name, url, sources.ffmpeg, settings)
    elif kind == GSTREAMER:
        aimed = re_aimed(str(settings.get("pipeline", "")), url)
        if aimed is None:
            raise NothingToAim(f"the pipeline of '{name}' has no RTMP URL that could be replaced: add one")
        await _apply(link, name, {"pipeline": aimed})
    else:
        raise NothingToAim(f"'{name}' cannot play a stream (it is a {kind}): make it a {FFMPEG} or a {GSTREAMER}")


async def _aim_media_source(link: Link, name: str, url: str, own: Ffmpeg, before: Mapping[str, Any]) -> None:
    """Close it in one step and open it in another: ffmpeg_source of OBS 29 takes new settings on the graphics thread.

    Given while a network stream plays, they make it open the new one and close it again in the next frame: it ends, and
    tries again later (``destroy_media`` in obs-ffmpeg-source.c). One that has ended sleeps before it tries again, and
    new settings for a network stream wait for that, and OBS with them. A local file without a name does neither.
    """
    opening = {
        "input": checked_url(url),
        "is_local_file": False,
        "local_file": before.get("local_file", ""),
        # With FFmpeg's own a stream takes seconds to open.
        "ffmpeg_options": before.get("ffmpeg_options") or own.ffmpeg_options,
        "reconnect_delay_sec": own.reconnect_delay_sec,
        # It would end and begin again whenever it is hidden and shown.
        "restart_on_activate": False,
        "close_when_inactive": False,
        # OBS would write the URL, and the key in it, into its own log.
        "log_changes": False,
    }
    state = (await link.call("GetMediaInputStatus", {"inputName": name})).get("mediaState")
    await _apply(link, name, CLOSED)
    if before.get("is_local_file") is False and state in ENDED:
        delay = before.get("reconnect_delay_sec", RECONNECTS_AFTER)
        seconds = min(RECONNECTS_AFTER, float(delay)) if isinstance(delay, int | float) else RECONNECTS_AFTER
        await asyncio.sleep(seconds + REREAD)
    await _apply(link, name, opening)


async def close(link: Link, name: str) -> None:
    """Let an own input end its stream, to be aimed anew later. Raises ObsError."""
    if (await link.call("GetInputSettings", {"inputName": name})).get("inputKind") == FFMPEG:
        # After a STOP it would connect again, to be closed with the new stream.
        await _apply(link, name, CLOSED)
    else:
        await link.call("TriggerMediaInputAction", {"inputName": name, "mediaAction": STOP})


async def _apply(link: Link, name: str, changes: Mapping[str, Any]) -> None:
    """Change settings, and wait until OBS has taken them. Raises ObsError."""
    request = Request("SetInputSettings", {"inputName": name, "inputSettings": dict(changes), "overlay": True})
    for result in await link.batch([request, Request("Sleep", {"sleepFrames": APPLIED})], frame=True, halt=True):
        result.checked()


async def is_anothers(link: Link, scene: str, name: str, owners: Owners) -> bool:
    """Whether another daemon that lives has made the input of that name, or left it in another scene.

    A creation without an answer leaves the name to whoever was first. Raises ObsError.
    """
    if not owners.own:
        return False
    asked = [
        Request("GetInputSettings", {"inputName": name}),
        Request("GetSceneItemId", {"sceneName": scene, "sourceName": name}),
    ]
    with sense("GetInputSettings"):
        settings, item = await link.batch(asked)
    found = settings.data.get("inputSettings") if settings.ok else None
    if not isinstance(found, Mapping) or owners.mark(name, found) is None:
        return False
    return owners.foreign(name, in_scene=item.ok)


async def remove(link: Link, scene: str, name: str, *, copied: bool = False) -> None:
    """Remove an input and see it gone; one that is not there counts. Raises ObsError.

    Its items are taken out, as OBS's own Remove does it, and with the last one it goes (daemon/obs/dock.py says why).
    OBS answers at once and removes later: the name is taken until the last reference drops. What holds one that no
    request can reach, such as a group, drops it when OBS is asked for the input: sooner where Program may be
    ``copied`` from the scene.
    """
    ask_after = ASK_OF_COPY if copied else ASK_AFTER
    await _undress(link, name)
    unlinked = not await _take_out(link, scene, name)
    asked = unlinked and not await _take_out_everywhere(link, name)
    if asked:
        await _ask(link, name)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        with contextlib.suppress(ObsTimeout):
            if all(each != name for each, _ in await read_inputs(link)):
                return
        waited = loop.time() - began
        if waited >= REMOVAL:
            why = "OBS's window hangs, or OBS leaks inputs, as 32.0.3 and 32.0.4 do: OBS#12919"
            raise ObsError(f"'{name}' is still listed after its removal ({why})")
        if waited >= ask_after / 2 and not unlinked:
            unlinked = True
            await _take_out_everywhere(link, name)
        if waited >= ask_after and not asked:
            asked = True
            await _ask(link, name)
        await asyncio.sleep(REMOVAL_POLL)


async def _ask(link: Link, name: str) -> None:
    try:
        await link.call("RemoveInput", {"inputName": name})
    except ObsRefused as error:
        if error.code != NOT_FOUND:
            raise
    except ObsTimeout:
        pass  # it may have been carried out: the list tells


async def _undress(link: Link, name: str) -> None:
    """Take its filters off. OBS 30.2 ends where the selected input, which is the newest, goes with filters on it.

    By the sources: what is told of each filter that goes has its window count the selected item's, which is going;
    from 31.0 on that waits. On 30.2.3 one of 16 to 152 removals ended it, and none of 1,500 without filters.
    """
    with contextlib.suppress(ObsTimeout, ObsRefused):
        listed = await link.call("GetSourceFilterList", {"sourceName": name})
        if off := [
            Request("RemoveSourceFilter", {"sourceName": name, "filterName": each}) for each in names_in(listed)
        ]:
            await link.batch(off, frame=True)


async def _take_out_everywhere(link: Link, name: str) -> bool:
    """Out of each scene that there is; False where none has it."""
    scenes: list[str] = []
    with contextlib.suppress(ObsTimeout, ObsRefused):
        listed = (await link.call("GetSceneList")).get("scenes")
        names = [each.get("sceneName") for each in listed or () if isinstance(each, Mapping)]
        scenes = [name for name in names if isinstance(name, str)]
    return any([await _take_out(link, scene, name) for scene in scenes])


async def _take_out(link: Link, scene: str, name: str) -> bool:
    """Drop its items in a scene; False where there is none.

    Found and removed in one message: a number that was read before might be another's by now.
    """
    found = False
    with contextlib.suppress(ObsTimeout):
        for _ in range(COPIES):
            first, *second = await link.batch(
                [
                    Request("GetSceneItemId", {"sceneName": scene, "sourceName": name}, gives={"item": "sceneItemId"}),
                    Request("RemoveSceneItem", {"sceneName": scene}, takes={"sceneItemId": "item"}),
                ],
                halt=True,
            )
            if not first.ok:
                return found
            found = True
            if not all(result.ok for result in second):
                break
    return True  # it may have been carried out: the list tells


async def _mark_of_another(link: Link, wanted: InputSpec) -> Mark | None:
    """That of the daemon that has made what bears the name, where it is not this one."""
    found = (await link.call("GetInputSettings", {"inputName": wanted.name})).get("inputSettings")
    mark = read_mark(found) if isinstance(found, Mapping) else None
    return mark if mark is not None and mark.owner != wanted.settings.get(OWNER) else None


def _taken(request: str, name: str, mark: Mark) -> ObsRefused:
    return ObsRefused(request, NAME_TAKEN, f"'{name}' belongs to another daemon ({mark.text})")


async def _appeared(link: Link, scene: str, name: str) -> int | None:
    """The item that there is of it after all."""
    for number in range(REREADS):
        if number:
            await asyncio.sleep(REREAD)
        with contextlib.suppress(ObsTimeout):
            if found := (await read_items(link, scene, [name])).named(name):
                return found[0].id
    return None
