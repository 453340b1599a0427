"""OBS's studio mode: a preview beside the program, private copies of scenes, and transitions that take a while."""

from collections.abc import Callable, Iterator
from copy import copy as copy_of
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fakes.obs_events import Intent
from tests.fakes.obs_model import Input, Scene, SceneItem, Source

if TYPE_CHECKING:
    from tests.fakes.obs_studio import Studio


class StudioMode:
    """What is given to viewers: the program scene, or in studio mode a copy of it as it was at the last transition.

    duplicates: OBS's "Duplicate Scene". swaps: its "Swap Preview/Program Scenes After Transitioning". Both are on by
    default. sources: its "Duplicate Sources", which copies nested scenes as well; off by default. No request asks for
    them. transition_frames: how long the transition is; 0 is the transition Cut.
    """

    def __init__(self, studio: "Studio", changed: Callable[[], None]) -> None:
        self._studio = studio
        self._changed = changed
        self.on = False
        self.duplicates = True
        self.sources = False
        self.swaps = True
        self.preview: Scene | None = None
        self.transition = "Cut"
        self.transition_frames = 0
        self._copy: Scene | None = None
        self._leaving: Scene | None = None
        self._lasts = 0
        self._left = 0
        self._swap: Scene | None = None
        self.switching = False
        """It is being switched on: until the next frame OBS has no program scene."""

    @property
    def output(self) -> list[Scene]:
        """What is rendered for viewers, the bottom first; two scenes while a transition runs."""
        scenes = [self._leaving, self._copy or self._studio.current.program]
        return [scene for scene in scenes if scene is not None]

    @property
    def cursor(self) -> float:
        """How far the transition is, 0 to 1; 1 where none runs."""
        return 1.0 - self._left / self._lasts if self._left else 1.0

    def uses(self, source: Source) -> bool:
        """Whether a copy holds it."""
        return any(source in _held(scene) for scene in (self._copy, self._leaving) if scene is not None)

    def switch(self, on: bool) -> None:
        """Program keeps its scene, and shows it as it is then."""
        if on == self.on:
            return
        self.on = self.switching = on
        program = self._studio.current.program
        self.preview = program if on else None
        self._leaving, self._left, self._swap = None, 0, None
        self._copy = self._copied(program)
        self._studio.emit(Intent.UI, "StudioModeStateChanged", {"studioModeEnabled": on})
        self._changed()

    def set_preview(self, scene: Scene) -> None:
        """By the operator, or by request."""
        if self.preview is not scene:
            self.preview = scene
            self._studio.tell.preview(scene)

    def take(self, scene: Scene) -> bool:
        """In studio mode: the scene into Program, as it is now. False where a transition runs, which OBS lets end."""
        last = self._studio.current.program
        if self._left:
            return False
        if scene is last and not self.duplicates:
            return False
        self._leaving = self._copy or last if self.transition_frames else None
        self._lasts = self._left = self.transition_frames
        self._copy = self._copied(scene)
        if self._left:
            self._swap = last
        else:
            self._to_preview(last)
        return True

    def frame(self) -> bool:
        """A frame is rendered; whether a transition has ended with it."""
        self.switching = False
        if not self._left:
            return False
        self._left -= 1
        if self._left:
            return False
        self._leaving = None
        self._to_preview(self._swap)
        return True

    def reset(self) -> None:
        """Other scenes: as after a start, without studio mode."""
        self.on, self.preview, self._copy, self._leaving, self._left = False, None, None, None, 0
        self.switching = False

    def _to_preview(self, scene: Scene | None) -> None:
        if self.swaps and scene is not None:
            self.set_preview(scene)

    def _copied(self, scene: Scene | None) -> Scene | None:
        """A private copy: items of its own, which refer to the same inputs and nested scenes, or to copies of these."""
        if scene is None or not (self.on and self.duplicates):
            return None
        copy = Scene(scene.name)
        copy.items = [SceneItem(**{**vars(item), "transform": replace(item.transform)}) for item in scene.items]
        for item in copy.items if self.sources else ():
            if isinstance(item.source, Scene):
                item.source = self._copied(item.source) or item.source
            elif isinstance(item.source, Input) and not item.source.kind.audio:
                item.source = copy_of(item.source)  # those that have sound ask not to be duplicated
        return copy


def _held(scene: Scene) -> Iterator[Source]:
    """All that lies in a scene, and in those nested in it."""
    for item in scene.items:
        yield item.source
        if isinstance(item.source, Scene):
            yield from _held(item.source)
