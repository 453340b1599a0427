"""How loud an own input is: a gain filter of the daemon's own, over whatever volume an operator or a template sets.

A filter and not the mixer's volume: that is people's, and stays theirs. It keeps its gain over a restart of the daemon,
and what an input takes over from another one leaves it out.
"""

from typing import Final

from daemon.core.ports import NAME_TAKEN, ObsRefused
from daemon.obs.connection import Link

FILTER: Final = "motherstream level"
FILTER_KIND: Final = "gain_filter"


async def set_level(link: Link, name: str, gain: float) -> None:
    """Make it louder by so many dB. Raises ObsError; ObsRefused where there is no such input."""
    about = {"sourceName": name, "filterName": FILTER}
    settings = {"db": gain}
    try:
        await link.call("CreateSourceFilter", {**about, "filterKind": FILTER_KIND, "filterSettings": settings})
    except ObsRefused as error:
        if error.code != NAME_TAKEN:
            raise
        await link.call("SetSourceFilterSettings", {**about, "filterSettings": settings})
