"""What the operator has in studio mode's preview, which a transition of ours is not to change.

OBS swaps preview and Program when a transition ends, if so configured, which is the default (TransitionStopped in its
OBSBasic_Transitions.cpp).
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from daemon.core.ports import ObsError, ObsRefused, ObsTimeout
from daemon.obs.connection import Link, Request, sense

POLL = 0.06
"""Seconds between two looks at the preview."""
STAYS = 1.0
"""Seconds that it must have stayed as it was put, with no transition running."""
PUT_BACK_WITHIN = 15.0
"""Seconds for all of it: another transition may be running."""


class Preview:
    """Takes scenes into Program and puts the operator's preview back."""

    def __init__(self) -> None:
        self._owed = ""
        """What is to be in preview again."""
        self._restoring: asyncio.Task[None] | None = None

    @property
    def owed(self) -> bool:
        """It has yet to be put back."""
        return bool(self._owed)

    async def take(self, link: Link, scene: str) -> None:
        """Have studio mode's transition take the scene into Program. Raises ObsError.

        What is in preview at that moment is owed; where it is the scene itself, swapped in by an earlier transition of
        ours, what was owed before still is.
        """
        self._pause()
        # Before it, for its answer may come too late; and with it, for a swap after a transition of the operator's own
        # may have been waiting, and OBS has carried that out by then.
        self._owe(await link.call("GetSceneList"), scene)
        asked = [Request("SetCurrentProgramScene", {"sceneName": scene}), Request("GetSceneList")]
        results = await link.batch(asked)
        with sense(asked[0].kind):
            taken, scenes = results
        taken.checked()
        self._owe(scenes.checked(), scene)

    def put_back(self, link: Link, scene: str) -> None:
        """Begin to put back what is owed, once ``scene`` has been taken or given up."""
        self._pause()
        if self._owed == scene:
            self._owed = ""
        if self._owed:
            self._restoring = asyncio.create_task(self._put_back(link, self._owed, scene), name="obs-preview")

    def forget(self) -> None:
        """Leave what is under way."""
        self._pause()
        self._owed = ""

    def _pause(self) -> None:
        if self._restoring is not None:
            self._restoring.cancel()

    def _owe(self, scenes: Mapping[str, Any], scene: str) -> None:
        _, preview = _scenes(scenes)
        if preview not in (None, scene):
            self._owed = str(preview)

    async def _put_back(self, link: Link, preview: str, swapped: str) -> None:
        """OBS may swap a moment after the transition, and undo what was put there: it is looked at until it stays."""
        began = since = time.monotonic()
        while time.monotonic() < began + PUT_BACK_WITHIN:
            try:
                running = await is_transitioning(link)
                program, now = _scenes(await link.call("GetSceneList"))
                if program != swapped or now not in (swapped, preview):
                    break  # somebody has chosen other ones, or studio mode is off
                if now == swapped:
                    await link.call("SetCurrentPreviewScene", {"sceneName": preview})
                    since = time.monotonic()
                elif not running and time.monotonic() > since + STAYS:
                    break
            except ObsTimeout:
                pass
            except ObsError:
                break
            await asyncio.sleep(POLL)
        self._owed = ""


def _scenes(answer: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The scene in Program and the one in preview; None while OBS has none."""
    with sense("GetSceneList"):
        program, preview = answer["currentProgramSceneName"], answer["currentPreviewSceneName"]
    return None if program is None else str(program), None if preview is None else str(preview)


async def is_transitioning(link: Link) -> bool:
    """Whether a transition is under way. Raises ObsError."""
    try:
        return runs(await link.call("GetCurrentSceneTransitionCursor"))
    except ObsRefused:
        return False


def runs(answer: Mapping[str, Any]) -> bool:
    """Whether a transition is under way, by the answer to GetCurrentSceneTransitionCursor."""
    cursor = answer.get("transitionCursor")
    return isinstance(cursor, int | float) and 0.0 < cursor < 1.0
