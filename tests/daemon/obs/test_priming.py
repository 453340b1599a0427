"""A hidden input is rendered once before it is shown."""

import base64
import struct
import zlib

import pytest

from daemon.obs.priming import SIZE, WITHIN, shows_something
from tests.daemon.obs.rig import ALICE, BOB, Rig
from tests.fakes import FakeObs

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


@pytest.mark.parametrize("row", range(5))
def test_a_wholly_transparent_picture_is_none_under_any_of_pngs_filters(row: int) -> None:
    assert not shows_something(png(bytes(4), row=row))


def test_a_black_picture_is_one() -> None:
    assert shows_something(png(b"\0\0\0\xff"))


@pytest.mark.parametrize(
    "image", ["", "data:image/png;base64,", "data:image/png;base64,!!!", png(bytes(4), broken=True)]
)
def test_what_cannot_be_read_does_not_hold_up_a_cut(image: str) -> None:
    assert shows_something(image)


def test_a_picture_without_transparency_is_one() -> None:
    assert shows_something(png(bytes(3), kind=2))


async def test_the_incoming_is_rendered_before_it_is_shown(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    await rig.ready(TWO, BOB)
    await rig.obs.cut(show=TWO, hide=(ONE,), also_show=None, fade=0.0)
    kinds = [kind for kind, _ in fake.requests]
    assert fake.requested("GetSourceScreenshot")[-1]["sourceName"] == TWO
    last_shown = len(kinds) - 1 - kinds[::-1].index("SetSceneItemEnabled")
    assert "GetSourceScreenshot" in kinds[:last_shown]


async def test_a_blank_rendering_is_done_again_and_a_cut_is_not_held_up_for_long(fake: FakeObs, rig: Rig) -> None:
    await rig.ready(ONE, ALICE)
    fake.inputs[ONE].medium.picture = False
    await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
    tries = len(fake.requested("GetSourceScreenshot"))
    assert 2 <= tries <= WITHIN / 0.01
    assert fake.item(ONE).enabled


@pytest.mark.parametrize("code", [204, 600, 702])
async def test_an_obs_that_takes_no_screenshots_cuts_all_the_same(fake: FakeObs, rig: Rig, code: int) -> None:
    await rig.ready(ONE, ALICE)
    fake.faults.refuse("GetSourceScreenshot", code, times=None)
    await rig.obs.cut(show=ONE, hide=(), also_show=None, fade=0.0)
    assert fake.program.on_air == ONE
