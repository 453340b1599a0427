"""OBS as the rules may rely on it, and no better: it does what it is told, late, twice or not at all."""

from dataclasses import dataclass

from statemachine import commands as cmd
from statemachine import events as ev

STATIC = "GMOTHERSTREAM"


class Refused(Exception):
    """OBS answers with an error."""


@dataclass
class Item:
    """One input with its scene item, and the watch on it."""

    name: str
    session: ev.Session | None
    shown: bool = False
    astray: bool = False
    """Shown or hidden by something else than a command in time: a hand, or a cut that timed out."""
    attempt: int = 0
    watched_since: float | None = None
    proven: bool = False
    stalled: bool = False
    """The watch has told that it stands still."""
    moved_at: float = 0.0
    """When the watch last saw it move."""


class ModelObs:
    """The scene. ``own`` are the inputs that bear a number."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {STATIC: Item(STATIC, None)}
        self.slates: set[str] = set()
        """Those that are shown."""
        self.up = True
        self.names_used: set[str] = set()

    @property
    def own(self) -> list[Item]:
        """Inputs that bear the prefix and a number, in the order of their numbers."""
        own = [item for item in self.items.values() if item.name != STATIC]
        return sorted(own, key=lambda item: int(item.name.rpartition("_")[2]))

    @property
    def shown(self) -> list[Item]:
        """What the program shows, but for the slate."""
        return [item for item in self.items.values() if item.shown]

    def inventory(self) -> ev.Inventory:
        """What the daemon reads."""
        own = (
            ev.OwnInput(i.name, i.shown, f"{i.session.app}/{i.session.stream}" if i.session else None) for i in self.own
        )
        others = [*sorted(self.slates), *([STATIC] if self.items[STATIC].shown else [])]
        return ev.Inventory(tuple(own), tuple(others))

    def stop_watches(self) -> None:
        """The connection is gone."""
        for item in self.items.values():
            item.watched_since, item.proven, item.stalled = None, False, False

    def execute(self, command: cmd.Command, at: float, *, late: bool = False) -> None:
        """Do it. Raises Refused. A ``late`` one goes astray: nobody asks for it any more."""
        match command:
            case cmd.CreateInput():
                if command.input in self.items and not command.reuse:
                    raise Refused("the name exists")
                old = self.items.get(command.input, Item(command.input, None))
                self.items[command.input] = Item(command.input, command.session, old.shown, old.astray)
                self.names_used.add(command.input)
            case cmd.RestartInput():
                item = self._item(command.input)
                item.session, item.shown, item.astray = command.session, True, True
            case cmd.PlaceInput():
                self._item(command.input)
            case cmd.WatchInput():
                item = self._item(command.input)
                item.attempt, item.watched_since, item.proven, item.stalled = command.attempt, at, False, False
                item.moved_at = at
            case cmd.WatchOnAir():
                item = self._item(command.input)
                item.attempt, item.watched_since, item.proven, item.stalled = 0, at, True, False
                item.moved_at = at
            case cmd.Cut():
                if command.incoming is not None:
                    self._show(self._item(command.incoming), True, late)
                if command.outgoing is not None and command.outgoing in self.items:
                    self._show(self.items[command.outgoing], False, late)
                if command.slate:
                    self._slate(command.slate, command.incoming is None)
            case cmd.RestoreOutgoing():
                if command.incoming in self.items:
                    self._show(self.items[command.incoming], False, late)
                if command.outgoing is not None:
                    self._show(self._item(command.outgoing), True, late)
                if command.slate:
                    self._slate(command.slate, command.outgoing is None)
            case cmd.RemoveInput() | cmd.RemoveOrphan():
                self.items.pop(command.input, None)
            case cmd.ParkInput():
                if command.input in self.items:
                    self.items[command.input] = Item(command.input, None)
            case cmd.SetSlate():
                if command.slate in self.items:
                    self._show(self.items[command.slate], command.shown, late)
                else:
                    self._slate(command.slate, command.shown)
            case cmd.ShowInput() | cmd.HideInput():
                self._show(self._item(command.input), isinstance(command, cmd.ShowInput), late)
            case _:
                raise AssertionError(f"not for OBS: {command}")

    def _slate(self, name: str, shown: bool) -> None:
        (self.slates.add if shown else self.slates.discard)(name)

    def _item(self, name: str) -> Item:
        if name not in self.items:
            raise Refused(f"there is no {name}")
        return self.items[name]

    @staticmethod
    def _show(item: Item, shown: bool, late: bool) -> None:
        if late and item.shown != shown:
            item.astray = True
        elif not late:
            item.astray = False
        item.shown = shown


def answer(command: cmd.Command, at: float, failure: str = "") -> ev.Event | None:
    """What the executor makes of OBS's answer; None where the rules wait for none."""
    match command:
        case cmd.CreateInput() | cmd.RestartInput():
            created = ev.InputCreated(at, command.attempt)
            return ev.CreationFailed(at, command.attempt, failure) if failure else created
        case cmd.Cut():
            return ev.CutFailed(at, command.attempt, failure) if failure else ev.CutDone(at, command.attempt)
        case cmd.RestoreOutgoing():
            restored = ev.OutgoingRestored(at, command.attempt)
            return ev.RestoreFailed(at, command.attempt, failure) if failure else restored
        case cmd.RemoveInput() | cmd.ParkInput():
            removed = ev.InputRemoved(at, command.attempt)
            return ev.RemovalFailed(at, command.attempt, failure) if failure else removed
        case cmd.RemoveOrphan():
            swept = ev.OrphanRemoved(at, command.input)
            return ev.OrphanRemovalFailed(at, command.input, failure) if failure else swept
    return None
