"""What viewers get: the Program. It is read, and studio mode is left or driven so that our changes reach it.

In studio mode OBS shows a private copy of the scene, made at the last transition ("Duplicate Scene", on by default and
not to be asked for). GetSourceActive tells the truth for each input and for the scene itself: whether it is rendered to
the output, through nested scenes, groups and such copies. Tried on OBS 29.0.2 with and without Duplicate Scene, with
Cut and with Fade, during which both inputs are active until its end.

While studio mode is being switched on OBS has no program scene for a moment. GetSceneList says so, while
GetCurrentProgramScene and GetCurrentPreviewScene end OBS when they are asked then, in the newest version,
too: obs-websocket makes a text of a null pointer. So they are never used.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from daemon.core.ports import NOT_FOUND, ObsError, ObsRefused
from daemon.obs.connection import Link, Request, Result, sense
from daemon.obs.preview import Preview, is_transitioning, runs
from daemon.obs.priming import render
from daemon.obs.scene import ObsScene
from daemon.obs.scene_items import SceneItem, read_items
from statemachine.events import Inventory
from statemachine.reading import ProgramReading

HELD = "OBS's studio mode is on, and obs.studio_mode is hold"
POLL = 0.03
"""Seconds between two looks at what OBS shows."""
TELLS_WITHIN = 8
"""Times that OBS is asked for its program scene, which it has not while studio mode is being switched on."""
UNSEEN_WITHIN = 1.0
"""Seconds that an input is given to leave the output before its removal is given up for now."""
TAKEN_WITHIN = 1.0
"""Seconds from the request until the incoming is rendered to the output; after that the request is made again."""
SETTLES = 0.25
"""Seconds that OBS is given after a transition until what has left is no longer rendered."""
BROUGHT_WITHIN = 15.0
"""Seconds for all of it: another transition may be running, and OBS takes none meanwhile."""


async def read_program(link: Link, scene: str, inputs: Sequence[str]) -> ProgramReading | None:
    """What viewers get, and which of these inputs are in it; None where OBS does not tell, also after a moment.

    Raises ObsGone and ObsError.
    """
    for _ in range(TELLS_WITHIN):
        query = ProgramQuery(scene, inputs)
        reading = query.understand(await link.batch(query.requests))
        if reading is not None:
            return reading
        await asyncio.sleep(POLL)
    return None


@dataclass(frozen=True, slots=True)
class ProgramQuery:
    """Which inputs are in the Program, and whether the scene is."""

    scene: str
    inputs: Sequence[str]

    @property
    def requests(self) -> list[Request]:
        """To be asked in one message."""
        return [
            Request("GetSceneList"),
            Request("GetStudioModeEnabled"),
            Request("GetCurrentSceneTransitionCursor"),
            *(_active(name) for name in (self.scene, *self.inputs)),
        ]

    def understand(self, results: Sequence[Result]) -> ProgramReading | None:
        """The answers; None where OBS does not tell just now. Raises ObsError where they make no sense."""
        with sense("GetSceneList"):
            return _reading_of(self.scene, self.inputs, results)


def _reading_of(scene: str, inputs: Sequence[str], results: Sequence[Result]) -> ProgramReading | None:
    program, studio, cursor, ours, *each = results
    if not (program.ok and studio.ok and ours.ok):
        return None
    name = program.data["currentProgramSceneName"]
    if name is None:
        return None
    shown = str(name)
    studio_mode = bool(studio.data["studioModeEnabled"])
    live = bool(ours.data["videoActive"])
    seen = tuple(name for name, result in zip(inputs, each, strict=True) if result.ok and result.data["videoActive"])
    # A scene that is nested in another one is copied with it only where sources are duplicated, too.
    copied = studio_mode and not live and (shown == scene or bool(seen))
    return ProgramReading(shown, studio_mode, live, copied, seen, cursor.ok and runs(cursor.data))


async def is_seen(link: Link, name: str) -> bool:
    """Whether viewers see that input. Raises ObsError; one that is not there is not seen."""
    request = _active(name)
    try:
        answer = await link.call(request.kind, request.data)
    except ObsRefused as error:
        if error.code == NOT_FOUND:
            return False
        raise
    with sense(request.kind):
        return bool(answer["videoActive"])


async def until_unseen(link: Link, name: str) -> None:
    """Wait for a moment until viewers do not see that input. Raises ObsError where they still do."""
    deadline = _now() + UNSEEN_WITHIN
    while await is_seen(link, name):
        if _now() >= deadline:
            raise ObsError(f"'{name}' is still shown in OBS's Program")
        await asyncio.sleep(POLL)


async def leave_studio_mode(link: Link) -> None:
    """Switch it off. Program keeps its scene and shows it as it is, without a blank. Raises ObsError."""
    await link.call("SetStudioModeEnabled", {"studioModeEnabled": False})


class ProgramControl:
    """Brings changes of the scene to viewers."""

    def __init__(self) -> None:
        self._preview = Preview()
        self._holds = ""
        """The program scene that showed ours, nested or itself, when Program became it."""
        self._before: tuple[str, bool] | None = None
        """The program scene and studio mode, as read last."""
        self._inputs: Sequence[str] = ()
        """Those that ``add_to`` was asked about last."""

    async def read(self, link: Link, scene: str, inputs: Sequence[str]) -> ProgramReading | None:
        """As ``read_program``. It also knows of a copy of ours within a copy of another scene that shows none of
        ``inputs``, as with "Duplicate Sources". Raises ObsError.

        OBS does not tell of such copies. But what held ours when Program became it holds a copy. A scene into which
        ours is put later does not, until the operator takes it into Program: that is not to be done for them.
        """
        return await self._look_behind(link, scene, await read_program(link, scene, inputs))

    async def _look_behind(self, link: Link, scene: str, reading: ProgramReading | None) -> ProgramReading | None:
        if reading is None:
            return None
        before, self._before = self._before, (reading.scene, reading.studio_mode)
        seen = reading.live or reading.copied
        if not (seen or reading.studio_mode):
            self._holds = ""
        elif reading.scene != self._holds and (seen or before not in (None, self._before)):
            self._holds = reading.scene if await _shows(link, reading.scene, scene) else ""
        if seen or not reading.studio_mode or reading.scene != self._holds:
            return reading
        return replace(reading, copied=await _shows(link, reading.scene, scene))

    def query(self, scene: str) -> ProgramQuery:
        """What ``add_to`` most likely needs the answers to: the inputs are mostly those of the last time."""
        return ProgramQuery(scene, self._inputs)

    async def add_to(
        self, link: Link, inventory: Inventory, static: str, asked: ProgramQuery, answers: Sequence[Result]
    ) -> Inventory:
        """The inventory, and which of its inputs, and of the one of mode static, viewers see. Raises ObsError.

        Where the answers to what was asked along with the inventory do not do, it is asked anew.
        """
        self._inputs = names = (*(item.name for item in inventory.inputs), *filter(None, [static]))
        known = asked.understand(answers) if asked.inputs == names else None
        if known is None:
            known = await read_program(link, asked.scene, names)
        return replace(inventory, program=await self._look_behind(link, asked.scene, known))

    async def check(self, link: Link, studio_mode: str) -> None:
        """Raises ObsError where studio mode is on and to be left alone: then the scene must not be changed."""
        if studio_mode == "hold" and (await link.call("GetStudioModeEnabled")).get("studioModeEnabled"):
            raise ObsError(HELD)

    async def lingering(self, link: Link, studio_mode: str) -> Callable[[SceneItem], Awaitable[bool]] | None:
        """Which leaving items are to be hidden once the incoming is in Program: in driven studio mode those in a group
        or a nested scene, for these are not copied. What is done there reaches viewers at once, ahead of the incoming.
        """
        if studio_mode != "drive" or not (await link.call("GetStudioModeEnabled")).get("studioModeEnabled"):
            return None

        async def lingers(item: SceneItem) -> bool:
            return item.holder is not None and await is_seen(link, item.name)

        return lingers

    async def reach(self, scene: ObsScene, incoming: str | None, outgoing: str | None, studio_mode: str) -> bool:
        """The scene was changed: see to it that viewers get that. False where they are shown another scene.

        Raises ObsError where studio mode stands in between, and stays there.
        """
        link = scene.link
        if incoming is not None and await is_seen(link, incoming):
            return True
        names = [name for name in (incoming, outgoing) if name]
        reading = await self.read(link, scene.name, names)
        if reading is not None and reading.studio_mode:
            if studio_mode == "hold":
                raise ObsError(HELD)
            if studio_mode == "leave":
                await leave_studio_mode(link)
            elif reading.copied and await self.bring(scene, incoming=incoming, outgoing=outgoing):
                return True
            reading = await self.read(link, scene.name, names)
        if reading is None:
            return True
        return reading.live if incoming is None else incoming in reading.inputs

    async def bring_ours(self, scene: ObsScene) -> None:
        """Take the program scene into Program as it is now, if what is there is a copy of ours. Raises ObsError."""
        reading = await self.read(scene.link, scene.name, [])
        if reading is not None and reading.copied:
            await self.bring(scene)

    async def bring(self, scene: ObsScene, *, incoming: str | None = None, outgoing: str | None = None) -> bool:
        """Make a fresh copy of the program scene, which is ours or holds it, by studio mode's own transition.

        Not by TriggerStudioModeTransition: in preview may be anything. True once the incoming is in Program, and
        without one, once the outgoing is not. The operator's preview is put back, for OBS may swap the two.

        False where Program is not a copy of ours any more once OBS is at rest: while a transition leads away from ours,
        its copy is still seen, under the other scene's name. Then the scene that somebody chose is left alone.
        """
        link = scene.link
        deadline = _now() + BROUGHT_WITHIN
        settled = False
        while True:
            await _until_at_rest(link, deadline)
            reading = await self.read(link, scene.name, [name for name in (incoming, outgoing) if name])
            if reading is None or not reading.copied:
                return False
            if reading.scene != scene.name and not settled:
                # A transition counts as over a moment before OBS lets go of what has left in it.
                settled = True
                await asyncio.sleep(SETTLES)
                continue
            settled = False
            try:
                # It is drawn all the while, so that its first frame in Program is not an old one.
                names = [] if incoming is None else [incoming]
                await asyncio.gather(render(link, names, scene.fps), self._preview.take(link, reading.scene))
                if await self._taken(link, incoming, outgoing, deadline):
                    return True
            finally:
                self._preview.put_back(link, reading.scene)
            if _now() >= deadline:
                raise ObsError("studio mode's transition has not brought the scene into Program")

    async def _taken(self, link: Link, incoming: str | None, outgoing: str | None, deadline: float) -> bool:
        if incoming is None and outgoing is None:
            return True
        until = min(deadline, _now() + TAKEN_WITHIN) if incoming is not None else deadline
        while True:
            if incoming is not None and await is_seen(link, incoming):
                return True
            if incoming is None and outgoing is not None and not await is_seen(link, outgoing):
                return True
            if _now() >= until:
                return False
            await asyncio.sleep(POLL)

    @property
    def busy(self) -> bool:
        """The operator's preview has yet to be put back."""
        return self._preview.owed

    def stop(self) -> None:
        """Leave what is under way."""
        self._preview.forget()


async def _until_at_rest(link: Link, deadline: float) -> None:
    """Wait until no transition runs, for OBS begins none meanwhile; or until the deadline."""
    while _now() < deadline:
        if not await is_transitioning(link):
            return
        await asyncio.sleep(POLL)


async def _shows(link: Link, shown: str, scene: str) -> bool:
    """Whether a scene is ours, or has it in it and shows it. Raises ObsGone and ObsTimeout."""
    if shown == scene:
        return True
    try:
        items = await read_items(link, shown, [scene], deep=[scene])
    except ObsRefused:
        return False
    return any(item.shown for item in items.named(scene))


def _active(name: str) -> Request:
    return Request("GetSourceActive", {"sourceName": name})


def _now() -> float:
    return asyncio.get_running_loop().time()
