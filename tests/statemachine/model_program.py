"""What the model OBS gives to viewers: its program scene, and in studio mode a private copy of it."""

from collections.abc import Callable, Collection

from statemachine.reading import ProgramReading

OURS, NESTING, BREAK = "MOTHERSTREAM", "BIG", "BREAK"
"""The daemon's scene; one that has it as an item; one that has not."""
SCENES = (OURS, NESTING, BREAK)


class ModelProgram:
    """``scene_shows`` tells the inputs that are enabled in the daemon's scene."""

    def __init__(self, scene_shows: Callable[[], Collection[str]]) -> None:
        self._scene_shows = scene_shows
        self.scene = OURS
        self.studio_mode = False
        self.duplicates = True
        """OBS's "Duplicate Scene"; nobody can ask for it."""
        self._copy: set[str] | None = None

    @property
    def copied(self) -> bool:
        """Viewers see a private copy of the daemon's scene."""
        return self._copy is not None

    @property
    def live(self) -> bool:
        """They see the daemon's scene itself."""
        return self.scene in (OURS, NESTING) and not self.copied

    @property
    def shows(self) -> set[str]:
        """The inputs that viewers see."""
        if self._copy is not None:
            return self._copy
        return set(self._scene_shows()) if self.live else set()

    def forget(self, name: str) -> None:
        """An input is no more."""
        if self._copy is not None:
            self._copy.discard(name)

    def switch_studio_mode(self, on: bool) -> None:
        """Each time Program shows its scene as it is then."""
        self.studio_mode = on
        self.transition(self.scene)

    def transition(self, scene: str) -> None:
        """Take a scene into Program as it is now."""
        self.scene = scene
        # A scene that is nested in another one is not copied, but referred to.
        duplicated = self.studio_mode and self.duplicates and scene == OURS
        self._copy = set(self._scene_shows()) if duplicated else None

    def restart(self) -> None:
        """OBS starts anew, with the scene that it had."""
        self.switch_studio_mode(False)

    def after_a_cut(self, studio_mode: str) -> None:
        """The daemon's scene was changed, and viewers are to get it."""
        if self.studio_mode and studio_mode == "leave":
            self.switch_studio_mode(False)
        elif self.copied and studio_mode == "drive":
            self.transition(self.scene)

    def reading(self, inputs: Collection[str]) -> ProgramReading:
        """What the daemon reads of it."""
        active = tuple(name for name in inputs if name in self.shows)
        return ProgramReading(self.scene, self.studio_mode, self.live, self.copied, active)
