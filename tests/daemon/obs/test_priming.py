"""A hidden input is rendered before it is shown: what the viewer sees of it first is its newest picture."""

import base64
import struct
import zlib
from collections.abc import AsyncIterator

import pytest

from daemon.obs.connection import Link
from daemon.obs.priming import AGAIN, COVER, SIZE, frames, prime, render, renderings, shows_something
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs, Stream
from tests.fakes.obs_call import SERIAL_FRAME
from tests.fakes.obs_faults import BATCH, Fault
from tests.support import until

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"


def png(colour: bytes, *, row: int = 0, kind: int = 6, broken: bool = False) -> str:
    """SIZE by SIZE pixels of one colour, each row under that filter, as a data URL."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, kind, 0, 0, 0)
    pixels = zlib.compress((bytes([row]) + colour * SIZE) * SIZE)
    if broken:
        pixels = pixels[:5]
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(data).decode()


def pictures(fake: FakeObs) -> int:
    return len(fake.requested("GetSourceScreenshot"))


# -- a blank -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", range(5))
def test_a_wholly_transparent_picture_is_none_under_any_of_pngs_filters(row: int) -> None:
    assert not shows_something(png(bytes(4), row=row))


def test_a_black_picture_is_one() -> None:
    assert shows_something(png(b"\0\0\0\xff"))


@pytest.mark.parametrize(
    "image", ["", "data:image/png;base64,", "data:image/png;base64,!!!", png(bytes(4), broken=True)]
)
def test_what_cannot_be_read_holds_nothing_up(image: str) -> None:
    assert shows_something(image)


def test_a_picture_without_transparency_is_one() -> None:
    assert shows_something(png(bytes(3), kind=2))


# -- how often -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [24, 25, 29.97, 30, 50, 59.94, 60, 120])
def test_a_cut_renders_for_as_long_as_a_slow_streams_frame_and_holds_the_picture_up_for_less(fps: float) -> None:
    # The frame before the first rendering and that of the cut itself count as well.
    assert (frames(fps) + 1) / fps >= COVER * 0.99
    assert (frames(fps) - 1) / fps <= COVER - 1 / fps


@pytest.mark.parametrize(("fps", "count"), [(24, 1), (25, 1), (29.97, 1), (30, 1), (30.0000003, 1), (50, 3), (60, 3)])
def test_no_frame_more_is_rendered_than_it_takes(fps: float, count: int) -> None:
    assert frames(fps) == count


def test_inputs_are_rendered_together_in_consecutive_frames() -> None:
    kinds = [(each.kind, each.data.get("sourceName")) for each in renderings([ONE, TWO], 50)]
    both = [("GetSourceScreenshot", ONE), ("GetSourceScreenshot", TWO)]
    assert kinds == [*both, ("Sleep", None), *both, ("Sleep", None), *both]


def test_nothing_hidden_is_nothing_to_render() -> None:
    assert renderings([], 50) == []


# -- a frame that took long ----------------------------------------------------------------------------------------


@pytest.fixture
async def waiting(fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Link]:
    """An input waits, rendered by nobody but the test."""
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 3600.0)
    await rig.ready(TWO, BOB)
    link = await Link.open("127.0.0.1", fake.port, fake.password or "", seconds=5.0)
    yield link
    await link.close()


def hold_up(fake: FakeObs, seconds: float) -> None:
    """Once, and no other batch than a rendering."""
    fake.faults.add(Fault(BATCH, 1, lambda data: data["executionType"] == SERIAL_FRAME, seconds))


async def rendered(fake: FakeObs, link: Link) -> float:
    """How many times over the rendering was done."""
    asked, fps = pictures(fake), fake.studio.renderer.fps
    await render(link, [TWO], fps)
    return (pictures(fake) - asked) / frames(fps, COVER + 2 / fps)


async def test_what_was_rendered_in_a_frame_that_took_long_is_rendered_again_at_once(
    fake: FakeObs, waiting: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.priming.HOLE", 0.5)
    hold_up(fake, 1.0)
    assert await rendered(fake, waiting) == 2


async def test_what_was_rendered_in_time_is_not_rendered_again(
    fake: FakeObs, waiting: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.priming.HOLE", 3600.0)
    assert await rendered(fake, waiting) == 1


async def test_an_obs_that_is_late_all_the_time_is_not_asked_for_ever(
    fake: FakeObs, waiting: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.priming.HOLE", -3600.0)
    assert await rendered(fake, waiting) == 1 + AGAIN


async def test_a_first_picture_from_a_frame_that_took_long_is_rendered_again_before_the_proof(
    fake: FakeObs, waiting: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    fps = fake.studio.renderer.fps
    monkeypatch.setattr("daemon.obs.priming.HOLE", 0.5)
    await prime(waiting, TWO, fps)
    asked = pictures(fake)
    hold_up(fake, 0.9)
    assert await prime(waiting, TWO, fps)
    assert pictures(fake) - asked >= 1 + frames(fps, COVER + 2 / fps)


# -- with a cut ----------------------------------------------------------------------------------------------------


async def test_streams_slower_than_obs_are_cut_to_without_a_blank_and_without_the_past(fake: FakeObs, rig: Rig) -> None:
    fake.streams.default = Stream(0.05, fps=15)
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    mark = fake.program.mark()
    incoming, outgoing = TWO, ONE
    for _ in range(12):
        await rig.obs.cut(show=incoming, hide=(outgoing,), also_show=None, fade=0.0)
        incoming, outgoing = outgoing, incoming
    assert len(fake.program.cuts(mark)) == 12
    fake.program.assert_seamless(mark)


async def test_what_was_rendered_long_ago_is_not_seen_again(fake: FakeObs, rig: Rig) -> None:
    fake.streams.default = Stream(0.05, fps=15)
    await rig.on_air(ONE, ALICE)
    await rig.on_air(TWO, BOB)
    fake.studio.hide(ONE)
    medium = fake.inputs[ONE].medium
    await until(lambda: medium.stale)
    mark = fake.program.mark()
    await rig.obs.restore(show=ONE, hide=(TWO,))
    assert fake.program.now.own == (ONE,)
    fake.program.assert_seamless(mark)


async def test_what_is_shown_already_is_not_rendered_again(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 3600.0)
    await rig.on_air(ONE, ALICE)
    asked = pictures(fake)
    await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
    assert pictures(fake) == asked


async def test_a_fade_to_a_waiting_input_begins_with_its_newest_picture(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 3600.0)
    fake.streams.default = Stream(0.05, fps=15)
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    asked = pictures(fake)
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=0.1)
    assert pictures(fake) - asked == frames(100, COVER + 2 / 100)
    assert fake.program.now.own == (TWO,)


@pytest.mark.parametrize("code", [204, 600, 702])
@pytest.mark.parametrize("fade", [0.0, 0.1])
async def test_an_obs_that_takes_no_screenshots_cuts_all_the_same(
    fake: FakeObs, rig: Rig, code: int, fade: float
) -> None:
    await rig.on_air(ONE, ALICE)
    fake.faults.refuse("GetSourceScreenshot", code, times=None)
    await rig.ready(TWO, BOB)
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=fade)
    assert fake.program.now.own == (TWO,)


# -- before its turn -----------------------------------------------------------------------------------------------


async def test_an_input_is_ready_only_once_there_is_something_to_draw_of_it(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = Stream(0.05, fps=4)
    await rig.ready(ONE, ALICE)
    assert fake.inputs[ONE].medium.drawn
    mark = fake.program.mark()
    await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
    assert [shot.on_air for shot in fake.program.shots[mark:]] == [None, ONE]
    assert fake.program.blanks(mark) == []


async def test_the_first_picture_is_rendered_while_the_proof_is_still_out(fake: FakeObs, rig: Rig) -> None:
    fake.streams[ALICE] = Stream(0.05, buffering=60.0)
    await rig.obs.create_input(ONE, ALICE)
    seen = rig.watch(ONE)
    await until(lambda: fake.inputs[ONE].medium.drawn)
    assert seen.ready == []


async def test_a_picture_that_is_old_by_the_time_of_the_proof_is_rendered_again(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 0.0)
    fake.streams[ALICE] = Stream(0.05, buffering=0.3)
    await rig.obs.create_input(ONE, ALICE)
    seen = rig.watch(ONE)
    await until(lambda: fake.inputs[ONE].medium.drawn)
    asked = pictures(fake)
    await rig.until(lambda: seen.ready)
    assert pictures(fake) > asked


async def test_one_of_which_nothing_can_be_drawn_is_ready_all_the_same_after_a_while(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.priming.WITHIN", 0.1)
    monkeypatch.setattr("daemon.obs.priming.shows_something", lambda image: False)
    await rig.ready(ONE, ALICE)
    assert pictures(fake) >= 2


async def test_an_input_that_waits_is_rendered_now_and_then_and_one_on_air_is_not(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 0.05)
    await rig.ready(ONE, ALICE)
    asked = pictures(fake)
    await until(lambda: pictures(fake) >= asked + 2 * frames(100))
    await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
    looks = len(fake.requested("GetMediaInputStatus"))
    # A spell may be under way.
    await until(lambda: len(fake.requested("GetMediaInputStatus")) >= looks + 2)
    asked = pictures(fake)
    await until(lambda: len(fake.requested("GetMediaInputStatus")) >= looks + 4)
    assert pictures(fake) == asked


async def test_an_adopted_input_on_air_is_left_alone(fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 0.0)
    await rig.obs.create_input(ONE, ALICE)
    rig.watch(ONE, proven=True)
    await until(lambda: len(fake.requested("GetMediaInputStatus")) >= 3)
    assert pictures(fake) == 0


async def test_a_renderer_that_stands_still_does_not_end_the_watch(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.watch.RENDER_EVERY", 0.0)
    monkeypatch.setattr("daemon.obs.priming.SLACK", 0.0)
    fake.faults.lose("GetSourceScreenshot", executes=False, times=None)
    monkeypatch.setattr("daemon.obs.priming.WITHIN", 0.1)
    seen = await rig.ready(ONE, ALICE)
    looks = len(fake.requested("GetMediaInputStatus"))
    await until(lambda: len(fake.requested("GetMediaInputStatus")) >= looks + 2)
    assert seen.failed == []
