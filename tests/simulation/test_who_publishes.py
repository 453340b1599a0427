"""Names that were lost come back, and nobody is shown or kicked in another's place: the whole daemon beside SRS."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.fakes import Stream
from tests.fakes.mediamtx import FakeMediaMtx
from tests.fakes.srs import Client
from tests.simulation.loop import simulated
from tests.simulation.stage import on_air
from tests.simulation.streamers import key_of
from tests.simulation.world import World, world

RECONCILE = 1.0
LISTS = 4 * RECONCILE


def play(folder: Path, act: Any, **settings: object) -> None:
    """``act`` with a running daemon, which knows alice, bob and carol."""

    async def begin() -> None:
        async with world(folder, {key.replace("__", "."): value for key, value in settings.items()}) as w:
            for name in ("alice", "bob", "carol"):
                w.add_streamer(name)
            await w.start()
            await act(w)

    with simulated() as runner:
        runner.run(begin())


def line_up(w: World) -> list[str]:
    return [entry.streamer for entry in w.director.lineup if entry.sessions]


def picture(w: World) -> str | None:
    name = w.obs.program.on_air
    return w.streamer_of(name) if name else None


async def damage(w: World) -> None:
    """The database is damaged while the daemon is down: its copy has the keys, and nothing of who publishes."""
    await asyncio.sleep(10.0)
    await w.kill()
    database = Path(str(w.settings["store.path"]))
    assert database.with_name("motherstream.db.backup").exists()
    database.write_bytes(b"rubbish" * (database.stat().st_size // 7))
    for end in ("-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
    await w.start()


def encoder(w: World, name: str) -> "asyncio.Task[None]":
    """As OBS does: it connects again soon after it was thrown out."""

    async def run() -> None:
        while True:
            await asyncio.sleep(2.0)
            if name not in w.live:
                await w.publish(name)

    return asyncio.create_task(run())


# --- names that were lost -----------------------------------------------------------------------------------------


def test_who_waits_without_a_name_is_kicked_once_and_comes_back_with_it(tmp_path: Path) -> None:
    """Alice is on air, bob stands by, and carol waits; bob's key is a name, those of the others SRS does not list."""

    async def act(w: World) -> None:
        await w.publish("carol")
        encoders = [encoder(w, name) for name in ("alice", "carol")]
        await damage(w)
        client = w.clients["carol"].id
        await w.until(lambda: sorted(line_up(w)) == ["alice", "bob", "carol"], 20.0)
        await asyncio.sleep(60.0)
        (kick,) = [line for line in w.lines if line["event"] == "publisher kicked"]
        assert (kick["reason"], kick["session"].rpartition("/")[2]) == ("unannounced", client)
        w.obs.program.assert_seamless()
        for each in encoders:
            each.cancel()

    on_air(tmp_path, act)


def test_the_picture_on_air_says_whose_it_is_and_nobody_is_kicked_for_a_name(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.unpublish("bob")
        client, shown = w.clients["alice"].id, w.obs.program.on_air
        await damage(w)
        await w.until(lambda: line_up(w) == ["alice"], LISTS)
        await asyncio.sleep(60.0)
        assert (w.clients["alice"].id, w.obs.program.on_air) == (client, shown)
        assert (await w.ask("GET", "/status"))["on_air"]["streamer"] == "alice"
        assert w.said("publisher kicked") == []
        w.obs.program.assert_seamless()

    on_air(tmp_path, act)


def test_whose_key_stands_in_the_server_s_url_is_named_by_srs_s_client_list_and_nobody_is_kicked(
    tmp_path: Path,
) -> None:
    async def act(w: World) -> None:
        w.obs.streams[w.url("show")] = Stream(0.1)
        client = Client("abc12345", "live", "show", "", "vid-x")
        client.tc_url = f"rtmp://127.0.0.1:1935/live?key={key_of('alice')}"
        w.srs.clients[client.id] = client
        await w.until(lambda: line_up(w) == ["alice"], LISTS)
        await asyncio.sleep(20.0)
        assert client.id in w.srs.clients
        assert key_of("alice") not in str(w.lines)

    play(tmp_path, act)


def test_a_publisher_without_any_hook_is_kicked_once_and_then_left_alone(tmp_path: Path) -> None:
    """Where no hook is set up, none comes, however often it is kicked."""

    async def act(w: World) -> None:
        w.srs.lose_hooks = True
        kicked = 0
        for number in range(10):
            client = Client(f"abc{number:05}", "other", "show", "", "vid-x")
            w.srs.clients[client.id] = client
            await asyncio.sleep(10.0)
            kicked += client.id not in w.srs.clients
            w.srs.clients.pop(client.id, None)
        assert kicked == 1

    play(tmp_path, act)


def test_with_kick_unannounced_off_or_in_another_channel_s_app_nobody_is_kicked(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        client = Client("abc12345", "other", "show", "", "vid-x")
        w.srs.clients[client.id] = client
        await asyncio.sleep(20.0)
        assert client.id in w.srs.clients

    play(tmp_path, act, ingest__kick_unannounced=False)
    play(tmp_path, act, ingest__apps=["live"])


# --- nobody in another's place ------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", [True, False])
def test_with_a_right_key_on_another_s_path_nobody_gets_that_one_s_turn(tmp_path: Path, api: bool) -> None:
    async def act(w: World) -> None:
        await w.publish("carol")
        await w.until(lambda: picture(w) == "carol")
        assert await w.srs.publish("live", "alice", f"?key={key_of('bob')}") is None
        assert w.srs.answers[-1].status == 403
        assert await w.publish("alice")
        await w.until(lambda: line_up(w) == ["carol", "alice"])
        await w.ask("POST", "/queue/skip")
        await w.until(lambda: picture(w) == "alice")
        assert (await w.ask("GET", "/status"))["on_air"]["streamer"] == "alice"

    play(tmp_path, act, **({} if api else {"ingest__srs_api": ""}))


def test_a_path_that_is_nobody_s_name_is_whose_live_session_has_it(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.obs.streams[w.url("show")] = Stream(0.1)
        held = await w.srs.publish("live", "show", f"?key={key_of('alice')}")
        assert held
        await w.until(lambda: line_up(w) == ["alice"])
        # SRS asks before it finds the stream busy: what was told yes would stand in the line-up with alice's picture.
        assert await w.srs.publish("live", "show", f"?key={key_of('carol')}") is None
        assert w.srs.answers[-1].status == 403
        await w.ask("DELETE", "/queue/alice")
        assert await w.srs.publish("live", "show", f"?key={key_of('carol')}") is None
        assert w.srs.answers[-1].status == 403
        assert line_up(w) == []
        await w.srs.unpublish(held)
        assert await w.srs.publish("live", "show", f"?key={key_of('carol')}")
        await w.until(lambda: line_up(w) == ["carol"])

    play(tmp_path, act)


@pytest.mark.parametrize("gap", [0.0, 0.3, 2.0, 6.0])
@pytest.mark.parametrize("api", [True, False])
def test_people_who_share_one_stream_name_follow_each_other_within_a_second(
    tmp_path: Path, api: bool, gap: float
) -> None:
    url = "rtmp://127.0.0.1:1935/motherstream/live"

    async def act(w: World) -> None:
        w.obs.streams[url] = Stream(0.1)
        for name in ("alice", "carol", "bob", "alice"):
            w.obs.streams[url].frozen = False
            client = await w.srs.publish("motherstream", "live", f"?stream_key={key_of(name)}")
            assert client is not None
            await w.until(lambda name=name: w.director.switchover.on_air_streamer == name, 1.0)  # type: ignore[misc]  # bound as it is now
            await asyncio.sleep(10.0)
            w.obs.streams[url].frozen = True
            await w.srs.unpublish(client)
            await asyncio.sleep(gap)
        w.obs.program.assert_seamless()

    play(tmp_path, act, queue__reconnect_grace=8.0, **({} if api else {"ingest__srs_api": ""}))


# --- sessions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0.0, 1.0, 5.0, 30.0])
@pytest.mark.parametrize("api", [True, False])
def test_one_that_stops_and_publishes_again_on_its_connection_is_in_the_line_up(
    tmp_path: Path, api: bool, gap: float
) -> None:
    async def act(w: World) -> None:
        await w.publish("carol")
        client = w.clients["carol"]
        await w.until(lambda: picture(w) == "carol")
        for _ in range(3):
            w.srs.clients.pop(client.id)
            await w.srs.hook("on_unpublish", client)
            await asyncio.sleep(gap)
            w.srs.clients[client.id] = client
            assert await w.srs.hook("on_publish", client)
            await w.until(lambda: line_up(w) == ["carol"] and picture(w) == "carol", 3.0)
            await asyncio.sleep(LISTS)
            assert line_up(w) == ["carol"]
        await w.ask("POST", "/queue/carol/kick?seconds=600")
        await asyncio.sleep(1.0)
        assert (client.id in w.srs.clients) == (not api)

    play(tmp_path, act, **({} if api else {"ingest__srs_api": ""}))


@pytest.mark.parametrize("knocks", [1, 3])
def test_an_encoder_that_came_back_too_early_leaves_nothing_behind_on_air_when_it_ends(
    tmp_path: Path, knocks: int
) -> None:
    """SRS asks before it finds the path busy, and nothing tells that it refused: there is no list, either."""

    async def act(w: World) -> None:
        await w.publish("alice")
        await w.until(lambda: picture(w) == "alice")
        w.freeze("alice")
        for _ in range(knocks):
            assert await w.srs.publish("live", "alice", f"?key={key_of('alice')}") is None
            assert w.srs.answers[-1].accepted
            await asyncio.sleep(1.5)
        await w.unpublish("alice")
        await w.publish("alice")
        await w.until(lambda: picture(w) == "alice")
        await asyncio.sleep(20.0)
        await w.unpublish("alice")
        await w.until(lambda: line_up(w) == [] and not w.shown, 25.0)

    play(tmp_path, act, ingest__srs_api="")


@pytest.mark.parametrize("ends", [True, False])
def test_an_rtsp_publisher_of_an_older_mediamtx_stays_and_ends_as_it_should(tmp_path: Path, ends: bool) -> None:
    """Before 1.19.3 it asks by its connection's id, and is listed by its session's."""

    async def act(w: World) -> None:
        async with FakeMediaMtx() as mtx, aiohttp.ClientSession() as http:

            async def hook(**fields: str) -> int:
                async with http.post(f"http://127.0.0.1:{w.port}/hooks/mediamtx", json=fields) as answer:
                    return answer.status

            await w.stop()
            w.write_settings(ingest__mediamtx_api=mtx.url, ingest__srs_api="")
            await w.start()
            w.obs.streams[w.url("alice")] = Stream(0.1)
            ask = {"action": "publish", "path": "live/alice", "protocol": "rtsp", "id": "conn-1", "ip": "10.0.0.5"}
            assert await hook(**ask) == 401
            assert await hook(**ask, user="alice", password=key_of("alice")) == 200
            mtx.paths["live/alice"] = ("rtspSession", "sess-2", 1000)
            await asyncio.sleep(60.0)
            assert line_up(w) == ["alice"]
            assert w.said("A hook was refused") == []
            assert w.said("cannot be attributed") == []
            if ends:
                mtx.paths.clear()
                assert await hook(action="unpublish", path="live/alice", id="sess-2") == 200
                assert line_up(w) == []
            else:
                await w.ask("POST", "/queue/alice/kick?seconds=600")
                await w.until(lambda: not mtx.paths)

    play(tmp_path, act)


def test_a_database_lost_without_a_copy_names_who_is_on_air_as_soon_as_her_key_is_there_again(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        for name in ("alice", "carol"):
            await w.publish(name)
        await w.until(lambda: picture(w) == "alice")
        await asyncio.sleep(10.0)
        shown = w.obs.program.on_air
        await w.kill()
        for file in Path(str(w.settings["store.path"])).parent.glob("motherstream.db*"):
            file.unlink()
        w.streamers.forget()
        await w.start()
        await asyncio.sleep(30.0)
        assert (picture(w), line_up(w)) == ("alice", [])
        for name in ("alice", "carol"):
            w.add_streamer(name)
        await w.until(lambda: line_up(w) == ["alice", "carol"], LISTS)
        assert w.director.switchover.on_air_streamer == "alice"
        await asyncio.sleep(60.0)
        assert w.obs.program.on_air == shown
        assert w.said("unannounced") == [], "nobody had to be thrown out for it"

    play(tmp_path, act)


# --- two servers, two hosts ---------------------------------------------------------------------------------------


def test_a_second_srs_is_told_from_the_one_whose_list_is_read(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await asyncio.sleep(LISTS)
        w.obs.streams[w.url("alice")] = Stream(0.1)
        client = Client("abc12345", "live", "alice", f"?key={key_of('alice')}", "vid-x")
        assert await w.srs.hook("on_publish", client, server_id="vid-OTHER")
        await w.publish("carol")
        await asyncio.sleep(60.0)
        assert line_up(w) == ["alice", "carol"]
        assert len(w.said("Two SRS servers send hooks")) == 1
        assert await w.srs.hook("on_unpublish", client, server_id="vid-OTHER")
        await w.until(lambda: line_up(w) == ["carol"], 1.0)

    play(tmp_path, act)


def test_an_srs_that_was_started_anew_under_another_id_is_no_second_one(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        await w.publish("carol")
        await w.until(lambda: picture(w) == "carol")
        w.srs.restart(new_server_id=True)
        await w.publish("bob")
        await w.until(lambda: line_up(w) == ["bob"], 2 * LISTS)
        assert w.said("Two SRS servers") == []

    play(tmp_path, act)


@pytest.mark.parametrize("told_apart", [True, False])
def test_two_virtual_hosts_are_two_paths_where_the_play_url_says_so_and_else_one(
    tmp_path: Path, told_apart: bool
) -> None:
    template = "rtmp://127.0.0.1:1935/{app}/{stream}"

    async def act(w: World) -> None:
        answers = []
        for number, name in enumerate(("alice", "carol")):
            where = f"?vhost={name}.example" if told_apart else ""
            w.obs.streams[w.url("show") + where] = Stream(0.1)
            client = Client(f"abc1234{number}", "live", "show", f"?key={key_of(name)}", f"vid-{number}")
            answers.append(await w.srs.hook("on_publish", client, vhost=f"{name}.example"))
            if answers[-1]:
                w.srs.clients[client.id] = client
        assert answers == [True, told_apart]
        if not told_apart:
            assert "{vhost} in ingest.rtmp_url" in w.srs.answers[-1].text
        await asyncio.sleep(30.0)
        assert line_up(w) == (["alice", "carol"] if told_apart else ["alice"])
        for name in ("carol", "alice") if told_apart else ():
            await w.ask("POST", "/queue/skip")
            await w.until(lambda name=name: w.director.switchover.on_air_streamer == name)  # type: ignore[misc]  # bound as it is now
            shown = w.obs.inputs[w.shown[0]].settings
            assert f"vhost={name}.example" in str(shown.get("input") or shown.get("pipeline"))

    play(tmp_path, act, **({"ingest__rtmp_url": f"{template}?vhost={{vhost}}"} if told_apart else {}))
