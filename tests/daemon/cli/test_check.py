"""``motherstream check``: one line each, with how to mend it."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from daemon.cli.check import CheckLine, check
from daemon.config.model import Config, Ingest, Notify, Obs, Overlays, Queue, Sources, Store
from tests.fakes import FakeObs


def config(obs: FakeObs, tmp_path: Path, **changes: object) -> Config:
    values: dict[str, object] = {"port": obs.port, "password": SecretStr(obs.password or ""), **changes}
    return Config(
        obs=Obs(**values),  # type: ignore[arg-type]  # fields by name
        queue=Queue(auth="open"),
        store=Store(path=tmp_path / "m.db"),
    )


def failed(results: list[CheckLine]) -> dict[str, str]:
    return {result.what: result.detail for result in results if not result.ok}


async def test_a_studio_in_order_passes(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        assert failed(await check(config(obs, tmp_path))) == {}


async def test_a_wrong_password_is_told_from_an_obs_that_is_not_there(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        wrong = failed(await check(config(obs, tmp_path, password=SecretStr("not this one"))))
        assert list(wrong) == ["OBS's password"]
        assert "obs.password" in wrong["OBS's password"]
        right = config(obs, tmp_path)
        await obs.stop()
        gone = failed(await check(right))
        assert list(gone) == [f"OBS at 127.0.0.1:{right.obs.port}"]


async def test_a_missing_scene_and_a_missing_slate_are_named(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        assert list(failed(await check(config(obs, tmp_path, scene="ELSEWHERE")))) == ["scene ELSEWHERE"]
        assert list(failed(await check(config(obs, tmp_path, slate="SLATE")))) == ["slate SLATE"]


async def test_a_kind_that_obs_lacks_is_named(tmp_path: Path) -> None:
    async with FakeObs(gstreamer=False) as obs:
        wanted = config(obs, tmp_path).model_copy(update={"sources": Sources(kind="gstreamer")})
        assert list(failed(await check(wanted))) == ["source kind gstreamer-source"]
        assert failed(await check(config(obs, tmp_path))) == {}


async def test_a_plugin_that_plays_nothing_is_found_out_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        results = {result.what: result.ok for result in await check(config(obs, tmp_path))}
        assert results["obs-gstreamer plays a test picture"]
        obs.studio.streams.missing_elements.add("videoconvert")
        found = failed(await check(config(obs, tmp_path)))
        assert list(found) == ["obs-gstreamer plays a test picture"]
        assert "gstreamer1.0-libav" in found["obs-gstreamer plays a test picture"]
        assert not obs.inputs


async def test_an_ingest_api_that_does_not_answer_is_named(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        wanted = config(obs, tmp_path).model_copy(update={"ingest": Ingest(srs_api="http://127.0.0.1:1")})
        assert list(failed(await check(wanted))) == ["SRS at 127.0.0.1:1"]


async def test_what_the_configuration_names_is_looked_for_in_groups_too_and_named_where_it_is_not_there(
    tmp_path: Path,
) -> None:
    async with FakeObs() as obs:
        studio = obs.studio
        scene = studio.scene("MOTHERSTREAM")
        slate = studio.create_input(scene, "SLATE", "color_source_v3", {}, enabled=False)
        studio.group(scene, "GROUP", [slate], enabled=False)
        studio.create_input(studio.create_scene("STORE"), "MODEL", "color_source_v3", {})
        wanted = config(obs, tmp_path, slate="SLATE", template="MODEL")
        details = {result.what: result.detail for result in await check(wanted)}
        assert details["slate SLATE"] == "inside GROUP, which is hidden"
        assert failed(await check(wanted)) == {}
        wanted = config(obs, tmp_path, template="NOBODY").model_copy(
            update={
                "sources": Sources(mode="static", static_input="CAMERA"),
                "overlays": Overlays(timer="TIMER", next_text="NEXT"),
            }
        )
        assert list(failed(await check(wanted))) == [
            "input CAMERA",
            "overlay TIMER",
            "template NOBODY",
            "overlay NEXT",
        ]


async def test_answers_that_make_no_sense_are_said_to(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        for request in ("GetSceneList", "GetInputKindList", "GetSceneItemList", "GetInputList"):
            rule = obs.faults.mutate(request, lambda data: {})
            assert list(failed(await check(config(obs, tmp_path, slate="SLATE")))) == ["OBS's answers"]
            obs.faults.rules.remove(rule)


async def test_the_scene_that_viewers_see_and_studio_mode_are_named(tmp_path: Path) -> None:
    async with FakeObs() as fake:

        async def program(policy: str = "leave") -> CheckLine:
            results = await check(config(fake, tmp_path, studio_mode=policy))
            return next(result for result in results if result.what == "program")

        found = await program()
        assert (found.ok, found.detail) == (True, "viewers see the scene 'MOTHERSTREAM'")
        fake.studio.mode.switch(True)
        assert "studio mode is on: the daemon switches it off" in (await program()).detail
        assert (await program("drive")).ok
        held = await program("hold")
        assert not held.ok
        assert "no hand-over until it is switched off" in held.detail
        fake.studio.mode.switch(False)
        fake.studio.create_scene("BREAK")
        fake.studio.set_program("BREAK")
        elsewhere = await program()
        assert not elsewhere.ok
        assert elsewhere.detail.startswith("viewers see the scene 'BREAK', not 'MOTHERSTREAM': switch OBS to")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
async def test_a_target_of_notifications_that_cannot_be_used_is_named_by_its_number_alone(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        urls = ("json://127.0.0.1:1/s3cret", "bogus-s3cret", "discord://")
        wanted = config(obs, tmp_path).model_copy(update={"notify": Notify(urls=tuple(map(SecretStr, urls)))})
        results = await check(wanted)
        found = failed(results)
        assert list(found) == ["notifications to 2 (unknown)", "notifications to 3 (discord)"]
        assert all("notify.urls" in detail for detail in found.values())
        assert "s3cret" not in str(results)
