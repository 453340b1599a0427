"""SIGHUP in mid-show: what is called live is, and what is not is named."""

import asyncio
import contextlib
import math
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Le
from pydantic import ValidationError

from daemon.config.keys import KEYS, SECTIONS, Key, value_of
from daemon.config.model import Config
from tests.fakes import FakeObs, Stream
from tests.simulation.loop import simulated
from tests.simulation.stage import on_air
from tests.simulation.world import PASSWORD, SCENE, SLATE, STATIC, World, world

OTHERS: dict[str, object] = {
    "http.host": "localhost",
    "http.public_url": "http://localhost/live",
    "http.trusted_proxies": ["10.0.0.0/8"],
    "hooks.allow": ["127.0.0.0/8", "10.0.0.0/8"],
    "obs.host": "localhost",
    "ingest.rtmp_url": "rtmp://127.0.0.1:1935/{app}/{stream}?x=1",
    "queue.auth": "open",
    "notify.urls": ["json://127.0.0.1:9/x"],
    "store.url": "postgresql://127.0.0.1:9/x",
}
"""Other values than the defaults, where not any will do."""

FILES = {"notify.urls_file": "json://127.0.0.1:9/x", "store.url_file": "postgresql://127.0.0.1:9/x"}
"""What is in the files that hold a secret, where not any text will do."""

NEEDED = {"obs.slate": SLATE, "hooks.secret": "s", "ingest.nginx_stat": "http://127.0.0.1:10/stat"}
"""What other keys cannot do without."""
TEXTS = ("other", "http://127.0.0.1:9", "{queue}!")


def another(key: Key, now: Any, folder: Path) -> object:
    """Another value that the key may have."""
    kind, limits = key.field.annotation, key.field.metadata
    if key.name in OTHERS:
        return OTHERS[key.name]
    if get_origin(kind) is Literal:
        return next(each for each in get_args(kind) if each != now)
    if kind is bool:
        return not now
    if key.many:
        return ["other"]
    if kind in (int, float):
        least = next(limit.ge for limit in limits if isinstance(limit, Ge))
        most = next(limit.le for limit in limits if isinstance(limit, Le))
        found = now + 1 if now + 1 <= most else max(least, now / 2 if now > 0 else now - 1)
        assert isinstance(found, int | float)
        return found
    if key.name.endswith("_file"):
        (folder / key.name).write_text(FILES.get(key.name, "another-secret"))
        return str(folder / key.name)
    if kind in (Path, Path | None):
        return str(folder / "other")
    return next(text for text in TEXTS if takes(key, text))


def takes(key: Key, text: str) -> bool:
    """Whether the key may have that value."""
    section, _, name = key.name.rpartition(".")
    with contextlib.suppress(ValidationError):
        (SECTIONS[section][0] if section else Config)(**{name: text})
        return True
    return False


def test_every_key_is_live_or_named(tmp_path: Path) -> None:
    """And the running configuration has the one, and not yet the other."""

    async def play() -> None:
        settings = {**NEEDED, "store.path": str(tmp_path / "motherstream.db")}
        async with world(tmp_path, settings) as w:
            await w.start()
            as_it_was = dict(w.settings)
            for name, key in KEYS.items():
                before, count = value_of(w.running.config, name), len(w.lines)
                w.reload(**{name.replace(".", "__"): another(key, before, tmp_path)})
                lines = w.lines[count:]
                changed = next((line["changed"] for line in lines if "changed" in line), None)
                assert changed is not None, (name, lines)
                waiting: list[str] = next((line["waiting"] for line in lines if "waiting" in line), [])
                assert (name in changed, name in waiting) == (key.live, not key.live), (name, lines)
                assert (value_of(w.running.config, name) != before) is key.live, name
                w.settings = dict(as_it_was)
                w.reload()
                await asyncio.sleep(0)
            assert w.running.main is not None
            assert not w.running.main.done()

    with simulated() as runner:
        runner.run(play())


def test_what_cannot_go_with_what_stays_in_force_changes_nothing(tmp_path: Path) -> None:
    """The token stays until the restart, so its secret has to stay as well."""

    async def play() -> None:
        async with world(tmp_path, {"http.token": "t", "hooks.secret": "s"}) as w:
            await w.start()
            w.reload(http__token="", hooks__secret="", queue__turn=60)
            assert w.running.config.hooks.secret.get_secret_value() == "s"
            assert w.running.config.queue.turn == 3600
            (mistake,) = (line["mistake"] for line in w.lines if "mistake" in line)
            assert "http.token cannot change while the daemon runs" in mistake

    with simulated() as runner:
        runner.run(play())


def test_how_long_obs_may_take_is_changed_on_the_connection_that_there_is(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.reload(obs__request_timeout=0.5)
        w.obs.deafen()
        began = w.loop.now
        answer = await w.ask("GET", "/obs/list-inputs")
        assert answer["error"]["code"] == "obs_timeout"
        assert w.loop.now - began == pytest.approx(0.5, abs=0.1)

    on_air(tmp_path, act)


def test_a_wrong_password_is_mended_by_a_reload_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path, {"obs.password": "wrong"}) as w:
            await w.start()
            await w.until(lambda: w.said("OBS rejects the password"))
            await asyncio.sleep(1)
            w.reload(obs__password=PASSWORD)
            await w.until(lambda: w.said("Connected to OBS"), 3)
            await w.publish("alice")
            await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
            # One that comes to be wrong takes nothing away: it is asked for with the next connection.
            w.reload(obs__password="wrong again")
            await w.stays_well(5)

    with simulated() as runner:
        runner.run(play())


def test_obs_on_another_port_is_used_after_a_reload_and_the_show_goes_on_there(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        async with FakeObs(fps=30) as other:
            for streamer in ("alice", "bob"):
                other.streams[w.url(streamer)] = Stream(0.1)
            w.reload(obs__port=other.port)
            await w.until(lambda: other.program.on_air is not None)
            assert w.obs.program.on_air is not None, "what the old one shows is left alone"

    on_air(tmp_path, act)


def test_another_scene_takes_its_inputs_along_and_the_old_one_keeps_its_picture_meanwhile(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        studio = w.obs.studio
        on_air_before = w.director.switchover.program
        assert on_air_before is not None
        new = studio.create_scene("NEW")
        for number in range(3):
            studio.create_input(new, f"overlay {number}", "color_source_v3", {}, enabled=True)
        w.reload(obs__scene="NEW", sources__z_offset=2)
        await w.until(lambda: w.said(f"Added source '{on_air_before.input}' to the scene 'NEW'"))
        await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        assert w.director.switchover.program is not None
        assert w.director.switchover.program.input == on_air_before.input
        assert w.obs.program.now.on_air == on_air_before.input, "the old scene is shown, and shows it"
        names = [item.name for item in w.obs.scene_items("NEW")]
        assert len(names) - 1 - names.index(on_air_before.input) >= 2, "below the overlays"
        studio.set_program("NEW")
        await asyncio.sleep(0.5)
        assert w.obs.program.now.on_air == on_air_before.input
        assert (await w.ask("POST", "/queue/skip"))["status"] == "success"
        await w.until(lambda: w.director.switchover.on_air_streamer == "bob")
        await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        assert on_air_before.input not in w.obs.inputs, "it is gone from both scenes"
        shown = [item.name for item in w.obs.scene_items("NEW") if item.enabled and item.name.startswith("GMOTHER")]
        assert shown == [w.obs.program.now.on_air]
        assert (await w.ask("GET", "/status"))["on_air"]["streamer"] == "bob"

    on_air(tmp_path, act)


def test_a_scene_that_is_not_there_yet_is_waited_for_and_named(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.reload(obs__scene="NEW")
        await w.until(lambda: w.said("OBS is not ready: it has no scene 'NEW'"))
        assert w.obs.program.now.on_air is not None
        w.obs.studio.create_scene("NEW")
        await w.until(lambda: w.said("Added source"))
        await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        assert [item.name for item in w.obs.scene_items("NEW") if item.enabled] == [w.obs.program.now.on_air]

    on_air(tmp_path, act)


def test_another_slate_is_shown_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(tmp_path, {"obs.slate": SLATE}) as w:
            w.obs.studio.create_input(w.obs.studio.scene(SCENE), "OTHER", "color_source_v3", {}, enabled=False)
            await w.start()
            await w.until(lambda: w.obs.item(SLATE).enabled)
            w.reload(obs__slate="OTHER")
            await w.until(lambda: w.obs.item("OTHER").enabled and not w.obs.item(SLATE).enabled)
            w.reload(obs__slate="")
            await w.until(lambda: not w.obs.item("OTHER").enabled)

    with simulated() as runner:
        runner.run(play())


@pytest.mark.parametrize("to", ["pooled", "static", "dynamic"])
@pytest.mark.parametrize("since", ["pooled", "static", "dynamic"])
def test_the_way_of_working_is_changed_in_mid_show(tmp_path: Path, since: str, to: str) -> None:
    async def play() -> None:
        async with world(tmp_path, {"sources.mode": since}, prefix=STATIC) as w:
            settings = {"pipeline": f'rtmpsrc location="{w.url("whoever")}" ! decodebin name=d'}
            w.obs.studio.create_input(w.obs.studio.scene(SCENE), STATIC, "gstreamer-source", settings, enabled=False)
            w.obs.streams[w.url("whoever")] = Stream(0.1)
            await w.start()
            await w.publish("alice")
            await w.until(lambda: w.director.switchover.on_air_streamer == "alice")
            await w.publish("bob")
            await asyncio.sleep(2)
            w.reload(sources__mode=to)
            for follower in ("bob", "alice", "bob"):
                await w.ask("POST", "/queue/skip")
                await w.until(lambda who=follower: w.director.switchover.on_air_streamer == who)  # type: ignore[misc]  # bound as it is now
                await w.until(lambda: w.director.switchover.state.name in ("IDLE", "STANDBY"))
            assert w.shown == [w.director.switchover.program and w.director.switchover.program.input]
            assert (w.shown == [STATIC]) is (to == "static")
            assert len([name for name in w.obs.inputs if name.startswith("GMOTHERSTREAM_")]) <= 2

    with simulated() as runner:
        runner.run(play())


def test_the_kind_of_input_is_another_from_the_next_hand_over_on(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.reload(sources__kind="gstreamer")
        for follower in ("bob", "alice"):
            await w.ask("POST", "/queue/skip")
            await w.until(lambda who=follower: w.director.switchover.on_air_streamer == who)  # type: ignore[misc]  # bound as it is now
            await w.until(lambda: w.director.switchover.state.name == "STANDBY")
        program = w.director.switchover.program
        assert program is not None
        assert w.obs.inputs[program.input].kind.name == "gstreamer-source"

    on_air(tmp_path, act, sources__kind="ffmpeg")


def test_a_figure_that_is_no_number_changes_nothing(tmp_path: Path) -> None:
    async def act(w: World) -> None:
        w.reload(obs__request_timeout=str(math.inf))
        assert w.running.config.obs.request_timeout == 5.0
        assert w.said("the configuration was not reloaded")

    on_air(tmp_path, act)
