"""Our scene, in the OBS that is connected now."""

from dataclasses import dataclass

from daemon.obs.connection import Link
from daemon.obs.scene_items import SceneItems


@dataclass(frozen=True, slots=True)
class ObsScene:
    """What a change of the picture needs to know. It is worth nothing any more once OBS is lost."""

    link: Link
    name: str
    fps: float
    """OBS's frames a second."""
    known: SceneItems | None = None
    """What was read of it last, if nothing is known to have changed since; see KnownItems."""
