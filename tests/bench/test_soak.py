"""Hand-overs on a fake OBS: the little sister of the benchmark's soak."""

from tests.bench import soak


async def test_hand_overs_at_speed_leave_nothing_behind() -> None:
    row = await soak.on_fake(15)
    assert row["completed"] >= 15
    assert (row["orphans"], row["left"]) == (0, 2)
    assert row["most_inputs"] <= 4
    assert row["files"][2] <= row["files"][0] + 3
