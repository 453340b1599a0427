"""Rules of the random search: what OBS does to its clients, and what somebody's hands do in it."""

import asyncio
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from daemon.obs.owners import OWNER
from tests.fakes import BATCH, Fault, Spoil
from tests.fakes.obs_model import Scene, SceneItem
from tests.simulation.random_world import RandomWorld
from tests.simulation.world import PREFIX, SCENE, SLATE, SOMEBODY

KINDS = st.sampled_from(
    [
        "CreateInput",
        "RemoveInput",
        "RemoveSceneItem",
        "SetSceneItemEnabled",
        "SetSceneItemTransform",
        "GetSceneItemList",
        "GetInputList",
        "GetInputSettings",
        "GetMediaInputStatus",
        "GetSourceScreenshot",
        "GetStats",
        "GetVersion",
        "GetCurrentProgramScene",
        "GetStudioModeEnabled",
        "SetCurrentProgramScene",
        "SetInputVolume",
        "CreateSourceFilter",
        BATCH,
        None,
    ]
)
TIMES = st.sampled_from([1, 1, 2, 5])
EVENTS = st.sampled_from(["InputRemoved", "SceneItemEnableStateChanged", "InputCreated", None])
HAND = 8.0
"""Seconds until what a hand did is made good."""
STARTED = 15.0
"""Seconds until all is well in an OBS that was started, as far as viewers go."""
HANDS = ["show", "hide", "remove input", "remove item", "move", "duplicate", "rename", "copy", "group", "elsewhere"]

faulty = precondition(lambda self: "obs" in self.troubles)
handled = precondition(lambda self: "hands" in self.troubles)


class StudioRules(RandomWorld):
    """Each where that is one of the troubles."""

    # --- OBS -------------------------------------------------------------------------------------------------

    @faulty
    @rule(kind=KINDS, code=st.sampled_from([207, 300, 600, 702]), times=TIMES)
    def refuse(self, kind: str | None, code: int, times: int) -> None:
        self.w.obs.faults.refuse(kind, code, "no", times=times)

    @faulty
    @rule(kind=KINDS, executes=st.booleans(), times=TIMES)
    def lose_answers(self, kind: str | None, executes: bool, times: int) -> None:
        self.w.obs.faults.lose(kind, executes=executes, times=times)

    @faulty
    @rule(kind=KINDS, seconds=st.sampled_from([0.2, 1.5, 7.0]), times=TIMES)
    def delay(self, kind: str | None, seconds: float, times: int) -> None:
        self.w.obs.faults.add(Fault(kind, times, delay=seconds))

    @faulty
    @rule(kind=KINDS, how=st.sampled_from(list(Spoil)), times=TIMES)
    def spoil(self, kind: str | None, how: Spoil, times: int) -> None:
        self.w.obs.faults.spoil(kind, how, times=times)

    @faulty
    @rule(event=EVENTS, copies=st.sampled_from([0, 0, 3]), times=TIMES)
    def spoil_events(self, event: str | None, copies: int, times: int) -> None:
        self.w.obs.faults.repeat_events(event, copies=copies, times=times)

    @faulty
    @rule(event=EVENTS, seconds=st.sampled_from([0.1, 3.0]))
    def delay_events(self, event: str | None, seconds: float) -> None:
        self.w.obs.faults.delay_events(event, seconds, times=3)

    @faulty
    @rule(jitter=st.sampled_from([0.0, 0.02, 0.2]))
    def jitter(self, jitter: float) -> None:
        self.w.obs.faults.jitter = jitter

    @faulty
    @rule(how=st.sampled_from([Spoil.NO_OP, Spoil.NOT_A_MAP, Spoil.BYTES_INSIDE, Spoil.TEXT, Spoil.GARBAGE]))
    def poison(self, how: Spoil) -> None:
        self.do(self.w.obs.poison(how))

    @faulty
    @rule()
    def drop(self) -> None:
        self.call(self.w.obs.drop)

    @faulty
    @rule()
    def kick(self) -> None:
        self.do(self.w.obs.kick())

    @faulty
    @rule(leftovers=st.booleans(), abrupt=st.booleans(), seconds=st.sampled_from([0.0, 0.5, 6.0]))
    def restart_obs(self, leftovers: bool, abrupt: bool, seconds: float) -> None:
        async def work() -> None:
            self.viewer.excuse(seconds + STARTED, kept=True)
            await self.w.obs.stop(abrupt=abrupt)
            await asyncio.sleep(seconds)
            self.w.obs.reload(leftovers=leftovers)
            if not leftovers:
                self.w.furnish()
            await self.w.obs.start()

        self.do(work())

    @faulty
    @rule(seconds=st.sampled_from([0.3, 4.0, 9.0]))
    def freeze_obs(self, seconds: float) -> None:
        async def work() -> None:
            self.w.obs.freeze()
            await asyncio.sleep(seconds)
            self.w.obs.thaw()

        self.do(work())

    @faulty
    @rule(seconds=st.sampled_from([0.3, 3.0, 9.0]))
    def stall_obs(self, seconds: float) -> None:
        async def work() -> None:
            self.w.obs.stall()
            await asyncio.sleep(seconds)
            self.w.obs.unstall()

        self.do(work())

    # --- somebody's hands ------------------------------------------------------------------------------------

    @handled
    @rule(index=st.integers(0, 1), what=st.sampled_from(HANDS), place=st.integers(0, 3))
    def somebodys_hand(self, index: int, what: str, place: int) -> None:
        w, own = self.w, self.w.own
        if not own or SCENE not in {scene.name for scene in w.obs.studio.current.scenes}:
            return
        item = own[index % len(own)]
        scene = next(
            scene for scene in (*w.obs.studio.current.scenes, *w.obs.studio.current.groups) if item in scene.items
        )
        self.viewer.excuse(HAND, kept=True)
        self.call(lambda: self._hands(scene, item, place)[what]())

    def _hands(self, scene: Scene, item: SceneItem, place: int) -> dict[str, Callable[[], object]]:
        studio, name = self.w.obs.studio, item.name
        known = {each.name for each in studio.current.inputs}

        def free(base: str) -> str:
            return next(text for text in (f"{base}{number}" for number in range(2, 99)) if text not in known)

        def copy() -> None:
            source = self.w.obs.inputs[name]
            studio.create_input(scene, free(f"{name} "), source.kind.name, dict(source.settings))

        def group() -> None:
            if not scene.is_group:
                number = len(studio.current.groups)
                studio.group(scene, f"GROUP {number}", [item], enabled=True)

        def elsewhere() -> None:
            """Dragged into another scene, and taken out of this one."""
            studio.add_item(self.other_scene("MULTIVIEW"), item.source)
            studio.remove_item(scene, item)

        return {
            "show": lambda: studio.show(name),
            "hide": lambda: studio.hide(name),
            "remove input": lambda: studio.remove_input(name),
            "remove item": lambda: studio.remove_item(scene, item),
            "move": lambda: studio.move_item(scene, item, min(place, len(scene.items) - 1)),
            "duplicate": lambda: studio.add_item(scene, item.source),
            "rename": lambda: studio.rename(name, free("somebody's ")),
            "copy": copy,
            "group": group,
            "elsewhere": elsewhere,
        }

    @handled
    @rule(what=st.sampled_from(["slate", "group the slate", "no slate"]))
    def somebody_moves_the_slate(self, what: str) -> None:
        w = self.w
        if SCENE not in {scene.name for scene in w.obs.studio.current.scenes}:
            return
        scene = w.obs.studio.scene(SCENE)
        here = scene.named(SLATE)
        self.viewer.excuse(HAND)
        if what == "slate" and SLATE not in w.obs.inputs:
            self.call(w.furnish)
        elif what == "group the slate" and here:
            number = len(w.obs.studio.current.groups)
            self.call(lambda: w.obs.studio.group(scene, f"GROUP {number}", here, enabled=False))
        elif what == "no slate" and here:
            for item in here:
                self.call(lambda item=item: w.obs.studio.remove_item(scene, item))  # type: ignore[misc]  # as it is now

    def other_scene(self, name: str) -> Scene:
        """Made where it is not there."""
        studio = self.w.obs.studio
        if name not in {scene.name for scene in studio.current.scenes}:
            studio.create_scene(name)
        return studio.scene(name)

    @handled
    @rule(duplicates=st.booleans(), frames=st.sampled_from([0, 9]))
    def studio_mode(self, duplicates: bool, frames: int) -> None:
        """Switched by somebody, as often as the daemon leaves it."""
        mode = self.w.obs.studio.mode
        self.viewer.excuse(HAND)
        mode.transition_frames = frames
        if not mode.on:
            mode.duplicates = duplicates
        self.call(lambda: mode.switch(not mode.on))

    @handled
    @rule(name=st.sampled_from(["BREAK", SCENE, SCENE]))
    def another_scene_is_shown(self, name: str) -> None:
        studio = self.w.obs.studio
        self.viewer.excuse(HAND, kept=True)
        if name != SCENE or SCENE in {scene.name for scene in studio.current.scenes}:
            self.call(lambda: self.other_scene(name))
            self.call(lambda: studio.set_program(name))

    @handled
    @rule(seconds=st.sampled_from([0.0, 5.0]), what=st.sampled_from(["removed", "renamed", "nested"]))
    def somebodys_hand_on_the_scene(self, seconds: float, what: str) -> None:
        studio = self.w.obs.studio
        self.viewer.excuse(seconds + STARTED, kept=True)

        async def work() -> None:
            if what == "removed":
                studio.remove_scene(SCENE)
                await asyncio.sleep(seconds)
                studio.create_scene(SCENE)
                self.w.furnish()
                studio.set_program(SCENE)
            elif what == "renamed":
                studio.rename(SCENE, "mine now")
                await asyncio.sleep(seconds)
                studio.rename("mine now", SCENE)
            else:
                studio.add_item(self.other_scene("OUTER"), studio.scene(SCENE))
                studio.set_program("OUTER")
                await asyncio.sleep(seconds)
                studio.set_program(SCENE)

        self.do(work())

    @handled
    @rule(number=st.integers(0, 9))
    def somebodys_own_input_of_that_name(self, number: int) -> None:
        """It is left alone."""
        studio, name = self.w.obs.studio, f"{PREFIX}{self.w.running.director.switchover.next_input + number}"
        if name in self.w.obs.inputs:
            return
        self.call(
            lambda: studio.create_input(self.other_scene("ELSEWHERE"), name, "color_source_v3", {OWNER: SOMEBODY})
        )
