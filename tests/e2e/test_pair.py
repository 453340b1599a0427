"""Two daemons of one channel for real: a real OBS, nginx-rtmp, PostgreSQL, and hooks that arrive at either."""

from random import Random
from typing import Any

import pytest

from daemon.studio.channel import Channel, on_air
from tests.e2e.blows import couple, strike_all
from tests.e2e.live import FRESH_SILENCE, PROMISED_SILENCE, assert_seamless, note_hiccups, own_inputs

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]


async def until_owner(channel: Channel, within: float = 20.0) -> dict[str, Any]:
    return await channel.until(lambda status: bool(status["owner"]["here"]), within)


async def test_an_heir_takes_over_from_an_owner_that_was_killed_and_nobody_sees_it() -> None:
    async with couple("alice", "bob") as two:
        studio, one, heir = two.studio, two.one.channel, two.two.channel
        await one.until(lambda status: status["state"] == "STANDBY")
        before = await own_inputs(studio)
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        await one.kill()
        await heir.until(lambda status: status["owner"]["here"] and status["obs"]["connected"])
        assert on_air(await heir.status()) == "alice"
        await heir.until(lambda status: status["state"] == "STANDBY")
        await heir.skip()
        late = await hiccups()
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.seen == ("alice", "bob"), verdict.summary()
        assert_seamless(verdict, late, silence=PROMISED_SILENCE)
        assert [place["streamer"] for place in (await heir.status())["queue"]] == ["bob", "alice"]
        assert len(await own_inputs(studio)) == len(before)
        # The former one comes back as the heir, and answers as the owner does.
        await one.start()
        status = await one.status()
        assert not status["owner"]["here"]
        assert on_air(status) == "bob"


async def test_hooks_that_arrive_at_the_heir_are_the_owners_to_decide() -> None:
    async with couple("alice", "bob") as two:
        queue = [place["streamer"] for place in (await two.one.channel.status())["queue"]]
        assert queue == ["alice", "bob"]
        await two.studio.publishers[1].stop()
        await two.one.channel.until(
            lambda status: [place["streamer"] for place in status["queue"]] == ["alice"], within=20.0
        )


async def test_an_owner_that_steps_down_hands_the_channel_over_at_once() -> None:
    async with couple("alice", "bob") as two:
        studio = two.studio
        await two.one.channel.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        # Asked at the heir, which passes it on.
        assert "takes over" in (await two.two.channel.post("/step-down"))["message"]
        await until_owner(two.two.channel)
        await two.two.channel.until(lambda status: status["state"] == "STANDBY")
        await two.two.channel.skip()
        assert (await two.one.channel.role()) == "heir"
        await two.one.channel.until(lambda status: on_air(status) == "bob")
        # And back, by the end of the one.
        await two.two.channel.stop()
        await until_owner(two.one.channel)
        await two.one.channel.until(lambda status: status["state"] == "STANDBY")
        await two.one.channel.skip()
        late = await hiccups()
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.seen == ("alice", "bob", "alice"), verdict.summary()
        assert_seamless(verdict, late, silence=PROMISED_SILENCE)


async def test_an_owner_that_was_frozen_for_a_while_does_nothing_when_it_wakes() -> None:
    async with couple("alice", "bob") as two:
        studio, one, heir = two.studio, two.one.channel, two.two.channel
        await one.until(lambda status: status["state"] == "STANDBY")
        await one.process.freeze()
        await until_owner(heir)
        await heir.until(lambda status: status["state"] == "STANDBY")
        await heir.skip()
        await heir.until(lambda status: status["state"] == "STANDBY")
        before = await own_inputs(studio)
        await studio.obs.start_recording()
        await one.process.thaw()
        await one.until(lambda status: not status["owner"]["here"] and on_air(status) == "bob")
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.seen == ("bob",), verdict.summary()
        assert await own_inputs(studio) == before
        assert "this daemon owns the channel no more; the picture stays on air" in one.events()


async def test_without_its_store_the_owner_goes_on_and_sends_later_what_happened() -> None:
    async with couple("alice", "bob") as two:
        studio, one = two.studio, two.one.channel
        await one.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        await two.postgres.kill()
        await one.until(lambda status: bool(status["owner"]["problem"]))
        for name in ("bob", "alice"):
            await one.until(lambda status: status["state"] == "STANDBY")
            await one.skip()
            await one.until_on_air(name)
        late = await hiccups()
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.seen == ("alice", "bob", "alice"), verdict.summary()
        assert_seamless(verdict, late, silence=PROMISED_SILENCE)
        assert (await two.two.channel.role()) == "heir"
        await two.postgres.start()
        await one.until(lambda status: not status["owner"]["problem"] and status["owner"]["lag"] == 0)
        assert (await one.role()) == "owner"
        assert int(await two.postgres.query("SELECT count(*) FROM motherstream.handover")) >= 3


async def test_whatever_hits_the_owner_the_picture_stays_and_one_of_them_acts() -> None:
    async with couple("alice", "bob", "carol") as two:
        kinds = ["freeze", "cut off", "kill", "step down"]
        result = await strike_all(two, kinds, Random(3))
        ((verdict, late),) = result.verdicts
        assert_seamless(verdict, late, silence=FRESH_SILENCE)
        # By what each has asked of OBS: they take turns, as often as the channel has changed hands.
        assert result.turns == ["one", "two", "one", "two", "one"]
        assert result.owners == len(result.turns)


async def test_a_store_that_fails_over_to_its_replica_costs_no_frame_and_no_time() -> None:
    async with couple("alice", "bob", replicated=True) as two:
        studio, one, replica = two.studio, two.one.channel, two.replica
        assert replica is not None
        await one.until(lambda status: status["state"] == "STANDBY")
        await studio.obs.start_recording()
        hiccups = await note_hiccups(studio)
        await two.postgres.kill()
        await one.skip()
        await one.until_on_air("bob")
        await replica.promote()
        await one.until(lambda status: not status["owner"]["problem"] and status["owner"]["lag"] == 0)
        await one.until(lambda status: status["state"] == "STANDBY")
        await one.skip()
        await one.until_on_air("alice")
        late = await hiccups()
        verdict = await studio.analyse(await studio.obs.stop_recording())
        assert verdict.seen == ("alice", "bob", "alice"), verdict.summary()
        assert_seamless(verdict, late, silence=PROMISED_SILENCE)
        assert two.acts.turns() == ["one"], "it owns the channel all the time"
        assert int(await replica.query("SELECT count(*) FROM motherstream.handover")) >= 3
        await two.two.channel.until(lambda status: on_air(status) == "alice")


async def test_an_owner_that_no_longer_reaches_obs_lets_the_heir_have_the_channel() -> None:
    async with couple("alice", "bob") as two:
        await two.one.channel.until(lambda status: status["state"] == "STANDBY")
        two.one.obs.cut()
        await until_owner(two.two.channel, within=60.0)
        await two.two.channel.until(lambda status: status["state"] == "STANDBY")
        await two.two.channel.skip()
        assert on_air(await two.two.channel.status()) == "bob"
        two.one.obs.mend()
        assert any("OBS cannot be reached from here" in str(line.get("reason")) for line in two.one.channel.lines())
