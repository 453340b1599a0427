"""Streams that cannot be shown: named, not tried in vain, and tried again when they have changed."""

import pytest

from statemachine import commands as cmd
from statemachine import events as ev
from statemachine import facts
from statemachine.monitors.streams import BELIEVED_AFTER
from statemachine.policy import QualityPolicy
from tests.statemachine.handover.test_handover import channel, on_air, standby
from tests.statemachine.world import World


def described(world: World, streamer: str, video: str | None, audio: str | None = "aac") -> None:
    session = world.ingest.of(streamer)
    assert session is not None
    world.feed(ev.StreamDescribed(world.now, session.id, ev.Tracks(video, audio)))


def problems(world: World) -> list[tuple[str, str]]:
    return [(fact.streamer, fact.reason) for fact in world.told if isinstance(fact, facts.ProblemFound)]


def recovered(world: World) -> list[str]:
    return [fact.streamer for fact in world.told if isinstance(fact, facts.ProblemOver)]


def problem(world: World, streamer: str) -> str | None:
    place = next(place for place in world.director.view(world.now).queue if place.streamer == streamer)
    return place.problem.reason if place.problem else None


def made(world: World) -> list[cmd.CreateInput]:
    return [c for _, commands in world.trace for c in commands if isinstance(c, cmd.CreateInput)]


def without_picture(world: World, streamer: str) -> ev.Session:
    """It publishes, and no input of it ever has a picture."""
    session = world.publish(streamer)
    world.ingest.frozen.add(session.id)
    return session


# --- what the server tells ------------------------------------------------------------------------------------------


def test_a_stream_without_a_picture_is_named_and_given_up_within_seconds_and_not_tried_all_night() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    world.run(1.0)
    tried = world.director.view(world.now).standby
    assert tried is not None
    assert tried.streamer == "bob"
    described(world, "bob", video="")
    world.run(2.5)
    assert (problems(world), problem(world, "bob")) == ([("bob", "no_video")], "no_video")
    tries = len(made(world))
    world.run(600.0, step=1.0)
    assert len(made(world)) == tries
    assert problems(world) == [("bob", "no_video")]


def test_a_stream_is_not_called_blind_before_its_first_frames_can_have_come() -> None:
    world = channel("alice")
    world.publish("bob")
    described(world, "bob", video="")
    described(world, "bob", video="h264")
    world.run(5.0)
    assert (problems(world), standby(world)) == ([], "bob")


def test_a_stream_without_a_picture_is_sent_away_where_the_operator_wants_it_so() -> None:
    world = channel("alice", quality=QualityPolicy(no_video="kick"))
    session = world.publish("bob")
    world.ingest.pictureless.add(session.id)
    world.feed(ev.StreamDescribed(world.now, session.id, ev.Tracks("", "aac")))
    world.run(BELIEVED_AFTER + 1.0)
    assert [entry.streamer for entry in world.director.lineup] == ["alice"]
    assert "bob" in world.director.lineup.blocks


def test_a_picture_that_comes_later_is_tried_at_once_and_told() -> None:
    world = channel("alice")
    session = without_picture(world, "bob")
    described(world, "bob", video="")
    world.run(8.0)
    assert problem(world, "bob") == "no_video"
    world.ingest.frozen.discard(session.id)
    described(world, "bob", video="h264")
    world.run(1.0)
    assert (standby(world), problem(world, "bob"), recovered(world)) == ("bob", None, ["bob"])


def test_what_a_server_alone_has_told_is_over_when_it_tells_the_contrary_however_far_the_turn() -> None:
    """A publisher of WebRTC is heard before it is seen, and may be the last of many."""
    world = channel("alice", "bob")
    world.publish("carol")
    described(world, "carol", video="")
    world.run(5.0)
    assert (standby(world), problem(world, "carol")) == ("bob", "no_video")
    described(world, "carol", video="h264")
    assert (standby(world), problem(world, "carol"), recovered(world)) == ("bob", None, ["carol"])


def test_what_a_try_has_shown_is_not_over_by_a_server_s_word() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    world.run(1.0)
    attempt = world.director.switchover.attempt
    assert attempt is not None
    world.feed(ev.MediaFailed(world.now, attempt.number, "it plays sound but no picture", "no_video"))
    world.run(1.0)
    assert problem(world, "bob") == "no_video"
    described(world, "bob", video="h264")
    assert (problem(world, "bob"), recovered(world)) == ("no_video", [])


def test_a_new_publish_with_a_picture_is_tried_at_once() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", video="")
    world.run(8.0)
    world.unpublish("bob")
    world.publish("bob")
    described(world, "bob", video="h264")
    world.run(2.0)
    assert (standby(world), recovered(world)) == ("bob", ["bob"])


def test_who_has_no_picture_is_passed_over_for_the_next() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", video="")
    world.publish("carol")
    world.run(5.0)
    assert standby(world) == "carol"
    world.unpublish("alice")
    world.run(1.0)
    assert on_air(world) == "carol"


@pytest.mark.parametrize("video", ["", "hevc"])
def test_a_moving_picture_stays_on_air_whatever_its_server_tells(video: str) -> None:
    world = channel("alice", "bob")
    world.feed(ev.ObsReady(world.now, ev.Inventory(), unplayable=("hevc",)))
    described(world, "alice", video)
    world.run(30.0)
    assert on_air(world) == "alice"
    assert problems(world) == []


def test_a_codec_that_this_obs_cannot_play_is_named_and_not_tried() -> None:
    world = World()
    world.feed(ev.ObsReady(world.now, ev.Inventory(), unplayable=("hevc",)))
    world.obs.up = True
    session = without_picture(world, "alice")
    described(world, "alice", "hevc")
    world.run(60.0)
    assert [(f.reason, f.detail) for f in world.told if isinstance(f, facts.ProblemFound)] == [("codec", "hevc")]
    tries = len(made(world))
    assert tries <= 1
    world.ingest.frozen.discard(session.id)
    world.obs_lost()
    world.obs_ready()  # another OBS, which can
    world.run(3.0)
    assert on_air(world) == "alice"


def test_a_codec_that_was_not_played_is_named_where_obs_does_not_tell_what_it_plays() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", "av1")
    world.run(20.0)
    assert problems(world) == [("bob", "codec")]


def test_a_picture_that_is_told_of_and_does_not_arrive_is_one_in_a_codec_that_is_not_played() -> None:
    """MediaMTX leaves HEVC out for players that do not say they know it: OBS hears the sound."""
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", "hevc")
    world.run(1.0)
    attempt = world.director.switchover.attempt
    assert attempt is not None
    world.feed(ev.MediaFailed(world.now, attempt.number, "it plays sound but no picture", "no_video"))
    assert problems(world) == [("bob", "codec")]


# --- what became of a try -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"), [("no_video", "no_video"), ("", "unreachable"), ("stalled", "stalled"), ("gone", "gone")]
)
def test_the_reason_of_a_failure_is_named(code: str, reason: str) -> None:
    world = channel("alice")
    without_picture(world, "bob")
    world.run(1.0)
    attempt = world.director.switchover.attempt
    assert attempt is not None
    world.feed(ev.MediaFailed(world.now, attempt.number, "because", code))
    assert problem(world, "bob") == reason


def test_a_stream_that_is_never_ready_and_a_plugin_that_is_missing_are_named() -> None:
    world = channel("alice", ready_timeout=5.0)
    without_picture(world, "bob")
    world.run(6.0)
    assert problems(world) == [("bob", "not_ready")]
    world = World()
    world.obs_ready()
    world.publish("carol")
    attempt = world.director.switchover.attempt
    assert attempt is not None
    world.feed(ev.CreationFailed(world.now, attempt.number, "Input kind not found", code="plugin"))
    assert problem(world, "carol") == "plugin"


def test_one_that_was_seen_to_send_no_picture_is_tried_seldom() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    for _ in range(3600):
        world.run(1.0, step=1.0)
        attempt = world.director.switchover.attempt
        if attempt is not None and attempt.target is not None and attempt.deadline is not None:
            world.feed(ev.MediaFailed(world.now, attempt.number, "it plays sound but no picture", "no_video"))
    assert 3 <= len([create for create in made(world) if create.session.streamer == "bob"]) <= 12
    assert problems(world) == [("bob", "no_video")]


# --- a restart ------------------------------------------------------------------------------------------------------


def test_what_is_known_of_streams_outlasts_a_restart() -> None:
    world = channel("alice")
    without_picture(world, "bob")
    described(world, "bob", video="")
    world.run(8.0)
    tries = len(made(world))
    world.obs_lost()
    world.crash(1.0)
    world.obs_ready()
    world.run(60.0)
    assert problem(world, "bob") == "no_video"
    assert len(made(world)) == tries


def test_one_that_still_opens_beside_another_is_given_up_too_once_its_server_tells() -> None:
    world = World()
    world.obs_ready()
    without_picture(world, "alice")
    world.publish("bob")
    world.run(2.0)
    assert on_air(world) == "bob"
    described(world, "alice", video="")
    world.run(5.0)
    assert problem(world, "alice") == "no_video"
    assert not [a for a in world.director.switchover.incoming if a.target and a.target.streamer == "alice"]
