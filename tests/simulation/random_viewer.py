"""What viewers of the random search see, and what docs/faults.md promises them, looked at all the time.

What somebody's hand, a lie of the ingest server or a fault of OBS does to the picture is excused by the rule that plays
it. All else is not.
"""

import asyncio

from statemachine.handover.states import State
from statemachine.lineup.entry import Entry
from tests.fakes.obs_program import Shot
from tests.fakes.srs import Lists
from tests.simulation.world import SCENE, World

EVERY = 0.1
"""Seconds from one look to the next."""
STEADY = 1.5
"""Seconds for which a stream has to move and to be known before it has to be shown."""
FOLLOWS = 1.4
"""Seconds without a moving picture at most where one stands by: a stall as it is configured, and the looks."""
STARTS = 3.0
"""The same where an input has to be made first, which takes a stream its time to begin."""
RECENT = 2.0
"""Seconds for which a picture that stopped may be believed to move, or one be on its way out."""
OBS_WELL = 20.0
"""Seconds until nothing of a fault of OBS's is left: a backoff, and a hand-over."""
LISTS = 8.0
"""Seconds after a lie of the ingest server's until what came of it is over."""
FOR_GOOD = 1e9
NAMED = 6.0
"""Seconds that the truth of a list takes to be the daemon's."""


class Viewer:
    """Looks at one world. ``wrong`` is what it saw that must not be."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wrong = ""
        self.unkept = 0.0
        """Until when a moving picture may be taken off."""
        self.unshown = 0.0
        """Until when nothing has to be shown."""
        self.unnamed = 0.0
        """Until when a name may be wrong."""
        self.out: dict[str, float] = {}
        """Whom an operator sent away, and until when that may be why it is taken off."""
        self._steady: dict[tuple[str, str], float] = {}
        self._moved: dict[str, float] = {}
        self._whose: dict[str, str] = {}
        self._hits = 0
        self._mark = 0
        self._since: dict[str, float] = {}

    def excuse(self, seconds: float, *, kept: bool = False, shown: bool = True, named: bool = False) -> None:
        """For so long from now: a moving picture may go (``kept``), there may be none, a name may be wrong."""
        until = self.world.loop.now + seconds
        if kept:
            self.unkept = max(self.unkept, until)
        if shown:
            self.unshown = max(self.unshown, until)
        if named:
            self.unnamed = max(self.unnamed, until)

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """Once."""
        w, now = self.world, self.world.loop.now
        for item in w.own:
            if item.name in w.obs.inputs and (streamer := w.streamer_of(item.name)):
                self._whose[item.name] = streamer
        moving = {(name, w.clients[name].id) for name in w.moving if name in w.clients}
        self._steady = {each: self._steady.get(each, now) for each in moving}
        self._moved |= {name: now for name, _ in moving}
        self._excuse_faults()
        self._is_kept(now)
        self._is_shown(now)
        self._is_named(now)

    def _excuse_faults(self) -> None:
        """As long as they last, and until what came of them is over."""
        w = self.world
        obs, srs = w.obs.faults, w.srs
        hits = sum(rule.hits for rule in obs.rules) + sum(rule.hits for rule in obs.event_rules)
        if hits != self._hits or obs.jitter or w.obs.clients == 0 or not obs.upgrades or w.obs.studio.renderer.stalled:
            self.excuse(OBS_WELL)
        self._hits = hits
        api = srs.faults
        if srs.lost or srs.lists is not Lists.TRUE or api.status or api.silent or api.delay or api.half:
            self.excuse(LISTS if w.settings["ingest.srs_api"] else FOR_GOOD, kept=True, named=True)

    # --- a moving picture is never taken off air ------------------------------------------------------------------

    def _is_kept(self, now: float) -> None:
        shots = self.world.obs.program.shots
        for number in range(self._mark, len(shots) - 1):
            before, after = shots[number], shots[number + 1]
            if now >= self.unkept and before.scene == after.scene == SCENE:
                self._judge(before, after, now)
        self._mark = len(shots) - 1

    def _judge(self, before: Shot, after: Shot, now: float) -> None:
        name = before.on_air
        if name is None or before.frozen or name == after.on_air:
            return
        streamer = self._whose.get(name)
        if streamer is None or now < self.out.get(streamer, 0.0):
            return
        # Who ended, or stopped, a moment ago shows the rest of what had come.
        if not any(each == streamer and since < now - RECENT for (each, _), since in self._steady.items()):
            return
        if after.on_air is None:
            self._fail(f"{name} of {streamer} moves, and is taken off: {before} {after}")
        elif after.frozen:
            follower = self._whose.get(after.on_air, "")
            if self._moved.get(follower, 0.0) < now - RECENT:
                self._fail(f"{name} of {streamer} moves, and gives way to {follower}'s, which does not")

    # --- no dead air where somebody can be shown ------------------------------------------------------------------

    def _is_shown(self, now: float) -> None:
        w, life = self.world, self.world.running
        shot = w.obs.program.now
        dead = shot.on_air is None or shot.frozen
        if now < self.unshown or life.dead or life.dispatcher is None or not dead or shot.scene != SCENE:
            self._since.pop("stands by", None)
            self._since.pop("can be shown", None)
            return
        director = life.director
        entries = [entry for entry in director.lineup if self._can_be_shown(entry, now, self._rules_now)]
        attempt = director.switchover.attempt
        stands_by = (
            director.switchover.state is State.STANDBY
            and attempt is not None
            and any(entry.session == attempt.target for entry in entries)
        )
        quiet = not director.lineup.held and director.switchover.state is not State.RECOVERING
        names = [entry.streamer for entry in entries]
        self._within("stands by", quiet and stands_by, FOLLOWS, names)
        self._within("can be shown", quiet and bool(names), STARTS, names)

    @property
    def _rules_now(self) -> float:
        dispatcher = self.world.running.dispatcher
        assert dispatcher is not None
        return dispatcher._clock.now()

    def _can_be_shown(self, entry: Entry, now: float, at: float) -> bool:
        if entry.session is None or not entry.showable(at):
            return False
        client = self.world.clients.get(entry.streamer)
        if client is None or not entry.session.id.endswith(client.id):
            return False
        stream = self.world.obs.streams[self.world.url(entry.streamer)]
        known = self._steady.get((entry.streamer, client.id), now)
        return now - known >= STEADY and (stream.first_frame_after or 0.0) <= 0.1

    # --- nobody is shown under another's name ---------------------------------------------------------------------

    def _is_named(self, now: float) -> None:
        life = self.world.running
        if now < self.unnamed or life.dead or life.dispatcher is None:
            self._since.pop("another's name", None)
            return
        on_air = life.director.view(self._rules_now).on_air
        shown = self.world.obs.program.on_air
        whose = self.world.streamer_of(shown) if shown in self.world.obs.inputs else None
        wrong = on_air is not None and on_air.input == shown and whose not in (None, on_air.streamer)
        self._within("another's name", wrong, NAMED, [str(whose), on_air.streamer if on_air else ""])

    def _within(self, what: str, waits: bool, seconds: float, names: list[str]) -> None:
        now = self.world.loop.now
        if not waits:
            self._since.pop(what, None)
        elif now - self._since.setdefault(what, now) > seconds:
            self._fail(f"{what}: {names}, for {seconds} s, and the program is {self.world.obs.program.now}")

    def _fail(self, text: str) -> None:
        self.wrong = self.wrong or f"{text}\n" + "\n".join(self.world.tail())
