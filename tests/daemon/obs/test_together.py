"""Questions that are asked at the same time share a message, and none of them waits for another that is held up."""

import asyncio

import pytest

from daemon.obs.together import Together
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs
from tests.fakes.obs_faults import BATCH, Fault

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"
STATUS = "GetMediaInputStatus"


class Sender:
    """Answers each question with itself in capitals, once it may."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, questions: list[str]) -> list[str]:
        self.sent.append(questions)
        self.asked.set()
        await self.open.wait()
        return [question.upper() for question in questions]


async def test_what_is_asked_in_one_turn_of_the_loop_travels_together_and_later_ones_by_themselves() -> None:
    sender = Sender()
    together = Together(sender)
    first = [asyncio.create_task(together.ask(word)) for word in ("one", "two")]
    await sender.asked.wait()
    late = asyncio.create_task(together.ask("three"))
    sender.open.set()
    assert await asyncio.gather(*first, late) == ["ONE", "TWO", "THREE"]
    assert sender.sent == [["one", "two"], ["three"]]


async def test_one_that_does_not_wait_any_more_takes_nobodys_answer_away() -> None:
    sender = Sender()
    together = Together(sender)
    impatient, patient = (asyncio.create_task(together.ask(word)) for word in ("one", "two"))
    await sender.asked.wait()
    impatient.cancel()
    sender.open.set()
    assert await patient == "TWO"


async def test_an_error_is_everybodys_and_the_next_ask_anew() -> None:
    async def fails(_questions: list[str]) -> list[str]:
        raise OSError("gone")

    together = Together(fails)
    found = await asyncio.gather(together.ask("one"), together.ask("two"), return_exceptions=True)
    assert [str(each) for each in found] == ["gone", "gone"]
    with pytest.raises(OSError, match="gone"):
        await together.ask("three")


def statuses(fake: FakeObs) -> dict[int, set[str]]:
    """The inputs that were looked at, by the batch in which they were."""
    found: dict[int, set[str]] = {}
    for call in fake.server.log:
        if call.type == STATUS and call.batch is not None and call.data is not None:
            found.setdefault(call.batch, set()).add(call.data["inputName"])
    return found


async def test_the_looks_at_all_inputs_that_play_share_a_message(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    await fake.wait_for(lambda: list(statuses(fake).values())[-3:] == [{ONE, TWO}] * 3, 20)


async def test_a_picture_is_looked_at_while_the_answer_about_another_is_held_up(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    await fake.wait_for(lambda: list(statuses(fake).values())[-1] == {ONE, TWO})
    held = Fault(
        BATCH,
        times=None,
        when=lambda data: any(each.get("requestData", {}).get("inputName") == TWO for each in data["requests"]),
        executes=False,
    )
    fake.faults.add(held)
    before = len(statuses(fake))
    await fake.wait_for(lambda: held.hits >= 2 and len(statuses(fake)) >= before + 5, 10)
    assert list(statuses(fake).values())[before:] == [{ONE}] * (len(statuses(fake)) - before)
    fake.faults.rules.remove(held)
    await fake.wait_for(lambda: list(statuses(fake).values())[-1] == {ONE, TWO}, 15)
