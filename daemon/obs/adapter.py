"""OBS as the executor uses it: ObsPort over a supervised connection."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, NoReturn

import structlog

from daemon.config.model import Config
from daemon.core.ports import NOT_FOUND, Making, ObsError, ObsInfo, ObsRefused, ObsTimeout, WatchCallbacks
from daemon.core.readings import Look
from daemon.core.shapes import Input
from daemon.obs import dressing, inputs
from daemon.obs import fade as fades
from daemon.obs.connection import Link, ObsEvent
from daemon.obs.dock import SourcesDock
from daemon.obs.errands import Errands, end
from daemon.obs.inventory import (
    InputNames,
    InventoryQuery,
    InventoryReading,
    Origin,
    read_inputs,
    read_inventory,
)
from daemon.obs.level import set_level
from daemon.obs.moving import bring_along
from daemon.obs.owners import Owners
from daemon.obs.placement import Placer, Wish
from daemon.obs.program import ProgramControl, leave_studio_mode, until_unseen
from daemon.obs.readiness import Judge
from daemon.obs.refresher import Refresher, concerns
from daemon.obs.scene import ObsScene
from daemon.obs.scene_items import KnownItems, SceneItems, enable, read_items
from daemon.obs.sources import FFMPEG, GSTREAMER, SOURCES, Source, choose, unplayable
from daemon.obs.supervisor import Endpoint, Pace, Supervisor, Traits, canvas_of
from daemon.obs.transition import Change, TransitionExecutor
from daemon.obs.watch import InputWatch
from daemon.obs.watches import Watches
from statemachine import events as ev

log = structlog.get_logger(__name__)

NOBODYS: Final = Origin()


class ObsAdapter:
    """Implements ObsPort.

    ``config`` is asked whenever a value is needed, so what may change while the daemon runs does. ``emit`` takes
    ObsReady, ObsLost and InventoryRead, stamped by ``now``. Nothing happens before ``start``.
    """

    def __init__(
        self,
        config: Callable[[], Config],
        *,
        emit: Callable[[ev.Event], None],
        now: Callable[[], float],
        origin: Origin = NOBODYS,
        pace: Pace | None = None,
    ) -> None:
        self._config = config
        self._emit = emit
        self._now = now
        self._stream_of = origin.stream_of
        self._output_observers: list[Callable[[Mapping[str, Any]], None]] = []
        settings = config()
        self._scene = settings.obs.scene
        self._former_scenes: list[str] = []
        self._names = InputNames(settings.sources.prefix)
        self._supervisor = Supervisor(Endpoint.of(settings), up=self._up, down=self._lost, hint=self._hint, pace=pace)
        self._known = KnownItems()
        self._refresher = Refresher(self._reread, touch=self._known.touch)
        self._dock = SourcesDock()
        self._placer = Placer()
        self._transition = TransitionExecutor(self._names.own)
        self._program = ProgramControl()
        self._fence = origin.fence
        self._owners = Owners(origin.owner, self._scene, now)
        self._wish: Wish | None = None
        """How the input was placed that is not shown yet: what it takes over may change until then."""
        self._undressed = False
        self._holders: set[str] = set()
        self._watches = Watches()
        self._leaving: set[str] = set()
        self._tasks: set[asyncio.Task[NoReturn]] = set()
        self._errands = Errands()

    def observe_output(self, observer: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``observer`` called with each of OBS's events about its output. It must not block."""
        self._output_observers.append(observer)

    def start(self) -> None:
        """Begin to connect. What comes of it is told by ``emit``."""
        self._tasks = {
            asyncio.create_task(self._supervisor.run(), name="obs-supervisor"),
            asyncio.create_task(self._refresher.run(), name="obs-refresher"),
        }
        if self._fence is not None:
            every = self._supervisor.pace.heartbeat_interval
            self._tasks.add(asyncio.create_task(self._fence.watch(self._supervisor.link, every), name="obs-fence"))

    async def failed(self) -> NoReturn:
        """Wait for what must not happen: that one of its tasks ends by itself. Raises what ended it."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        raise AssertionError("a task of the OBS adapter has ended")

    async def stop(self) -> None:
        """Close the connection. The picture stays as it is, and nothing more is emitted."""
        self._program.stop()
        await end([*self._tasks, *self._errands, *self._watches.drop()])

    def force_reconnect(self) -> None:
        """Connect anew, at once; also after a kick or a wrong password, with the configuration as it is now."""
        self.reconfigured()
        self._supervisor.force_reconnect()

    def reconfigured(self) -> None:
        """The configuration has changed: what of it was taken at the start is taken anew."""
        endpoint = Endpoint.of(self._config())
        if endpoint == self._supervisor.endpoint:
            return
        if endpoint.scene != self._scene:
            self._former_scenes = [name for name in (*self._former_scenes, self._scene) if name != endpoint.scene]
            self._scene = self._owners.scene = endpoint.scene
        self._supervisor.retarget(endpoint)

    @property
    def info(self) -> ObsInfo:
        """As last heard."""
        traits, usable = self._supervisor.traits, self._supervisor.usable
        if traits is None:
            return ObsInfo(reason=self._supervisor.reason)
        kind = choose(self._config().sources.kind, traits.kinds).kind
        return ObsInfo(usable, traits.version, traits.websocket, kind, "" if usable else self._supervisor.reason)

    @property
    def stats(self) -> Mapping[str, Any]:
        """GetStats as of the last heartbeat."""
        return self._supervisor.stats

    @property
    def canvas(self) -> tuple[int, int]:
        """Width and height of OBS's picture in pixels; 16 by 9 as long as nothing is known."""
        return (traits.width, traits.height) if (traits := self._supervisor.traits) else (16, 9)

    @property
    def losses(self) -> int:
        """How often OBS was lost since the start."""
        return self._supervisor.losses

    async def create_input(self, name: str, url: str, *, reuse: bool = False, how: Making | None = None) -> None:
        """As ObsPort. Raises ObsRefused "Input kind not found" where the plugin is missing."""
        how = how or Making()
        link, source = self._supervisor.link(), SOURCES[FFMPEG] if how.plain else self._source()
        try:
            settings = source.settings(url, self._config().sources, how.way)
            settings = self._owners.marked(settings, how.session, how.streamer, name)
        except ValueError as error:
            raise ObsError(str(error)) from error
        wanted = inputs.InputSpec(name, source.kind, settings)
        with self._refresher.changing():
            if not (reuse and await inputs.re_aim(link, self._scene, wanted, self._owners, self._dock)):
                await self._dock.add(name, partial(inputs.create, link, self._scene, wanted))

    def streamer_of(self, session_id: str) -> str:
        """Whose session this is by an own input that was made for it; empty where OBS has none."""
        return self._owners.streamer_of(session_id)

    async def restart_input(self, name: str, url: str) -> None:
        """As ObsPort."""
        await inputs.aim(self._supervisor.link(), name, url, self._config().sources)

    async def place_input(self, name: str, z_offset: int, like: str = "") -> int:
        """As ObsPort."""
        link, traits = self._supervisor.link(), self._supervisor.traits
        assert traits is not None  # noqa: S101  # they are read before there is a link
        self._wish = wish = Wish(name, z_offset, self._config().obs.template, like)
        try:
            with self._refresher.changing():
                return await self._placer.place(link, self._scene, wish, self._names, traits)
        finally:
            self._dock.placed(name)

    async def cut(
        self, *, show: str | None, hide: tuple[str, ...], also_show: str | None, fade: float, studio_mode: str = "leave"
    ) -> bool:
        """As ObsPort."""
        scene = self._ours
        await self.still_ours()
        self._wish = None
        outgoing = next((name for name in hide if self._names.own(name)), None)
        with self._refresher.changing():
            await self._program.check(scene.link, studio_mode)
            later = None if show is None else await self._program.lingering(scene.link, studio_mode)
            change = Change(show, frozenset(hide), also_show)
            left = await self._transition.cut(scene, change, fade=fade, later=later)
            seen = await self._program.reach(scene, show, outgoing, studio_mode)
            if left:
                await scene.link.batch([request for item in left for request in enable(item, shown=False)])
        if watch := self._watches.find(show):
            watch.shown()
        return seen

    async def leave_studio_mode(self) -> None:
        """As ObsPort."""
        with self._refresher.changing():
            await leave_studio_mode(self._supervisor.link())

    async def bring_to_program(self) -> None:
        """As ObsPort."""
        with self._refresher.changing():
            await self._program.bring_ours(self._ours)

    async def toggle_input(self, name: str) -> None:
        """As ObsPort."""
        with self._refresher.changing():
            await self._transition.toggle(self._supervisor.link(), self._scene, name)

    async def restore(self, *, show: str | None, hide: tuple[str, ...], also_show: str | None = None) -> None:
        """As ObsPort."""
        scene = self._ours
        await self.still_ours()
        with self._refresher.changing():
            await self._transition.restore(scene, Change(show, frozenset(hide), also_show))

    async def hide_duplicates(self, name: str) -> None:
        """As ObsPort."""
        with self._refresher.changing():
            await self._transition.hide_duplicates(self._supervisor.link(), self._scene, name)

    async def remove_input(self, name: str) -> None:
        """As ObsPort: an input that is gone already counts as removed, and so does one that is another daemon's."""
        link = self._supervisor.link()
        if await inputs.is_anothers(link, self._scene, name, self._owners):
            return
        await self._dock.taken_in(name)
        await until_unseen(link, name)
        self._leaving.add(name)
        await self._watches.end(name)
        copied = self._config().obs.studio_mode == "drive"
        with self._refresher.changing():
            await inputs.remove(link, self._scene, name, copied=copied)
        self._leaving.discard(name)

    async def park_input(self, name: str) -> None:
        """As ObsPort."""
        link = self._supervisor.link()
        await self._watches.end(name)
        with self._refresher.changing():
            items = [item for item in (await self._items(link, name)).named(name) if item.shown]
            hiding = [request for item in items for request in enable(item, shown=False)]
            for result in await link.batch(hiding) if hiding else ():
                result.checked()
            await until_unseen(link, name)
            await inputs.close(link, name)

    async def set_shown(self, name: str, shown: bool) -> None:
        """As ObsPort."""
        link = self._supervisor.link()
        with self._refresher.changing():
            items = await self._items(link, name)
            one = items.find(name, "SetSceneItemEnabled")
            changed = [one] if shown else [item for item in items.named(name) if item.shown] or [one]
            for result in await link.batch([request for item in changed for request in enable(item, shown=shown)]):
                result.checked()

    async def set_level(self, name: str, gain: float) -> None:
        """As ObsPort."""
        await set_level(self._supervisor.link(), name, gain)

    async def inventory(self) -> ev.Inventory:
        """As ObsPort."""
        return await self._read(self._supervisor.link())

    async def still_ours(self) -> None:
        """Raises ObsError where another daemon has taken the channel over, or may have."""
        if self._fence is not None:
            await self._fence.prove(self._supervisor.link())

    async def _items(self, link: Link, name: str) -> SceneItems:
        """The scene's items, looked into as far as that one is."""
        return await read_items(link, self._scene, [name], deep=() if self._names.own(name) else [name])

    def watch(self, name: str, callbacks: WatchCallbacks, *, proven: bool = False) -> None:
        """As ObsPort. A watch over the same input takes the place of the one before."""
        poll_interval = self._config().sources.poll_interval
        judge = Judge(began=time.monotonic(), poll_interval=poll_interval, proven=proven)
        self._watches.begin(InputWatch(self._ours, name, callbacks, judge, gone=self._refresher.poke))

    async def list_inputs(self) -> list[Input]:
        """Every input with its kind, and no settings, for these hold URLs. Raises ObsError."""
        link = self._supervisor.link()
        shown = {item.name for item in await read_items(link, self._scene) if item.shown}
        return [
            {"name": name, "kind": kind, "own": self._names.own(name), "shown": name in shown}
            for name, kind in await read_inputs(link)
        ]

    def last_look(self, name: str) -> Look | None:
        """What the watch over that input saw last; None where it is not watched."""
        return self._watches.last_look(name)

    async def where_is(self, name: str) -> tuple[str, int]:
        """The scene or the group that an input is in, however deep, and its item's number there. Raises ObsError."""
        found = await read_items(self._supervisor.link(), self._scene, [name], deep=[name])
        return (item := found.find(name, "GetSceneItemId")).scene, item.id

    async def media_status(self, name: str) -> dict[str, Any]:
        """GetMediaInputStatus. Raises ObsError; ObsRefused 600 also for an input that was asked to go."""
        if name in self._leaving:
            raise ObsRefused("GetMediaInputStatus", NOT_FOUND, f"'{name}' is being removed")
        return await self._supervisor.link().call("GetMediaInputStatus", {"inputName": name})

    async def call(self, request: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Any other request. Raises ObsError."""
        return await self._supervisor.link().call(request, data)

    async def _up(self, link: Link, traits: Traits) -> None:
        self._refresher.forget()
        self._owners.connected()
        if self._fence is not None:
            link.gate = self._fence
            await self._fence.enter(link)
        while self._former_scenes:
            await self._bring_along(link, traits, self._former_scenes[0])
            self._former_scenes.pop(0)
        inventory = await self._read(link)
        if await self._owners.await_answers():
            inventory = await self._read(link)
        await fades.sweep(link, [own.name for own in inventory.inputs])
        self._leaving.clear()
        wanted = self._config().sources.kind
        fallback = wanted == "auto" and choose(wanted, traits.kinds).kind == GSTREAMER
        self._emit(ev.ObsReady(self._now(), inventory, fallback, unplayable(wanted, traits.version)))

    async def _bring_along(self, link: Link, traits: Traits, former: str) -> None:
        config = self._config()

        def is_own(name: str) -> bool:
            return self._names.own(name) and not self._owners.foreign(name, in_scene=True)

        async def put(name: str) -> None:
            wish = Wish(name, config.sources.z_offset, config.obs.template)
            await self._dock.add(name, partial(inputs.put_in, link, self._scene, name))
            await self._placer.place(link, self._scene, wish, self._names, traits)
            self._dock.placed(name)

        await bring_along(link, former, self._scene, is_own, put)

    def _lost(self, reason: str) -> None:
        self._watches.drop()
        self._emit(ev.ObsLost(self._now(), reason))

    def _hint(self, event: ObsEvent) -> None:
        if event.kind == "StreamStateChanged":
            for observer in self._output_observers:
                observer(event.data)
        if (answer := self._owners.on_event(event)) is not None:
            self._errands.run(partial(self.call, answer.kind, answer.data), "obs-neighbour")
        if self._wish is not None and dressing.concerns(event, (self._wish.template, self._wish.like)):
            self._undressed = True
            self._refresher.poke()
        self._known.on_event(event.kind)
        self._dock.on_event(event.kind, event.data, self._scene)
        if concerns(event, {self._scene, *self._holders}, self._names):
            self._refresher.poke()

    async def _reread(self) -> Callable[[], None]:
        link = self._supervisor.link()
        try:
            inventory = await self._read(link)
        except ObsRefused as error:
            if error.code == NOT_FOUND:
                self._supervisor.unsettle(f"the scene {self._scene!r} does not exist")
            raise
        at = self._now()
        return lambda: self._emit(ev.InventoryRead(at, inventory)) if self._supervisor.usable else None

    @property
    def _ours(self) -> ObsScene:
        """Raises ObsGone where OBS is not connected."""
        traits = self._supervisor.traits
        return ObsScene(self._supervisor.link(), self._scene, traits.fps if traits else 60.0, self._known.items)

    def _source(self) -> Source:
        traits = self._supervisor.traits
        return choose(self._config().sources.kind, traits.kinds if traits else ())

    async def _read(self, link: Link) -> ev.Inventory:
        """The inventory, and what the adapter itself learns from the same reading."""
        settings, query = self._config(), self._program.query(self._scene)
        static = settings.sources.static_input if settings.sources.mode == "static" else ""
        asked = InventoryQuery(
            self._scene,
            self._names,
            self._stream_of,
            fixtures=[name for name in (settings.obs.slate, static) if name],
            static=settings.sources.static_input,
            sources=[settings.obs.template] if settings.obs.template else [],
            beside=query.requests,
        )
        keep = self._known.reading()
        reading = await read_inventory(link, asked, self._owners)
        keep(reading.items)
        self._holders = reading.items.holders
        self._owners.keep_only(reading.marks)
        own = {item.name for item in reading.inventory.inputs}
        self._refresher.at_rest = not (own or reading.inventory.foreign or asked.theirs)
        await self._keep_up(link, reading, own)
        return await self._program.add_to(link, reading.inventory, static, query, reading.beside)

    async def _follow_canvas(self, link: Link, reading: InventoryReading, own: Collection[str], before: Traits) -> None:
        traits = canvas_of(before, reading.video)
        if traits != before:
            self._supervisor.traits = traits
            self._watches.rendered_at(traits.fps)
            log.info(
                f"OBS's canvas is now {traits.width}x{traits.height} at {traits.fps:g} frames per second",
                width=traits.width,
                height=traits.height,
                fps=traits.fps,
            )
        # With every reading: one that was made meanwhile was placed by what was known then.
        await self._placer.refit(link, reading.items, own, traits)
        resized = (before.width, before.height) != (traits.width, traits.height)
        if resized and self._config().obs.studio_mode == "drive":
            self._errands.run(self.bring_to_program, "obs-canvas")

    async def _keep_up(self, link: Link, reading: InventoryReading, own: set[str]) -> None:
        """Follow a canvas that has changed and a model that wears something else, and ask after other daemons.

        What OBS refuses of it is tried with another reading: it is never worth losing one.
        """
        with contextlib.suppress(ObsRefused, ObsTimeout):
            if questions := self._owners.questions():
                await link.batch(questions)
            if (before := self._supervisor.traits) is not None:
                await self._follow_canvas(link, reading, own, before)
            wish = self._wish
            if self._undressed and wish is not None and wish.name in own:
                self._undressed = False
                await self._placer.dress_again(link, wish)
