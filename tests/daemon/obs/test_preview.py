"""What the operator has in preview is there again after a transition of ours, however OBS answers meanwhile."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest

from daemon.core.ports import ObsError, ObsGone, ObsRefused, ObsTimeout
from daemon.obs.connection import Link, Request, Result
from daemon.obs.preview import Preview
from tests.support import until

OURS, CHOSEN, OTHER = "MOTHERSTREAM", "NEXT", "OTHER"


class StudioMode:
    """A link to an OBS in studio mode, which swaps Program and preview with each transition."""

    def __init__(self) -> None:
        self.program, self.preview = OURS, CHOSEN
        self.before_taking: Callable[[], None] = lambda: None
        self.answers: list[ObsError | None] = []
        """What the next calls raise, None for nothing."""
        self.sets = 0

    @property
    def link(self) -> Link:
        return cast("Link", self)

    async def call(self, kind: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        error = self.answers.pop(0) if self.answers else None
        if error is not None:
            raise error
        match kind:
            case "GetSceneList":
                return {"currentProgramSceneName": self.program, "currentPreviewSceneName": self.preview}
            case "SetCurrentPreviewScene":
                assert data is not None
                self.sets += 1
                self.preview = data["sceneName"]
        return {}

    async def batch(self, requests: Sequence[Request]) -> list[Result]:
        self.before_taking()
        data = await self.call("GetSceneList")
        self.preview = self.program
        return [Result(each.kind, 100, "", ok=True, data=data) for each in requests]


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> StudioMode:
    monkeypatch.setattr("daemon.obs.preview.POLL", 0.001)
    monkeypatch.setattr("daemon.obs.preview.STAYS", 0.01)
    return StudioMode()


async def put_back(studio: StudioMode, preview: Preview) -> str:
    preview.put_back(studio.link, OURS)
    await until(lambda: not preview.owed)
    return studio.preview


async def test_what_was_chosen_is_there_again(studio: StudioMode) -> None:
    preview = Preview()
    await preview.take(studio.link, OURS)
    assert preview.owed
    assert await put_back(studio, preview) == CHOSEN


async def test_where_nothing_else_was_chosen_nothing_is_put_there(studio: StudioMode) -> None:
    studio.preview = OURS
    preview = Preview()
    await preview.take(studio.link, OURS)
    assert await put_back(studio, preview) == OURS
    assert studio.sets == 0


async def test_an_answer_that_does_not_come_in_time_loses_nothing(studio: StudioMode) -> None:
    preview = Preview()

    def late() -> None:
        studio.preview = OURS
        raise ObsTimeout("SetCurrentProgramScene", 5.0)

    studio.before_taking = late
    with pytest.raises(ObsTimeout):
        await preview.take(studio.link, OURS)
    assert await put_back(studio, preview) == CHOSEN


async def test_what_a_swap_of_the_operators_own_brings_in_that_moment_is_what_was_chosen(studio: StudioMode) -> None:
    preview = Preview()

    def swaps() -> None:
        studio.preview = OTHER

    studio.before_taking = swaps
    await preview.take(studio.link, OURS)
    assert await put_back(studio, preview) == OTHER


async def test_one_late_answer_does_not_end_the_putting_back(studio: StudioMode) -> None:
    preview = Preview()
    await preview.take(studio.link, OURS)
    studio.answers = [None, ObsTimeout("GetSceneList", 5.0), None, None, ObsTimeout("SetCurrentPreviewScene", 5.0)]
    assert await put_back(studio, preview) == CHOSEN


@pytest.mark.parametrize("error", [ObsGone("away"), ObsRefused("SetCurrentPreviewScene", 600, "no such scene")])
async def test_what_cannot_be_put_back_is_left(studio: StudioMode, error: ObsError) -> None:
    preview = Preview()
    await preview.take(studio.link, OURS)
    studio.answers = [None, None, error]
    assert await put_back(studio, preview) == OURS


async def test_what_the_operator_does_meanwhile_is_left(studio: StudioMode) -> None:
    preview = Preview()
    await preview.take(studio.link, OURS)
    studio.program, studio.preview = CHOSEN, OURS  # a transition of their own
    assert await put_back(studio, preview) == OURS
    assert studio.sets == 0


async def test_a_scene_of_ours_that_is_what_was_chosen_is_not_fought_over(studio: StudioMode) -> None:
    preview = Preview()
    await preview.take(studio.link, OURS)
    preview.put_back(studio.link, CHOSEN)
    assert not preview.owed
    assert studio.sets == 0


async def test_what_is_left_is_left_at_once(studio: StudioMode) -> None:
    preview = Preview()
    await preview.take(studio.link, OURS)
    preview.put_back(studio.link, OURS)
    preview.forget()
    assert not preview.owed
    assert studio.sets == 0
