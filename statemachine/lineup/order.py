"""Who stands where: the entries in their order, found by streamer and by session without a search."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain

from statemachine import events as ev
from statemachine import facts
from statemachine.lineup.entry import Entry, LineupState, Stray

STRAY_FOR = 60.0
"""Seconds that one who was taken out is taken to publish still, where its server does not list it. One who was kicked
is for as long as it is blocked: nobody else's turn may bring that picture back."""


class Order:
    """The entries and what is remembered beside them. The first is the holder: whose turn it is, or would be."""

    def __init__(self, state: LineupState) -> None:
        self.version = 0
        """Another number whenever an entry, or what is said of all, may have become another."""
        self.generation = 0
        """Another number whenever all entries have become others."""
        self.changed: dict[str, None] = {}
        """Whose entries were stored since the agenda looked last."""
        self.actor: ev.Actor | None = None
        """Who asked for what is being done; None where nobody did."""
        self.load(state)

    @property
    def state(self) -> LineupState:
        """All of it, for the snapshot."""
        return replace(self.memory, entries=list(self._entries.values()))

    def load(self, state: LineupState) -> None:
        """Stand where ``state`` was taken."""
        self.memory = replace(state, entries=[])
        """What is remembered beside the entries; for the parts of the line-up alone."""
        self._entries = {entry.streamer: entry for entry in state.entries}
        self._owners: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        """Who has announced itself on each path."""
        self._by_hand: dict[str, str] = {}
        """Whose stream on each path was asked for by hand."""
        for entry in state.entries:
            self._own(entry)
        self.generation += 1
        self.touch()

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
        """The live session whose path that is: one that announced itself, before one that was asked for by hand."""
        return self._first_on(stream, self._paths) or self._first_on(stream, self._by_hand)

    def announced(self, stream: str) -> ev.Session | None:
        """The one that announced itself: one that was asked for by hand says nothing of who publishes there."""
        return self._first_on(stream, self._paths)

    def _first_on(self, path: str, owners: Mapping[str, str]) -> ev.Session | None:
        """The one that its streamer is played from, before a later one."""
        owner = owners.get(path)
        entry = self._entries.get(owner) if owner is not None else None
        return next((session for session in entry.sessions if session.path == path), None) if entry else None

    def holder_of(self, path: str, now: float) -> ev.Session | None:
        """The live session that has that path, in the line-up or taken out of it; none that was asked for by hand."""
        if (announced := self.announced(path)) is not None:
            return announced
        stray = self.memory.strays.get(path)
        return stray.session if stray is not None and self._strays(stray, now) else None

    def _strays(self, stray: Stray, now: float) -> bool:
        return stray.seen_at >= now - STRAY_FOR or self.memory.blocks.get(stray.session.streamer, 0.0) > now

    def taken(self, at: float, session: ev.Session) -> facts.Refused | None:
        """That another streamer's live session has its path, or None."""
        held = self.holder_of(session.path, at)
        if held is None or held.streamer == session.streamer:
            return None
        why = (
            f"{held.streamer} publishes to that path already: {session.streamer} needs a stream name of its own, "
            f"or publishes once {held.streamer} has left"
        )
        return facts.Refused(at, "path_taken", why)

    def born(self, session_id: str) -> float:
        """When a live session was accepted."""
        return self.memory.born.get(session_id, 0.0)

    @property
    def live_sessions(self) -> tuple[ev.Session, ...]:
        """All that still publish as far as is known, in the line-up and taken out of it."""
        inside = (session for entry in self for session in entry.sessions)
        return (*inside, *(session for stray in self.memory.strays.values() for session in stray.sessions))

    def first_showable(self, now: float, but: str = "") -> Entry | None:
        """The first of whom a picture can be expected: of those who are fit, before one who is passed over."""
        spare = None
        for entry in self._entries.values():
            if entry.showable(now) and entry.streamer != but:
                if not self.passed_over(entry):
                    return entry
                spare = spare or entry
        return spare

    def passed_over(self, entry: Entry) -> bool:
        """Whoever is fit comes before it, until it is fit, its turn has begun, or an operator has said so."""
        unfit = self.memory.unfit
        if not unfit or entry.turn_began is not None or entry.session is None:
            return False
        return entry.session.id in unfit

    def by_fitness(self) -> Iterator[Entry]:
        """All in their order, those who are passed over at the end."""
        if not self.memory.unfit:
            return iter(self)
        return chain(
            (entry for entry in self if not self.passed_over(entry)),
            (entry for entry in self if self.passed_over(entry)),
        )

    def mark_unfit(self, session_id: str, reason: str) -> bool:
        """What keeps it behind those who are fit; empty where nothing does any more. True if that is news."""
        memory = self.memory
        if memory.unfit.get(session_id, "") == reason:
            return False
        if reason:
            memory.unfit[session_id] = reason
        else:
            del memory.unfit[session_id]
        self.touch()
        return True

    def waive(self, entry: Entry, at: float) -> None:
        """An operator wants it to be shown, fit or not, for as long as this session and its next turn last."""
        if entry.session is not None:
            self.memory.waived[entry.session.id] = at
            self.memory.unfit.pop(entry.session.id, None)
            self.touch()

    def unwaive(self, session_id: str) -> None:
        """What was let pass is over."""
        if self.memory.waived.pop(session_id, None) is not None:
            self.touch()

    # --- for the parts of the line-up alone ------------------------------------------------------------------

    def put(self, entry: Entry, position: int | None = None) -> None:
        """Store it: where it stands (a new one at the tail), or at ``position``."""
        self.touch()
        self.changed[entry.streamer] = None
        if position is not None:
            self._entries.pop(entry.streamer, None)
        self._entries[entry.streamer] = entry
        self._own(entry)
        if position is not None and position < len(self._entries) - 1:
            order = list(self._entries.values())
            order.insert(position, order.pop())
            self._entries = {entry.streamer: entry for entry in order}

    def _own(self, entry: Entry) -> None:
        mine, others = (self._by_hand, self._paths) if entry.transient else (self._paths, self._by_hand)
        for session in entry.sessions:
            self._owners[session.id] = mine[session.path] = entry.streamer
            if others.get(session.path) == entry.streamer:
                del others[session.path]

    def forget_session(self, session: ev.Session) -> None:
        """It is over, or not the line-up's any more: its entry is to be put without it."""
        self.memory.born.pop(session.id, None)
        self.memory.missing.pop(session.id, None)
        self.memory.doubted.pop(session.id, None)
        self.memory.unopened.pop(session.id, None)
        self.memory.unfit.pop(session.id, None)
        self.memory.waived.pop(session.id, None)
        self._disown(session)

    def _disown(self, session: ev.Session) -> None:
        """It is not the line-up's any more. Whoever else of its entry has its path is put again."""
        streamer = self._owners.pop(session.id, None)
        for owners in (self._paths, self._by_hand):
            if streamer is not None and owners.get(session.path) == streamer:
                del owners[session.path]

    def take_out(self, streamer: str) -> Entry:
        """It is in the line-up no more."""
        self.touch()
        return self._entries.pop(streamer)

    def set_cause(self, why: str, whose: str = "") -> None:
        """Remember what changed the order, until the next picture."""
        self.memory.why, self.memory.whose, self.memory.actor = why, whose, self.actor if why else None

    def touch(self) -> None:
        """Something may have become another."""
        self.version += 1
