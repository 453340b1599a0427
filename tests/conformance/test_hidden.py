"""What OBS draws of an input that was hidden, on the fake and on the real one alike.

It takes a stream's picture in the frame in which that is due, and keeps it only if the input is rendered in that very
frame: as a part of the program, or for a screenshot.
"""

from functools import partial

import pytest

from daemon.obs.connection import Request
from daemon.obs.priming import prime, renderings, shows_something
from tests.conformance.houses import Hands, House
from tests.support import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

FPS = 30.0


async def hidden(house: House, hands: Hands, stream: str) -> str:
    """An input that plays and has never been rendered."""
    url = await house.publish(stream)
    name = hands.name()
    item = await hands.create(name, url)

    async def wide() -> bool:
        return await hands.width(item) > 0

    await until(wide)
    return name


async def moved_on(hands: Hands, name: str, ms: int) -> None:
    """Wait until that much of the stream has gone by."""
    began = (await hands.status(name))[1] or 0

    async def later() -> bool:
        return ((await hands.status(name))[1] or 0) >= began + ms

    await until(later)


async def stands_still(house: House, hands: Hands, name: str, stream: str) -> None:
    """Freeze the publisher, and wait until the input has run dry."""
    await house.freeze(stream)

    async def dry() -> bool:
        before = await hands.status(name)
        await hands.batch([Request("Sleep", {"sleepFrames": 15}), Request("Sleep", {"sleepFrames": 1})], frame=True)
        return before == await hands.status(name)

    await until(dry)


async def drawn(hands: Hands, name: str) -> list[str]:
    """What is drawn of it in several frames one after the other."""
    results = await hands.batch(renderings([name], FPS, 0.3), frame=True, halt=True)
    return [str(result.checked()["imageData"]) for result in results if result.kind == "GetSourceScreenshot"]


async def test_what_was_due_while_nobody_rendered_the_input_is_lost(house: House, hands: Hands) -> None:
    name = await hidden(house, hands, "unseen")
    await stands_still(house, hands, name, "unseen")
    images = await drawn(hands, name)
    assert len(images) == 8
    assert not any(shows_something(image) for image in images)


async def test_an_input_that_is_not_rendered_keeps_the_picture_that_it_had_when_it_was(
    house: House, hands: Hands
) -> None:
    name = await hidden(house, hands, "waiting")
    await until(partial(prime, hands.link, name, FPS))
    await moved_on(hands, name, 400)
    moving = await drawn(hands, name)
    assert len(set(moving)) >= 2
    await moved_on(hands, name, 1000)
    await stands_still(house, hands, name, "waiting")
    assert set(await drawn(hands, name)) == {moving[-1]}
    await house.thaw("waiting")

    async def another() -> bool:
        return set(await drawn(hands, name)) != {moving[-1]}

    await until(another)


async def test_a_picture_that_is_rendered_in_each_frame_is_there_as_soon_as_it_is_due(
    house: House, hands: Hands
) -> None:
    name = await hidden(house, hands, "prompt")
    await until(partial(prime, hands.link, name, FPS))
    images = await drawn(hands, name)
    assert all(shows_something(image) for image in images)
