"""OBS as the rules may rely on it, and no better: it does what it is told, late, twice or not at all."""

from collections.abc import Callable
from dataclasses import dataclass

from statemachine import commands as cmd
from statemachine import events as ev
from tests.statemachine.model_program import ModelProgram

STATIC, OTHER_STATIC = "GMOTHERSTREAM", "GOTHER"
"""Inputs that people have made for mode static; they bear no number."""
SLATES = ("SLATE", "OTHER")


class Refused(Exception):
    """OBS answers with an error."""


TAKEN = "a source of that name exists already"


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
    blank: bool = False
    """The watch has told that it shows nothing."""
    moved_at: float = 0.0
    """When the watch last saw it move."""
    items: int = 1
    """How many scene items it has in the scene: 0 where a hand has taken it out, and it lives on elsewhere."""
    shown_items: int = 1
    gain: float = 0.0
    """dB that its sound is raised by."""


class ModelObs:
    """The scene. ``own`` are the inputs that bear the daemon's prefix and a number."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.items: dict[str, Item] = {name: Item(name, None) for name in (STATIC, OTHER_STATIC)}
        self.slates: set[str] = set()
        """Those that are shown."""
        self.shown_by_hand: set[str] = set()
        """Those of them that somebody has shown, and the daemon has not touched since."""
        self.absent: set[str] = set()
        """Those that somebody has taken out of the scene."""
        self.foreign: set[str] = set()
        """Another daemon's inputs that bear this one's prefix."""
        self.program = ModelProgram(lambda: {item.name for item in self.shown})
        self.up = True
        self.names_used: set[str] = set()
        self.fixtures = (STATIC, OTHER_STATIC)
        self.static: Callable[[], str] = str
        """The one input of mode static, by the configuration's name."""

    @property
    def own(self) -> list[Item]:
        """Inputs that bear the prefix and a number, in the order of their numbers."""
        own = [item for item in self.items.values() if self._is_own(item.name)]
        return sorted(own, key=lambda item: int(item.name.removeprefix(self.prefix)))

    def _is_own(self, name: str) -> bool:
        return name.startswith(self.prefix) and name.removeprefix(self.prefix).isdigit()

    @property
    def shown(self) -> list[Item]:
        """What the program shows, but for the slate."""
        return [item for item in self.items.values() if item.shown]

    def rename_own(self, prefix: str, on_air: str) -> None:
        """The daemon calls its inputs otherwise from now on. People cleared away the old ones, but for the picture."""
        for item in self.own:
            if item.name != on_air:
                self.remove(item.name)
            item.astray = True
        self.prefix = prefix

    def inventory(self) -> ev.Inventory:
        """What the daemon reads. Missing is told of every slate that there may be, configured or not."""
        own = (ev.OwnInput(i.name, i.shown, _path(i), i.items, max(1, i.shown_items)) for i in self.own)
        static = self.items.get(self.static())
        others = [*sorted(self.slates), *(item.name for item in self.shown if not self._is_own(item.name))]
        foreign = tuple(ev.ForeignInput(name, "another") for name in sorted(self.foreign))
        return ev.Inventory(
            tuple(own),
            tuple(others),
            missing=tuple(sorted(self.absent)),
            foreign=foreign,
            program=self.program.reading(self.items),
            static=ev.OwnInput(static.name, static.shown, _path(static)) if static is not None else None,
        )

    def remove(self, name: str) -> None:
        """An input goes, from wherever it was."""
        self.items.pop(name, None)
        self.program.forget(name)

    def stop_watches(self) -> None:
        """The connection is gone."""
        for item in self.items.values():
            item.watched_since, item.proven, item.stalled, item.blank = None, False, False, False

    def execute(self, command: cmd.Command, at: float, *, late: bool = False) -> None:
        """Do it. Raises Refused. A ``late`` one goes astray: nobody asks for it any more."""
        looks_first = isinstance(command, cmd.CreateInput | cmd.RemoveInput | cmd.RemoveOrphan)
        assert late or looks_first or getattr(command, "input", "") not in self.foreign
        match command:
            case cmd.CreateInput():
                if command.input in self.foreign:
                    raise Refused(TAKEN)
                if command.input in self.items and not command.reuse:
                    raise Refused("the name exists")
                old = self.items.get(command.input, Item(command.input, None))
                self.items[command.input] = Item(command.input, command.session, old.shown, old.astray)
                self.names_used.add(command.input)
            case cmd.RestartInput():
                # Late, it comes before the next one all the same, which aims the input anew.
                item = self._item(command.input)
                item.session = item.session if late else command.session
                item.shown = item.astray = True
            case cmd.PlaceInput():
                self._item(command.input)
            case cmd.SetLevel():
                self._item(command.input).gain = command.gain
            case cmd.WatchInput():
                item = self._item(command.input)
                item.attempt, item.watched_since, item.proven, item.stalled = command.attempt, at, False, False
                item.moved_at, item.blank = at, False
            case cmd.WatchOnAir():
                item = self._item(command.input)
                item.attempt, item.watched_since, item.proven, item.stalled = 0, at, True, False
                item.moved_at, item.blank = at, False
            case cmd.Cut():
                if self.program.studio_mode and command.studio_mode == "hold":
                    raise Refused("studio mode is on")
                if command.incoming is not None:
                    self._show(self._item(command.incoming), True, late)
                if command.outgoing is not None and command.outgoing in self.items:
                    self._show(self.items[command.outgoing], False, late)
                if command.slate:
                    self._slate(command.slate, command.incoming is None)
                self.program.after_a_cut(command.studio_mode)
            case cmd.RestoreOutgoing():
                if command.incoming in self.items:
                    self._show(self.items[command.incoming], False, late)
                if command.outgoing is not None:
                    self._show(self._item(command.outgoing), True, late)
                if command.slate:
                    self._slate(command.slate, command.outgoing is None)
            case cmd.RemoveInput(input=name) | cmd.RemoveOrphan(input=name) if name in self.foreign:
                pass  # the adapter looks at the mark: another daemon's counts as gone
            case cmd.RemoveInput() | cmd.RemoveOrphan():
                self._not_seen(command.input)
                self.remove(command.input)
            case cmd.LeaveStudioMode():
                if self.program.studio_mode:
                    self.program.switch_studio_mode(False)
            case cmd.BringToProgram():
                if self.program.studio_mode and self.program.copied:
                    self.program.transition(self.program.scene)
            case cmd.ParkInput():
                self._not_seen(command.input)
                if command.input in self.items:
                    self.items[command.input] = Item(command.input, None)
            case cmd.SetSlate():
                if command.slate in self.items:
                    self._show(self.items[command.slate], command.shown, late)
                else:
                    self._slate(command.slate, command.shown)
            case cmd.HideDuplicates():
                self._item(command.input).shown_items = 1
            case cmd.ShowInput() | cmd.HideInput():
                self._show(self._item(command.input), isinstance(command, cmd.ShowInput), late)
            case _:
                raise AssertionError(f"not for OBS: {command}")

    def _slate(self, name: str, shown: bool) -> None:
        if name in self.absent:
            return  # what is not there is done without
        self.shown_by_hand.discard(name)
        (self.slates.add if shown else self.slates.discard)(name)

    def hand_on_fixture(self, name: str, shown: bool) -> None:
        """Somebody shows, or hides, what people have made."""
        if name in self.items:
            self.items[name].shown, self.items[name].astray = shown, True
            return
        if shown and name not in self.slates:
            self.shown_by_hand.add(name)
        (self.slates.add if shown else self.slates.discard)(name)

    def _not_seen(self, name: str) -> None:
        if name in self.program.shows:
            raise Refused("viewers see it")

    def _item(self, name: str) -> Item:
        if name not in self.items:
            raise Refused(f"there is no {name}")
        return self.items[name]

    @staticmethod
    def _show(item: Item, shown: bool, late: bool) -> None:
        if not item.items:
            if shown:
                raise Refused(f"{item.name} is not in the scene")
            return
        if not item.shown or not shown:
            item.shown_items = 1
        if late and item.shown != shown:
            item.astray = True
        elif not late:
            item.astray = False
        item.shown = shown


def _path(item: Item) -> str | None:
    return f"{item.session.app}/{item.session.stream}" if item.session else None


def answer(command: cmd.Command, at: float, failure: str = "", *, shown: bool = True) -> ev.Event | None:
    """What the executor makes of OBS's answer; None where the rules wait for none. ``shown``: viewers get a cut."""
    match command:
        case cmd.CreateInput() | cmd.RestartInput():
            created = ev.InputCreated(at, command.attempt)
            taken = failure == TAKEN
            untouched = failure == "refused" and isinstance(command, cmd.RestartInput)
            failed = ev.CreationFailed(at, command.attempt, failure, taken, untouched=untouched)
            return failed if failure else created
        case cmd.Cut():
            return ev.CutFailed(at, command.attempt, failure) if failure else ev.CutDone(at, command.attempt, shown)
        case cmd.RestoreOutgoing():
            restored = ev.OutgoingRestored(at, command.attempt)
            return ev.RestoreFailed(at, command.attempt, failure) if failure else restored
        case cmd.RemoveInput() | cmd.ParkInput():
            removed = ev.InputRemoved(at, command.attempt)
            return ev.RemovalFailed(at, command.attempt, failure) if failure else removed
        case cmd.WatchInput() | cmd.WatchOnAir():
            number = command.attempt if isinstance(command, cmd.WatchInput) else 0
            return ev.MediaFailed(at, number, failure) if failure else None
        case cmd.RemoveOrphan():
            swept = ev.OrphanRemoved(at, command.input)
            return ev.OrphanRemovalFailed(at, command.input, failure) if failure else swept
    return None
