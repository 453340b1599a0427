"""Who stands where: the entries in their order, found by streamer and by session without a search."""

from collections.abc import Iterator
from dataclasses import replace

from statemachine import events as ev
from statemachine.entry import Entry, LineupState


class Order:
    """The entries and what is remembered beside them. The first is the holder: whose turn it is, or would be."""

    def __init__(self, state: LineupState) -> None:
        self.version = 0
        """Another number whenever an entry, or what is said of all, may have become another."""
        self.load(state)

    @property
    def state(self) -> LineupState:
        """All of it, for the snapshot."""
        return replace(self._memory, entries=list(self._entries.values()))

    def load(self, state: LineupState) -> None:
        """Stand where ``state`` was taken."""
        self._memory = replace(state, entries=[])
        self._entries = {entry.streamer: entry for entry in state.entries}
        self._owners = {session.id: entry.streamer for entry in state.entries for session in entry.sessions}
        self._touch()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def holder(self) -> Entry | None:
        """Whose turn it is, or would be."""
        return next(iter(self._entries.values()), None)

    def find(self, streamer: str) -> Entry | None:
        """The entry of a streamer."""
        return self._entries.get(streamer)

    def by_session(self, session_id: str) -> Entry | None:
        """The entry that a live session belongs to."""
        owner = self._owners.get(session_id)
        return None if owner is None else self._entries.get(owner)

    def by_stream(self, stream: str) -> ev.Session | None:
        """The live session that publishes ``app/stream``."""
        for entry in self:
            if entry.session and f"{entry.session.app}/{entry.session.stream}" == stream:
                return entry.session
        return None

    def first_showable(self, now: float, but: str = "") -> Entry | None:
        """The first of whom a picture can be expected."""
        for entry in self._entries.values():
            if entry.showable(now) and entry.streamer != but:
                return entry
        return None

    def _put(self, entry: Entry, position: int | None = None) -> None:
        """Store it: where it stands (a new one at the tail), or at ``position``."""
        self._touch()
        if position is not None:
            self._entries.pop(entry.streamer, None)
        self._entries[entry.streamer] = entry
        for session in entry.sessions:
            self._owners[session.id] = entry.streamer
        if position is not None and position < len(self._entries) - 1:
            order = list(self._entries.values())
            order.insert(position, order.pop())
            self._entries = {entry.streamer: entry for entry in order}

    def _take_out(self, streamer: str) -> Entry:
        self._touch()
        return self._entries.pop(streamer)

    def _touch(self) -> None:
        self._changed = True
        self.version += 1
