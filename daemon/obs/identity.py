"""The daemon's inputs by their UUIDs, which they keep whatever people call them.

OBS tells them from 30.1 on. There the daemon may go on speaking of an input by the name that it gave it: its requests
go out with the UUID in the name's place, and in what OBS lists that name stands in the place of the one by hand. With
an OBS that has no UUIDs nothing is known here, and nothing is changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

CALLED: Final = "calledByHand"
"""Key under which a listed input bears the name that somebody gave it, where it has another here."""

_FIELDS: Final = (("inputName", "inputUuid"), ("sourceName", "sourceUuid"))
_BY_NAME: Final = frozenset({"CreateInput", "GetSceneItemId"})
"""Requests that take no UUID of what they name."""
_LISTS: Final = {"GetInputList": "inputs", "GetSceneItemList": "sceneItems", "GetGroupSceneItemList": "sceneItems"}


class Identities:
    """What is known of one connection's OBS. A name counts only for as long as OBS lists no other input under it."""

    def __init__(self) -> None:
        self._uuids: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def learn(self, name: str, uuid: object) -> None:
        """An own input was made, and has this UUID, if OBS told one."""
        if isinstance(uuid, str) and uuid:
            self._names.pop(self._uuids.get(name, ""), None)
            self._uuids[name] = uuid
            self._names[uuid] = name

    def keep(self, listed: Mapping[str, object]) -> None:
        """All own inputs that there are, with what OBS tells as their UUIDs. What is not among them is forgotten."""
        self._uuids.clear()
        self._names.clear()
        for name, uuid in listed.items():
            self.learn(name, uuid)

    def outgoing(self, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """A request's data as OBS is to get it."""
        found = dict(data)
        if self._uuids and kind not in _BY_NAME:
            for by_name, by_uuid in _FIELDS:
                if (uuid := self._uuids.get(found.get(by_name, ""))) is not None:
                    # Without the name: up to OBS 31 that would count for more.
                    del found[by_name]
                    found[by_uuid] = uuid
        return found

    def incoming(self, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer's data as the daemon is to read it."""
        listed = data.get(_LISTS.get(kind, ""))
        if not self._names or not isinstance(listed, list):
            return data
        names = (row.get(key) for row in listed if isinstance(row, Mapping) for key, _ in _FIELDS)
        taken = {name for name in names if isinstance(name, str)}
        return {**data, _LISTS[kind]: [self._row(row, taken) for row in listed]}

    def _row(self, row: Any, taken: set[str]) -> Any:
        for by_name, called, name in self._given(row):
            if called != name and name not in taken:
                return {**row, by_name: name, CALLED: called}
        return row

    def _given(self, row: Any) -> Iterator[tuple[str, Any, str]]:
        if isinstance(row, Mapping):
            for by_name, by_uuid in _FIELDS:
                uuid = row.get(by_uuid)
                name = self._names.get(uuid) if isinstance(uuid, str) else None
                if name is not None:
                    yield by_name, row.get(by_name), name
