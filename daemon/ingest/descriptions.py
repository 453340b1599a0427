"""What streams are made of, as their servers' lists tell it: handed on when it changes."""

from collections.abc import Callable, Mapping

from statemachine.events import StreamDescribed, Tracks


class Descriptions:
    """Told of each list; submits what is news."""

    def __init__(self, submit: Callable[[StreamDescribed], None]) -> None:
        self._submit = submit
        self._told: dict[str, dict[str, Tracks]] = {}

    def listed(self, server: str, at: float, found: Mapping[str, Tracks | None]) -> None:
        """One server's list: what it tells of each of its sessions. What it no longer lists is forgotten."""
        before = self._told.get(server, {})
        known = {session_id: tracks for session_id, tracks in found.items() if tracks is not None}
        for session_id, tracks in known.items():
            if before.get(session_id) != tracks:
                self._submit(StreamDescribed(at, session_id, tracks))
        self._told[server] = known
