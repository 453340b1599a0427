"""The throw-away studio itself: what it starts works, and what it reads is true."""

from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from daemon.studio import (
    Delivers,
    Item,
    ObsCallError,
    Publisher,
    PublishError,
    Studio,
    StudioError,
    default_overlays,
    free_port,
)
from tests.support import until

pytestmark = pytest.mark.real

FFMPEG_INPUT = {
    "is_local_file": False,
    "restart_on_activate": False,
    "close_when_inactive": False,
    "hw_decode": False,
    "reconnect_delay_sec": 1,
}


async def show(studio: Studio, publisher: Publisher) -> int:
    """Put a publisher's stream into the scene, hidden below all else, and wait for its first frame."""
    settings = FFMPEG_INPUT | {"input": f"{studio.rtmp_base}/{publisher.name}"}
    scene = {"sceneName": studio.scene}
    created = await studio.obs.call(
        "CreateInput",
        scene
        | {
            "inputName": f"input {publisher.name}",
            "inputKind": "ffmpeg_source",
            "inputSettings": settings,
            "sceneItemEnabled": False,
        },
    )
    item = scene | {"sceneItemId": created["sceneItemId"]}
    await studio.obs.call("SetSceneItemIndex", item | {"sceneItemIndex": 0})

    async def has_a_frame() -> bool:
        return await width(studio, created["sceneItemId"]) > 0

    await until(has_a_frame)
    return int(created["sceneItemId"])


async def width(studio: Studio, item: int) -> float:
    answer = await studio.obs.call("GetSceneItemTransform", {"sceneName": studio.scene, "sceneItemId": item})
    return float(answer["sceneItemTransform"]["sourceWidth"])


async def enable(studio: Studio, item: int, on: bool) -> None:
    await studio.obs.call(
        "SetSceneItemEnabled",
        {"sceneName": studio.scene, "sceneItemId": item, "sceneItemEnabled": on},
    )


async def record_for(studio: Studio, seconds: float) -> None:
    end = await studio.obs.recording_position() + seconds

    async def reached() -> bool:
        return await studio.obs.recording_position() >= end

    await until(reached, seconds + 10)


async def names(studio: Studio) -> list[str]:
    """The scene's items, lowest first."""
    answer = await studio.obs.call("GetSceneItemList", {"sceneName": studio.scene})
    return [item["sourceName"] for item in answer["sceneItems"]]


async def test_a_recording_tells_who_was_on_air_and_when(studio: Studio) -> None:
    alice, bob = await studio.publish("alice"), await studio.publish("bob")
    assert await studio.nginx.publishing() == {"alice", "bob"}
    item_a, item_b = await show(studio, alice), await show(studio, bob)
    await enable(studio, item_a, True)
    await studio.obs.start_recording()
    before = await studio.render_stats()
    await record_for(studio, 2.0)
    cut = await studio.obs.recording_position()
    await enable(studio, item_b, True)
    await enable(studio, item_a, False)
    await record_for(studio, 2.0)
    stats = await studio.render_stats() - before
    verdict = await studio.analyse(await studio.obs.stop_recording(), start=0.5)
    assert verdict.seen == ("alice", "bob"), verdict.summary()
    assert verdict.cuts[0] == pytest.approx(cut, abs=0.25)
    assert verdict.blank_frames == 0
    assert verdict.longest_freeze <= 3 + stats.lagged + stats.skipped, verdict.frozen
    # On a busy machine OBS may drop a little sound; who is heard stays plain.
    heard = [who for who, _ in groupby(who for who in verdict.sounded if who in ("alice", "bob"))]
    assert heard == ["alice", "bob"]
    assert sum(silence.ms for silence in verdict.silences) < 500
    assert stats.rendered == pytest.approx(120, abs=30)


async def test_a_frozen_publisher_is_seen_frozen_and_a_thawed_one_moves_again(studio: Studio) -> None:
    alice = await studio.publish("alice")
    await enable(studio, await show(studio, alice), True)
    await studio.obs.start_recording()
    await alice.freeze()
    await record_for(studio, 4.0)
    sent = alice.sent_bytes
    await alice.thaw()
    await record_for(studio, 2.0)
    verdict = await studio.analyse(await studio.obs.stop_recording())
    assert alice.running
    assert alice.sent_bytes > sent
    assert verdict.longest_freeze > 30, verdict.summary()
    assert verdict.longest_silence > 500
    assert verdict.frozen[-1].start + verdict.frozen[-1].frames / verdict.fps < verdict.end


async def test_an_empty_scene_is_blank_below_its_overlays(studio: Studio) -> None:
    assert await names(studio) == [item.name for item in default_overlays(studio.canvas)]
    await studio.obs.start_recording()
    await record_for(studio, 1.0)
    verdict = await studio.analyse(await studio.obs.stop_recording())
    assert verdict.frames == verdict.blank_frames >= 30


async def test_a_publisher_that_delivers_no_frame_publishes_and_gives_no_picture(studio: Studio) -> None:
    mute = await studio.publish("alice", delivers=Delivers.SOUND)
    item = await studio.obs.call(
        "CreateInput",
        {
            "sceneName": studio.scene,
            "inputName": "input",
            "inputKind": "ffmpeg_source",
            "inputSettings": FFMPEG_INPUT | {"input": f"{studio.rtmp_base}/alice"},
        },
    )

    async def playing() -> bool:
        status = await studio.obs.call("GetMediaInputStatus", {"inputName": "input"})
        return bool(status["mediaState"] == "OBS_MEDIA_STATE_PLAYING")

    await until(playing)
    assert await studio.nginx.publishing() == {"alice"}
    assert mute.sent_bytes > 0
    assert await width(studio, item["sceneItemId"]) == 0


async def test_publishers_come_and_go_as_they_are_told(studio: Studio) -> None:
    alice, bob, carol = [await studio.publish(name) for name in ("alice", "bob", "carol")]
    await alice.stop()
    await bob.kill()

    async def only_carol() -> bool:
        return await studio.nginx.publishing() == {"carol"}

    await until(only_carol)
    assert [publisher.name for publisher in studio.publishers] == ["carol"]
    with pytest.raises(StudioError, match="publishing already"):
        await carol.start()
    await alice.start()
    assert [publisher.name for publisher in studio.publishers] == ["alice", "carol"]
    assert len({look.hue for look in studio.looks}) == len({look.tone for look in studio.looks}) == 3


class Hooks:
    """A hook server that takes note of every body and lets all but mallory publish."""

    def __init__(self) -> None:
        self.port = free_port()
        self.bodies: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/nginx-rtmp?secret=s3cret"

    async def answer(self, request: web.Request) -> web.Response:
        body = dict(await request.post())
        self.bodies.append(body | {"secret": request.query["secret"]})
        return web.Response(status=403 if body["name"] == "mallory" else 200)


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    hooks = Hooks()
    app = web.Application()
    app.router.add_post("/hooks/nginx-rtmp", hooks.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", hooks.port).start()
    yield hooks
    await runner.cleanup()


async def test_the_hook_is_asked_on_publish_and_told_on_publish_done(hooks: Hooks) -> None:
    async with Studio(hook_url=hooks.url) as studio:
        alice = await studio.publish("alice", query="key=abc")
        await alice.kill()

        async def told() -> bool:
            return len(hooks.bodies) == 2

        await until(told)
    assert [(body["call"], body["app"], body["name"], body["secret"]) for body in hooks.bodies] == [
        ("publish", "live", "alice", "s3cret"),
        ("publish_done", "live", "alice", "s3cret"),
    ]
    assert hooks.bodies[0]["key"] == "abc"
    assert hooks.bodies[0]["clientid"] == hooks.bodies[1]["clientid"]


async def test_a_publisher_that_the_hook_turns_away_says_so_without_its_key(hooks: Hooks) -> None:
    async with Studio(hook_url=hooks.url) as studio:
        mallory = studio.publisher("mallory", query="key=canary")
        with pytest.raises(PublishError, match="mallory was turned away") as refusal:
            await mallory.start()
        assert not mallory.running
        assert studio.publishers == ()
    assert "canary" not in f"{refusal.value} {mallory!r} {mallory.tail()}"


async def test_obs_comes_back_as_it_was_afresh_or_with_leftovers() -> None:
    async with Studio(overlays=(), slate="SLATE") as studio:
        box = {"color": 0xFF0000FF, "width": 10, "height": 10}
        await studio.obs.call(
            "CreateInput",
            {
                "sceneName": studio.scene,
                "inputName": "GMOTHERSTREAM_7",
                "inputKind": "color_source_v3",
                "inputSettings": box,
            },
        )
        await studio.obs.stop()
        assert not studio.obs.running
        assert await studio.obs.start() < 60
        assert await names(studio) == ["SLATE", "GMOTHERSTREAM_7"]
        await studio.obs.restart(fresh=True)
        assert await names(studio) == ["SLATE"]
        await studio.obs.restart(leftovers=[Item("GMOTHERSTREAM_3", "color_source_v3", box)])
        assert await names(studio) == ["SLATE", "GMOTHERSTREAM_3"]


async def test_a_frozen_obs_does_not_answer_and_a_thawed_one_does(studio: Studio) -> None:
    await studio.obs.freeze()
    with pytest.raises(ObsCallError, match=r"no answer within 0\.5 s"):
        await studio.obs.call("GetVersion", within=0.5)
    await studio.obs.thaw()
    assert (await studio.obs.call("GetVersion"))["obsWebSocketVersion"]


async def test_a_killed_obs_leaves_a_readable_recording(studio: Studio) -> None:
    await studio.obs.start_recording()
    await record_for(studio, 1.0)
    await studio.obs.kill()
    (path,) = studio.obs.recordings.iterdir()
    assert (await studio.analyse(path)).frames >= 20
    with pytest.raises(ObsCallError, match="cannot be reached"):
        await studio.obs.call("GetVersion")


async def test_obs_refuses_with_its_own_code(studio: Studio) -> None:
    with pytest.raises(ObsCallError) as refusal:
        await studio.obs.call("GetInputSettings", {"inputName": "nobody"})
    assert refusal.value.code == 600


async def test_an_rtmp_server_of_somebody_else_is_used_in_place_of_nginx(studio: Studio) -> None:
    async with Studio(external_rtmp=studio.rtmp_base, overlays=()) as guest:
        await guest.publish("alice")
        assert await studio.nginx.publishing() == {"alice"}
        assert guest.rtmp_url == f"rtmp://127.0.0.1:{studio.nginx.rtmp_port}/{{app}}/{{stream}}"
        with pytest.raises(StudioError, match="not its own"):
            _ = guest.nginx


async def test_extra_plugins_stand_in_obs_own_home(tmp_path: Path) -> None:
    (tmp_path / "obs-nothing.so").write_bytes(b"no plugin")
    async with Studio(obs_plugins={"obs-nothing": tmp_path}) as studio:
        log = "\n".join(path.read_text() for path in studio.folder.rglob("logs/*.txt"))
        assert "obs-nothing" in log
