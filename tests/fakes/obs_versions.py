"""The versions of OBS that the fake can be, and what each does that the one before does not.

What is told of them here was recorded from the OBS of Debian 12 (29), Debian 13 (30) and Debian sid (32); 31 is by the
sources of obs-websocket and libobs. The conformance suite holds each of them.
"""

from dataclasses import dataclass
from typing import Any

from tests.fakes.obs_model import Source


@dataclass(frozen=True)
class Version:
    """One OBS, with the obs-websocket that it brings."""

    obs: str
    websocket: str
    system: str
    """Of a computer that has it, as GetVersion describes it."""

    @property
    def major(self) -> int:
        return int(self.obs.partition(".")[0])

    @property
    def uuids(self) -> bool:
        """Sources are told and found by their UUIDs, too."""
        return self.major >= 30

    def named(self, what: str, source: Source | None) -> dict[str, Any]:
        """A source's name, and its UUID where there are any, in the fields that begin with `what`."""
        found = {f"{what}Name": source.name if source is not None else None}
        return found | {f"{what}Uuid": source.uuid if source is not None else None} if self.uuids else found

    @property
    def tells_settings(self) -> bool:
        """Changes of an input's settings are events. Those of filters that were made by request are not."""
        return self.major >= 30

    @property
    def guards(self) -> bool:
        """While scene collections change, and when OBS ends, requests are refused with 207 and events withheld."""
        return self.major >= 30

    @property
    def ends_with_filters(self) -> bool:
        """It ends where an input is removed that has filters, if that is the selected one, as the newest is."""
        return self.major == 30

    @property
    def crops_to_bounds(self) -> bool:
        """A scene item's transform has cropToBounds."""
        return self.major >= 30

    @property
    def tells_abilities(self) -> bool:
        """An input's inputKindCaps are told, and OBS's version is in the Hello."""
        return self.major >= 31

    @property
    def relative(self) -> bool:
        """Scene items follow the canvas's size, but for those in collections that an older OBS has made."""
        return self.major >= 31

    @property
    def canvases(self) -> bool:
        """OBS has canvases beside its main one, and requests may name theirs."""
        return self.major >= 32


OBS_29 = Version("29.0.2", "5.1.0", "Debian GNU/Linux 12 (bookworm)")
OBS_30 = Version("30.2.3", "5.5.2", "Debian GNU/Linux 13 (trixie)")
OBS_31 = Version("31.1.2", "5.6.2", "Debian GNU/Linux 13 (trixie)")
OBS_32 = Version("32.2.2", "5.7.4", "Debian GNU/Linux forky/sid")

VERSIONS = {str(version.major): version for version in (OBS_29, OBS_30, OBS_31, OBS_32)}
