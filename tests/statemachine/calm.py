"""What has to be so in the model world once no fault is left: the line-up, OBS and the reports agree."""

from typing import TYPE_CHECKING

from statemachine import events as ev
from statemachine.backoff import backoff
from statemachine.handover.states import State
from statemachine.lineup.recalls import RECALLED_UNWAITED
from statemachine.lineup.sessions import RECALL_FIRST, RECALL_MOST
from tests.statemachine.model_program import BREAK

if TYPE_CHECKING:
    from tests.statemachine.world import World


def in_line(world: "World") -> dict[str, str]:
    """The sessions of the line-up. One that was asked for by hand and does not play may wait until it is tried."""
    entries = [entry for entry in world.director.lineup if not entry.transient]
    return {session.id: session.streamer for entry in entries for session in entry.sessions}


def amiss(world: "World", *, tidy: bool = True) -> str:
    """What is not as it ought to be, in one line; empty where all is well. ``tidy``: without any leftover."""
    view, policy, now = world.director.view(world.now), world.director.policy, world.now
    if world.director.bitrates.episode is not None:
        return f"a poor bitrate is remembered: {world.director.bitrates.episode}"
    remembered = [each for known in world.director.quality.amiss.values() for each in known.values()]
    if world.director.lineup.state.unfit or any(not each.let_pass for each in remembered):
        return f"what nobody measures is remembered: {remembered}"
    known = in_line(world)
    seen = [s for s in world.ingest.live.values() if world.ingest.lists(s.id) or s.id in known]
    there = {s.id: s.streamer for s in seen if not world.is_out(s)}
    # Where neither a hook nor a list told of an end, it is found out by tries.
    known = {i: streamer for i, streamer in known.items() if i in there or world.ingest.lists(i)}
    if known != there:
        return f"in the line-up {known}, live {there}"
    if world.called_back:
        return f"called back: {world.called_back}"
    if world.ingest.unnamed and policy.kick_unannounced and (waits := _not_called_back(world)):
        return f"nobody is named for {waits}, and it is not called back"
    if lost := [s.streamer for s in seen if s.id in there and _ought_to_be_recalled(world, s)]:
        return f"{lost} publish anew"
    live = {s.streamer for s in seen if s.id in there and world.ingest.moves(s)}
    if view.state not in (State.IDLE, State.STANDBY) or world.lane or world.answers:
        return f"busy: {view.state.value}"
    if view.orphans and tidy:
        return f"leftovers: {view.orphans}"
    own, shown = [item.name for item in world.obs.own], [item.name for item in world.obs.shown]
    now_on_air = world.director.switchover.program
    # What a hand has shown before the rules forgot its name, as the fifth of those before, is people's own.
    forgotten = world.obs.shown_by_hand - {policy.slate, *world.director.switchover.scene.fixtures.old}
    if world.obs.slates - forgotten != ({policy.slate} - {""} - world.obs.absent if now_on_air is None else set()):
        return f"slates: {world.obs.slates}"
    program = world.obs.program
    if program.studio_mode and policy.studio_mode == "leave":
        return "studio mode is on"
    if view.program.shown != (program.scene != BREAK):
        return f"shown: {view.program}"
    if view.on_air is None:
        if now_on_air and not live and _is_nameless(world, now_on_air.input):
            return ""  # it moves, and nobody can be named for it
        pool = set(world.director.switchover.scene.names.pool)
        left = shown or (tidy and set(own) - pool)
        return "somebody ought to be on air" if live else f"left: {shown} {own}" if left else ""
    if not live and view.on_air.streamer in there.values() and not policy.slate:
        return ""  # no picture of it comes, and there is nothing else to be shown
    if not live:
        return f"{view.on_air.streamer} is on air and gone"
    leaving = [entry.streamer for entry in world.director.lineup if entry.leaves is not None]
    if view.on_air.streamer in leaving and len(live) > 1:
        return f"{view.on_air.streamer} is to go, and somebody could follow"
    # Whoever fills in for one without a picture is not relieved by another who would only fill in.
    dark = set(there.values()) - live
    fills_in = any(place.has_turn and place.streamer in dark for place in view.queue)
    stays = fills_in and view.on_air.streamer in live
    expected = view.on_air.streamer if stays else next(each.streamer for each in view.queue if each.streamer in live)
    if view.on_air.streamer != expected or shown != [view.on_air.input]:
        return f"{expected} ought to be on air: {view.on_air}, OBS shows {shown}"
    if program.scene != BREAK and program.shows != {view.on_air.input}:
        return f"{view.on_air.input} is on air, viewers see {program.shows}"
    if now_on_air is None or now_on_air.stalled_since is not None or now_on_air.still_since is not None:
        return "the picture is said to stand still"
    if world.obs.items[view.on_air.input].shown_items > 1:
        return f"{view.on_air.input} is shown twice"
    playing = world.obs.items[view.on_air.input].session
    if playing != world.ingest.of(expected):
        return f"{view.on_air.input} plays {playing}"
    if view.standby_off is None and len(live) > 1 and view.standby is None:
        return "nobody stands by"
    ready = view.standby.input if view.standby else ""
    if tidy and set(own) - {view.on_air.input, ready, *world.director.switchover.scene.names.pool}:
        return f"too many inputs: {own}"
    return "" if world.director.now <= now else "time"


def _not_called_back(world: "World") -> set[str]:
    """Paths that nobody can be named for and that are not shown: all are called back once."""
    paths = {world.ingest.live[i].path for i in world.ingest.unnamed}
    return paths - world.director.switchover.paths - set(world.director.lineup.state.called_back)


def _ought_to_be_recalled(world: "World", session: ev.Session) -> bool:
    """Its server has lost its stream: it is tried where it can be, and kicked once; not soon after the last time."""
    director, lineup = world.director, world.director.lineup
    if session.id not in world.ingest.lost or not director.policy.kick_unreachable:
        return False
    entry, tries = lineup.by_session(session.id), lineup.state.unopened.get(session.id)
    last = lineup.state.recalls.get(session.streamer)
    if entry is None or entry.session != session or entry.leaves is not None:
        return False  # it waits behind another stream of its own
    if last is not None and world.now < last.at + backoff(RECALL_FIRST, RECALL_MOST, last.times):
        return False
    alone = director.switchover.program is None and not any(map(world.ingest.moves, world.ingest.live.values()))
    return alone or (tries is not None and tries.failures >= RECALLED_UNWAITED)


def _is_nameless(world: "World", name: str) -> bool:
    item = world.obs.items.get(name)
    paths = {world.ingest.live[i].path for i in world.ingest.unnamed}
    # Of one who was taken out of the line-up, and whose leftover a hand has shown while the daemon was away.
    paths |= {session.path for session in world.ingest.live.values() if world.is_out(session)}
    return item is not None and item.session is not None and item.session.path in paths
