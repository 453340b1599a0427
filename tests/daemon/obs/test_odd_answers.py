"""Whatever OBS answers, the adapter goes on: what can be read is used, the rest is read again."""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from daemon.config.model import Sources
from daemon.core.ports import ObsError
from daemon.obs import inputs
from daemon.obs.connection import Request, Result
from daemon.obs.dressing import names_in
from daemon.obs.identity import Identities
from daemon.obs.inventory import InputNames, InventoryQuery, read_inventory, stream_of_path
from daemon.obs.moving import bring_along
from daemon.obs.owners import OWNER, Owners
from daemon.obs.placement import Placer, Wish
from daemon.obs.program import is_seen, read_program
from daemon.obs.scene import ObsScene
from daemon.obs.supervisor import LIKELY, canvas_of, rendered
from daemon.obs.transition import Change, TransitionExecutor
from statemachine import events as ev
from statemachine.reading import ProgramReading
from tests.daemon.obs.rig import ALICE, Rig
from tests.fakes import FakeObs

ONE, TWO = "GMOTHERSTREAM_1", "GMOTHERSTREAM_2"
RENAMED = "MY CAMERA"
UUIDS = {RENAMED: "one", TWO: "two", "MODEL": "model"}
NAMES = InputNames("GMOTHERSTREAM_")


def row(name: str, number: int, **more: Any) -> dict[str, Any]:
    box = {"sourceWidth": 640.0, "sourceHeight": 360.0, "scaleX": 1.0, "scaleY": 1.0, "boundsType": "OBS_BOUNDS_NONE"}
    place = {"sceneItemId": number, "sceneItemIndex": number, "sceneItemEnabled": True, "sceneItemTransform": box}
    return {
        "sourceName": name,
        "sourceUuid": UUIDS.get(name),
        "sourceType": "OBS_SOURCE_TYPE_INPUT",
        "isGroup": None,
        **place,
        **more,
    }


ANSWERS: dict[str, dict[str, Any]] = {
    "GetInputList": {
        "inputs": [{"inputName": name, "inputUuid": uuid, "inputKind": "ffmpeg_source"} for name, uuid in UUIDS.items()]
    },
    "GetSceneItemList": {
        "sceneItems": [
            row(RENAMED, 1),
            row(TWO, 2, sceneItemEnabled=False),
            row("MODEL", 3),
            row("GROUP", 4, sourceType="OBS_SOURCE_TYPE_SCENE", isGroup=True),
            row("INNER", 5, sourceType="OBS_SOURCE_TYPE_SCENE", isGroup=False),
        ]
    },
    "GetGroupSceneItemList": {"sceneItems": [row(RENAMED, 1), row("LOGO", 2)]},
    "GetVideoSettings": {"baseWidth": 1280, "baseHeight": 720, "fpsNumerator": 30, "fpsDenominator": 1},
    "GetInputSettings": {"inputSettings": {"input": ALICE, OWNER: "abc"}, "inputKind": "ffmpeg_source"},
    "GetInputVolume": {"inputVolumeMul": 0.5},
    "GetInputAudioTracks": {"inputAudioTracks": {"1": True}},
    "GetSourceFilterList": {
        "filters": [{"filterName": "f", "filterKind": "gain_filter", "filterEnabled": False, "filterSettings": {}}]
    },
    "GetStats": {"renderTotalFrames": 7},
    "GetStudioModeEnabled": {"studioModeEnabled": True},
    "GetCurrentSceneTransitionCursor": {"transitionCursor": 1.0},
    "GetSourceActive": {"videoActive": True},
    "GetSceneList": {"currentProgramSceneName": "SCENE", "scenes": [{"sceneName": "SCENE"}]},
    "GetMediaInputStatus": {"mediaState": "OBS_MEDIA_STATE_ENDED"},
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(
        ["", "x" * 5000, "\ud800", "GMOTHERSTREAM_" + "1" * 5000, "GMOTHERSTREAM_-1", b"\xff", [], {}, [[]]]
    ),
)


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """The answers, with some values replaced, dropped, doubled or of another type."""
    answers = copy.deepcopy(ANSWERS)
    for _ in range(draw(st.integers(1, 4))):
        place: Any = answers[draw(st.sampled_from(sorted(answers)))]
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(ODD)
            elif isinstance(place, list):
                place.append(copy.deepcopy(place[key]))
            else:
                del place[key]
            break
    return answers


class OddLink:
    """Answers so; some requests are refused, some batches are too short."""

    timeout = 1.0

    def __init__(self, answers: Mapping[str, Any], refused: frozenset[str] = frozenset(), short: int = 0) -> None:
        self._answers = answers
        self._refused = refused
        self._short = short
        self.identities = Identities()
        self.identities.learn(ONE, UUIDS[RENAMED])

    async def call(self, kind: str, data: Any = None, **_: Any) -> dict[str, Any]:
        return dict(self._result(kind).checked())

    async def batch(self, requests: list[Request], **_: Any) -> list[Result]:
        assert requests, "an empty batch is no request of obs-websocket's"
        return [self._result(each.kind) for each in requests[: len(requests) - self._short]]

    def _result(self, kind: str) -> Result:
        if kind in self._refused:
            return Result(kind, 600, "refused", False, {})
        data = self.identities.incoming(kind, self._answers.get(kind, {}))
        return Result(kind, 100, "", True, data)


odd_links = st.builds(
    OddLink, spoilt(), st.frozensets(st.sampled_from(sorted(ANSWERS)), max_size=2), st.sampled_from([0, 0, 0, 1])
)


@settings(max_examples=300, deadline=None)
@given(odd_links)
def test_no_answer_ends_in_anything_but_a_reading_or_an_error_of_obs(link: Any) -> None:
    async def read() -> None:
        asked = InventoryQuery("SCENE", NAMES, stream_of_path, fixtures=["SLATE"], sources=["MODEL"])
        found = await read_inventory(link, asked, Owners("me", "SCENE", lambda: 0.0))
        assert isinstance(found.inventory, ev.Inventory)
        placer = Placer()
        for traits in (LIKELY, canvas_of(LIKELY, found.video)):
            await placer.refit(link, found.items, {ONE}, traits)

    async def place() -> None:
        await Placer().place(link, "SCENE", Wish(TWO, 5, "MODEL", ONE), NAMES, LIKELY)

    async def dress() -> None:
        await Placer().dress_again(link, Wish(TWO, 5, "MODEL", ONE))

    async def cut() -> None:
        change = Change(TWO, frozenset({ONE}), "SLATE")
        await TransitionExecutor(NAMES.own).cut(ObsScene(link, "SCENE", 30.0), change, fade=0.0)

    async def seen() -> None:
        for names in ([ONE, TWO], []):
            found = await read_program(link, "SCENE", names)
            assert found is None or isinstance(found, ProgramReading)
        await is_seen(link, ONE)

    async def aim() -> None:
        await inputs.aim(link, ONE, ALICE, Sources())

    async def undress() -> None:
        try:
            listed = await link.call("GetSourceFilterList", {"sourceName": ONE})
        except ObsError:
            return
        assert all(isinstance(name, str) for name in names_in(listed))

    async def moved() -> None:
        async def placed(_: str) -> None:
            return

        await bring_along(link, "FORMER", "SCENE", NAMES.own, placed)

    for act in (read, place, dress, cut, seen, aim, undress, moved):
        try:
            asyncio.run(act())
        except ObsError:
            continue


@pytest.mark.parametrize(
    "video",
    [
        {},
        {"baseWidth": None, "baseHeight": 1, "fpsNumerator": 30, "fpsDenominator": 1},
        {"baseWidth": 640, "baseHeight": 360, "fpsNumerator": 30, "fpsDenominator": 0},
        {"baseWidth": 640, "baseHeight": 360, "fpsNumerator": float("nan"), "fpsDenominator": 1},
        {"baseWidth": -640, "baseHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1},
        {"baseWidth": float("inf"), "baseHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1},
        {"baseWidth": "9" * 5000, "baseHeight": 360, "fpsNumerator": 30, "fpsDenominator": 1},
    ],
)
def test_a_canvas_that_cannot_be_is_not_believed(video: dict[str, Any]) -> None:
    assert canvas_of(LIKELY, video) == LIKELY


@pytest.mark.parametrize("stats", [{}, {"renderTotalFrames": None}, {"renderTotalFrames": float("nan")}])
def test_frames_that_are_not_told_are_not_known(stats: dict[str, Any]) -> None:
    assert rendered(stats) is None


async def test_rows_that_cannot_be_read_are_passed_over_and_the_reading_says_so(fake: FakeObs, rig: Rig) -> None:
    await rig.on_air(ONE, ALICE)
    fake.faults.mutate("GetInputList", lambda data: {"inputs": [{}, None, *data["inputs"]]}, times=1)
    fake.faults.mutate(
        "GetSceneItemList", lambda data: {"sceneItems": [{"sourceName": 7}, *data["sceneItems"]]}, times=1
    )
    found = await rig.obs.inventory()
    assert found.inputs == (ev.OwnInput(ONE, True, "live/alice"),)
    assert found.whole is False
    assert (await rig.obs.inventory()).whole is True


async def test_a_reading_that_fails_in_an_unforeseen_way_is_told_once_and_read_again(
    fake: FakeObs, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.obs.refresher.RETRY", 0.01)
    count = [0]

    async def fails(*_: object) -> None:
        count[0] += 1
        if count[0] <= 3:
            raise RuntimeError("never foreseen")

    monkeypatch.setattr(rig.obs, "_keep_up", fails)
    with capture_logs() as lines:
        fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), ONE, "color_source_v3", {})
        await rig.until(lambda: rig.count(ev.InventoryRead))
    assert count[0] >= 4
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "OBS's answer cannot be read; retrying"
    ]
