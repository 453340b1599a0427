"""One connection: each gap of simpleobsws that it closes."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from daemon.core.ports import ObsError, ObsGone, ObsRefused, ObsTimeout
from daemon.obs.connection import KickedByObs, Link, PasswordRefused, Request, Unreachable
from tests.fakes import BATCH, FakeObs, Fault, Spoil

LONG = 30.0
"""Seconds that no test waits for."""


async def connect(fake: FakeObs, *, password: str | None = None, seconds: float = 5.0) -> Link:
    return await Link.open("127.0.0.1", fake.port, password or fake.password or "", seconds=seconds)


@pytest.fixture
async def link(fake: FakeObs) -> AsyncIterator[Link]:
    link = await connect(fake)
    yield link
    await link.close()


def show(item: int, shown: bool) -> Request:
    at = {"sceneName": "MOTHERSTREAM", "sceneItemId": item}
    return Request("SetSceneItemEnabled", {**at, "sceneItemEnabled": shown})


# -- getting in ----------------------------------------------------------------------------------------------------


async def test_it_connects_with_a_password_and_without_one(link: Link) -> None:
    assert (await link.call("GetVersion"))["obsVersion"] == "29.0.2"
    async with FakeObs(password=None) as open_to_all:
        other = await connect(open_to_all)
        assert (await other.call("GetVersion"))["obsWebSocketVersion"] == "5.1.0"
        await other.close()


async def test_a_wrong_password_is_told_apart_at_once(fake: FakeObs) -> None:
    async with asyncio.timeout(20):
        with pytest.raises(PasswordRefused, match="OBS rejects the password"):
            await connect(fake, password="wrong", seconds=LONG)


async def test_nothing_there_is_told_at_once_and_by_name(fake: FakeObs) -> None:
    await fake.stop()
    with pytest.raises(Unreachable, match=r"^connection refused$"):
        await connect(fake, seconds=LONG)


async def test_an_obs_that_accepts_and_says_nothing_is_given_up_in_time(fake: FakeObs) -> None:
    fake.faults.upgrades = False
    with pytest.raises(Unreachable, match=r"no answer within 0\.2s"):
        await connect(fake, seconds=0.2)


async def test_an_obs_that_never_says_hello_is_given_up_in_time(fake: FakeObs) -> None:
    fake.faults.hello = False
    with pytest.raises(Unreachable, match=r"no obs-websocket greeting within 2s"):
        await connect(fake, seconds=2.0)


async def test_what_is_no_obs_websocket_is_named_as_such() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="not obs-websocket 5"):
            await Link.open("127.0.0.1", port, "", seconds=LONG)


async def test_no_proxy_of_the_environment_comes_in_between(fake: FakeObs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    link = await connect(fake)
    assert not link.lost
    await link.close()


# -- losing it -----------------------------------------------------------------------------------------------------


async def test_a_pending_call_ends_with_the_connection_and_not_with_its_timeout(fake: FakeObs, link: Link) -> None:
    fault = fake.faults.lose("GetVersion", executes=False)
    calling = asyncio.create_task(link.call("GetVersion", seconds=LONG))
    await fake.wait_for(lambda: fault.hits)
    fake.drop()
    async with asyncio.timeout(20):
        with pytest.raises(ObsGone, match="WebSocket connection closed"):
            await calling


@pytest.mark.parametrize("how", [Spoil.NO_OP, Spoil.NOT_A_MAP])
async def test_the_silent_death_of_the_receive_loop_is_the_loss_of_the_connection(
    fake: FakeObs, link: Link, how: Spoil
) -> None:
    await fake.poison(how)
    async with asyncio.timeout(20):
        reason = await link.until_lost()
    assert "OBS sent something that cannot be understood" in str(reason)
    assert isinstance(reason.__cause__, KeyError | TypeError)
    with pytest.raises(ObsGone, match="cannot be understood"):
        await link.call("GetVersion")


async def test_an_event_that_json_could_not_hold_does_no_harm(fake: FakeObs, link: Link) -> None:
    await fake.poison(Spoil.BYTES_INSIDE)
    assert (await link.call("GetVersion"))["obsVersion"]
    assert not link.lost


async def test_no_message_is_put_into_words_for_a_log_that_nobody_reads(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json.JSONEncoder, "encode", lambda self, value: pytest.fail("a message was written as JSON"))
    assert (await link.call("GetVersion"))["obsVersion"]
    assert (await link.batch([Request("GetVersion")]))[0].ok


async def test_a_kick_is_told_apart_from_a_loss(fake: FakeObs, link: Link) -> None:
    await fake.kick()
    assert isinstance(await link.until_lost(), KickedByObs)


async def test_the_end_of_obs_is_a_loss(fake: FakeObs, link: Link) -> None:
    await fake.stop()
    reason = await link.until_lost()
    assert (type(reason), str(reason)) == (Unreachable, "WebSocket connection closed")


async def test_a_call_after_the_loss_fails_at_once(fake: FakeObs, link: Link) -> None:
    fake.drop()
    await link.until_lost()
    assert link.lost
    for calling in (link.call("GetVersion", seconds=LONG), link.batch([Request("GetVersion")], seconds=LONG)):
        with pytest.raises(ObsGone):
            await calling


async def test_closing_does_not_wait_for_an_obs_that_hears_nothing(fake: FakeObs) -> None:
    link = await connect(fake)
    fake.deafen()
    async with asyncio.timeout(20):
        await link.close()
    fake.hear()


# -- calls ---------------------------------------------------------------------------------------------------------


async def test_a_call_that_is_not_answered_times_out_by_its_name(fake: FakeObs, link: Link) -> None:
    fake.faults.lose("GetVersion", executes=False)
    with pytest.raises(ObsTimeout, match=r"GetVersion: no answer within 0\.1s"):
        await link.call("GetVersion", seconds=0.1)
    assert not link.lost


async def test_a_refusal_keeps_obs_code_and_comment(link: Link) -> None:
    with pytest.raises(ObsRefused) as refused:
        await link.call("RemoveInput", {"inputName": "nobody"})
    assert refused.value.code == 600
    assert "nobody" in refused.value.comment


async def test_an_unknown_kind_is_put_in_the_words_that_users_look_for(link: Link) -> None:
    about = {"sceneName": "MOTHERSTREAM", "inputName": "x", "inputKind": "no-such-kind"}
    with pytest.raises(ObsRefused, match=r"^Input kind not found") as refused:
        await link.call("CreateInput", about)
    assert refused.value.code == 605


async def test_a_refusal_without_a_comment_has_words_all_the_same(fake: FakeObs, link: Link) -> None:
    fake.faults.refuse("GetVersion", 207, None)
    with pytest.raises(ObsRefused, match="OBS is not ready yet"):
        await link.call("GetVersion")


async def test_an_answer_that_makes_no_sense_is_an_error_of_the_call_alone(fake: FakeObs, link: Link) -> None:
    fake.faults.spoil("GetVersion", Spoil.NO_STATUS)
    with pytest.raises(ObsError, match=r"GetVersion: OBS's answer makes no sense \(KeyError\)") as nonsense:
        await link.call("GetVersion")
    assert isinstance(nonsense.value.__cause__, KeyError)
    assert await link.call("GetVersion")


@pytest.mark.parametrize("how", [Spoil.GARBAGE, Spoil.TRUNCATED, Spoil.TEXT])
async def test_an_answer_that_is_skipped_is_a_call_without_an_answer(fake: FakeObs, link: Link, how: Spoil) -> None:
    fake.faults.spoil("GetVersion", how)
    with pytest.raises(ObsTimeout):
        await link.call("GetVersion", seconds=0.1)
    assert await link.call("GetVersion")


async def test_a_batch_without_results_is_an_error_of_the_batch_alone(fake: FakeObs, link: Link) -> None:
    fake.faults.spoil(BATCH, Spoil.NO_RESULTS)
    with pytest.raises(ObsError, match="makes no sense"):
        await link.batch([Request("GetVersion")])
    assert [result.ok for result in await link.batch([Request("GetVersion")])] == [True]


async def test_a_batch_tells_the_result_of_each_request(link: Link) -> None:
    results = await link.batch([Request("GetVersion"), show(77, True), Request("GetStats")])
    assert [(result.kind, result.ok) for result in results] == [
        ("GetVersion", True),
        ("SetSceneItemEnabled", False),
        ("GetStats", True),
    ]
    assert results[0].checked()["obsVersion"] == "29.0.2"
    with pytest.raises(ObsRefused):
        results[1].checked()


async def test_a_batch_that_halts_leaves_out_what_it_did_not_do(link: Link) -> None:
    results = await link.batch([show(77, True), Request("GetVersion")], halt=True)
    assert [result.code for result in results] == [600]


async def test_a_frame_batch_on_a_renderer_that_stands_still_times_out_and_is_carried_out_later(
    fake: FakeObs, link: Link
) -> None:
    fake.studio.create_input(fake.studio.scene("MOTHERSTREAM"), "box", "color_source_v3", {}, enabled=False)
    fake.stall()
    with pytest.raises(ObsTimeout):
        await link.batch([show(1, True)], frame=True, seconds=0.1)
    assert not fake.item("box").enabled
    fake.unstall()
    await fake.wait_for(lambda: fake.item("box").enabled)


async def test_calls_at_the_same_time_get_each_its_own_answer_however_late(fake: FakeObs, link: Link) -> None:
    fake.faults.jitter = 0.02
    scene = fake.studio.scene("MOTHERSTREAM")
    for number in range(20):
        fake.studio.create_input(scene, f"box {number}", "color_source_v3", {"width": number})
    answers = await asyncio.gather(
        *(link.call("GetInputSettings", {"inputName": f"box {number}"}) for number in range(20))
    )
    assert [answer["inputSettings"]["width"] for answer in answers] == list(range(20))


# -- events and logs -----------------------------------------------------------------------------------------------


async def test_events_are_queued_and_no_more(fake: FakeObs, link: Link) -> None:
    fake.studio.create_scene("another")
    event = await asyncio.wait_for(link.events.get(), 5)
    assert (event.kind, event.data["sceneName"]) == ("SceneCreated", "another")


async def test_a_stream_url_is_not_logged_even_at_debug_level(
    fake: FakeObs, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        fake.faults.add(Fault("CreateInput", code=700))
        with pytest.raises(ObsRefused):
            await link.call("CreateInput", {"inputSettings": {"input": "rtmp://h/live/s?key=canary"}})
    assert "canary" not in caplog.text
