"""Inputs of the daemon's that somebody has renamed: they get their names back, by which it knows them.

And copies of them in its scene ("Paste (Duplicate)"), which nobody would hide when their original is."""

from collections.abc import Mapping

import structlog

from daemon.obs.connection import Link, Request

log = structlog.get_logger(__name__)


async def name_again(link: Link, strays: Mapping[str, str]) -> bool:
    """Rename each to what it was; whether one was renamed. One whose name is taken keeps the other. Raises ObsGone."""
    asked = [Request("SetInputName", {"inputName": name, "newInputName": before}) for name, before in strays.items()]
    mended = False
    for request, result in zip(asked, await link.batch(asked), strict=False):
        if result.ok:
            mended = True
            before, name = request.data["newInputName"], request.data["inputName"]
            log.warning(
                f"'{before}' was renamed to '{name}' in OBS, and has been renamed back: "
                "the daemon identifies its inputs by name. To label one, add a text source to the scene",
                input=before,
            )
    return mended


def log_copies(strays: Mapping[str, str], told: set[str]) -> None:
    """Say once of each that keeps the other name what will become of it."""
    for name in strays.keys() - told:
        log.warning(
            f"'{name}' is a copy of '{strays[name]}', which is the daemon's: it is removed, because it would cover "
            "the next one. A copy in another scene is left alone",
            input=name,
        )
    told.clear()
    told.update(strays)
