"""Two daemons in one OBS: each leaves the other's inputs alone."""

import pytest

from daemon.core.ports import NAME_TAKEN, ObsRefused
from daemon.obs import ObsAdapter
from daemon.obs.connection import ObsEvent
from daemon.obs.inventory import Origin
from daemon.obs.owners import OWNER, OWNER_SCENE, SILENT, Owners
from statemachine import events as ev
from statemachine.events import ForeignInput, Inventory, OwnInput
from tests.daemon.obs.rig import ALICE, BOB, QUICK, Rig, config, items_of
from tests.fakes import FakeObs
from tests.support import until

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


class Owned(Rig):
    """A rig of a daemon with that id, in time that is set by hand."""

    def __init__(self, fake: FakeObs, owner: str, **sections: object) -> None:
        super().__init__(config(fake.port, fake.password, **sections))
        self.time = 0.0
        self.obs = ObsAdapter(
            lambda: self.config, emit=self._emit, now=lambda: self.time, origin=Origin(owner), pace=QUICK
        )

    def has_heard(self, owner: str) -> float | None:
        """When it heard of that daemon last."""
        return self.obs._owners._since.get(owner)


def heard(fake: FakeObs, owner: str) -> list[object]:
    """The answers of that daemon."""
    return [
        data for data in fake.requested("BroadcastCustomEvent") if data["eventData"] == {"motherstream_lives": owner}
    ]


async def test_an_input_bears_its_daemons_mark_also_when_it_is_aimed_anew(fake: FakeObs) -> None:
    async with Owned(fake, "abc") as rig:
        await rig.up()
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.create_input(ONE, BOB, reuse=True)
        assert {key: fake.inputs[ONE].settings[key] for key in (OWNER, OWNER_SCENE)} == {
            OWNER: "abc",
            OWNER_SCENE: "MOTHERSTREAM",
        }
        assert (await rig.obs.inventory()).inputs == (OwnInput(ONE, False, "live/bob"),)


async def test_an_input_without_a_mark_is_an_older_versions_and_ones_own(fake: FakeObs, rig: Rig) -> None:
    await rig.obs.create_input(ONE, ALICE)
    assert OWNER not in fake.inputs[ONE].settings
    async with Owned(fake, "abc") as owned:
        await owned.up()
        assert (await owned.obs.inventory()).inputs == (OwnInput(ONE, False, "live/alice"),)


async def test_another_living_daemons_inputs_are_foreign_in_the_same_scene_too(fake: FakeObs) -> None:
    async with Owned(fake, "first") as first, Owned(fake, "second") as second:
        await first.up()
        await second.up()
        await first.obs.create_input(ONE, ALICE)
        await second.obs.create_input(TWO, BOB)
        for time in (0.0, SILENT - 1, 2 * SILENT - 2, 3 * SILENT - 3):
            first.time = second.time = time
            answers = len(heard(fake, "first"))
            found = await second.obs.inventory()
            assert found.inputs == (OwnInput(TWO, False, "live/bob"),)
            assert found.foreign == (ForeignInput(ONE, "first, scene MOTHERSTREAM"),)
            await until(lambda answers=answers: len(heard(fake, "first")) > answers)  # type: ignore[misc]  # bound as it is now
            await until(lambda at=time: second.has_heard("first") == at)  # type: ignore[misc]  # bound as it is now
        with pytest.raises(ObsRefused) as refused:
            await second.obs.create_input(ONE, BOB, reuse=True)
        assert refused.value.code == 601


async def test_a_creation_without_an_answer_takes_nobodys_input_for_its_own_and_removes_none(fake: FakeObs) -> None:
    async with Owned(fake, "first") as first, Owned(fake, "second", obs={"request_timeout": 1.0}) as second:
        await first.up()
        await second.up()
        await first.obs.create_input(ONE, ALICE)
        fake.faults.lose("CreateInput", executes=False)
        with pytest.raises(ObsRefused) as refused:
            await second.obs.create_input(ONE, BOB)
        assert refused.value.code == NAME_TAKEN
        await second.obs.remove_input(ONE)
        assert fake.inputs[ONE].settings[OWNER] == "first"
        await first.obs.remove_input(ONE)
        assert ONE not in fake.inputs


async def test_ones_own_creation_without_an_answer_counts_and_is_removed(fake: FakeObs) -> None:
    async with Owned(fake, "abc", obs={"request_timeout": 1.0}) as rig:
        await rig.up()
        fake.faults.lose("CreateInput", executes=True)
        await rig.obs.create_input(ONE, ALICE)
        await rig.obs.remove_input(ONE)
        assert ONE not in fake.inputs


async def test_what_a_daemon_that_is_no_more_has_left_in_the_scene_is_taken_over_and_nothing_elsewhere(
    fake: FakeObs,
) -> None:
    fake.studio.create_scene("ELSEWHERE")
    async with Owned(fake, "first") as first, Owned(fake, "third", obs={"scene": "ELSEWHERE"}) as third:
        await first.up()
        await third.up()
        await first.obs.create_input(ONE, ALICE)
        await third.obs.create_input(TWO, BOB)
    async with Owned(fake, "second") as second:
        await second.up()
        # Nobody has answered: it is adopted with the first reading, that the picture may stay.
        found = second.last(ev.ObsReady).inventory
        assert found.inputs == (OwnInput(ONE, False, "live/alice"),)
        assert found.foreign == (ForeignInput(TWO, "third, scene ELSEWHERE"),)


async def test_a_daemon_that_has_answered_and_falls_silent_is_waited_for(fake: FakeObs) -> None:
    async with Owned(fake, "second") as second:
        await second.up()
        async with Owned(fake, "first") as first:
            await first.up()
            await first.obs.create_input(ONE, ALICE)
            await second.obs.inventory()
            await until(lambda: heard(fake, "first"))
            await second.obs.inventory()
        foreign = (ForeignInput(ONE, "first, scene MOTHERSTREAM"),)
        fake.drop()
        await second.until(lambda: second.count(ev.ObsReady) == 2)
        assert second.last(ev.ObsReady).inventory.foreign == foreign
        second.time = SILENT
        assert (await second.obs.inventory()).inputs == (OwnInput(ONE, False, "live/alice"),)


def test_only_the_one_who_is_asked_for_answers() -> None:
    owners = Owners("abc", "SCENE", lambda: 0.0)
    answer = owners.on_event(ObsEvent("CustomEvent", {"motherstream_asks": "abc"}))
    assert answer is not None
    assert answer.data == {"eventData": {"motherstream_lives": "abc"}}
    for data in ({"motherstream_asks": "x"}, {"motherstream_asks": 7}, {"motherstream_lives": ["abc"]}, {}):
        assert owners.on_event(ObsEvent("CustomEvent", data)) is None
    assert Owners("", "SCENE", lambda: 0.0).on_event(ObsEvent("CustomEvent", {"motherstream_asks": ""})) is None


@pytest.mark.parametrize("mark", [7, None, "", ["abc"], {"a": 1}])
def test_a_mark_that_is_none_makes_nothing_foreign(mark: object) -> None:
    owners = Owners("abc", "SCENE", lambda: 0.0)
    assert owners.mark(ONE, {OWNER: mark}) is None
    assert not owners.foreign(ONE, in_scene=False)


async def test_without_an_id_nothing_is_marked_and_nothing_is_foreign(fake: FakeObs, rig: Rig) -> None:
    async with Owned(fake, "first") as first:
        await first.up()
        await first.obs.create_input(ONE, ALICE)
    assert items_of(await rig.obs.inventory()) == Inventory((OwnInput(ONE, False, "live/alice"),), others=())


async def test_another_daemons_inputs_in_this_scene_are_foreign_whatever_their_prefix(fake: FakeObs) -> None:
    async with (
        Owned(fake, "first") as first,
        Owned(fake, "second", sources={"prefix": "OTHER_"}) as second,
    ):
        await first.up()
        await second.up()
        await first.obs.create_input(ONE, ALICE)
        await second.obs.create_input("OTHER_7", BOB)
        for time in (0.0, SILENT - 1.0, 2 * SILENT - 2.0, 3 * SILENT - 3.0):
            first.time = second.time = time
            answers = len(heard(fake, "first"))
            found = await second.obs.inventory()
            assert found.inputs == (OwnInput("OTHER_7", False, "live/bob"),)
            assert found.foreign == (ForeignInput(ONE, "first, scene MOTHERSTREAM"),)
            await until(lambda answers=answers: len(heard(fake, "first")) > answers)  # type: ignore[misc]  # bound as it is now
            await until(lambda at=time: second.has_heard("first") == at)  # type: ignore[misc]  # bound as it is now
        await first.obs.stop()
        last, found = None, await second.obs.inventory()
        while (heard_at := second.has_heard("first")) != last:
            # What it had answered to a reading in the background may be heard only now: the silence begins with that.
            assert heard_at is not None
            last, second.time = heard_at, heard_at + SILENT
            found = await second.obs.inventory()
        assert found.foreign == (), "whoever is gone is told of no more"
        assert found.inputs == (OwnInput(ONE, False, "live/alice"), OwnInput("OTHER_7", False, "live/bob"))


async def test_what_a_daemon_of_another_prefix_has_left_is_taken_over_where_it_was_made_for_this_scene(
    fake: FakeObs,
) -> None:
    fake.studio.create_scene("THEIRS")
    async with Owned(fake, "first", obs={"scene": "THEIRS"}) as first:
        await first.up()
        await first.obs.create_input(ONE, ALICE)
    fake.studio.add_item(fake.studio.scene("MOTHERSTREAM"), fake.item(ONE, "THEIRS").source)
    async with Owned(fake, "second", sources={"prefix": "OTHER_"}) as second:
        await second.up()
        await second.obs.inventory()
        second.time += SILENT
        found = await second.obs.inventory()
        assert (found.inputs, found.foreign) == ((), ()), "it may be on air where it was made for"


async def test_a_scene_of_another_daemons_that_is_nested_in_ours_is_nobodys_trouble(fake: FakeObs) -> None:
    theirs = fake.studio.create_scene("THEIRS")
    fake.studio.add_item(fake.studio.scene("MOTHERSTREAM"), theirs)
    async with Owned(fake, "first", obs={"scene": "THEIRS"}, sources={"prefix": "OTHER_"}) as first:
        await first.up()
        await first.obs.create_input("OTHER_1", ALICE)
        assert [item.name for item in theirs.items] == ["OTHER_1"]
        async with Owned(fake, "second") as second:
            await second.up()
            assert (await second.obs.inventory()).foreign == ()
