"""``motherstream check``: one line each, with how to mend it."""

from pathlib import Path

from pydantic import SecretStr

from daemon.check import Result, check
from daemon.config import Config, Ingest, Obs, Queue, Sources, Store
from tests.fakes import FakeObs


def config(obs: FakeObs, tmp_path: Path, **changes: object) -> Config:
    values: dict[str, object] = {"port": obs.port, "password": SecretStr(obs.password or ""), **changes}
    return Config(
        obs=Obs(**values),  # type: ignore[arg-type]  # fields by name
        queue=Queue(auth="open"),
        store=Store(path=tmp_path / "m.db"),
    )


def failed(results: list[Result]) -> dict[str, str]:
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


async def test_an_ingest_api_that_does_not_answer_is_named(tmp_path: Path) -> None:
    async with FakeObs() as obs:
        wanted = config(obs, tmp_path).model_copy(update={"ingest": Ingest(srs_api="http://127.0.0.1:1")})
        assert list(failed(await check(wanted))) == ["SRS at 127.0.0.1:1"]
