"""The database is lost more than once in a run: each time it is told, to those notified as well."""

from pathlib import Path

import pytest

from daemon.notify.notifier import Notifier
from tests.simulation.stage import on_air
from tests.simulation.world import World


def test_every_loss_of_the_database_in_one_run_is_logged_notified_and_in_readyz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Notifier, "trouble", lambda _, topic, text: told.append(f"{topic}: {text}"))

    def notified() -> int:
        return len({text for text in told if "the journal was missing" in text})

    async def act(w: World) -> None:
        path = Path(str(w.settings["store.path"]))
        copy = path.with_name(f"{path.name}.backup")
        for count in (1, 2, 3):
            await w.until(copy.exists, 30.0)
            path.unlink()
            await w.until(lambda n=count: len(w.said("the journal was missing")) == n, 30.0)  # type: ignore[misc]  # bound
            await w.until(lambda n=count: notified() == n, 10.0)  # type: ignore[misc]  # bound
            await w.until(path.exists, 10.0)
            journal = (await w.ask("GET", "/readyz"))["checks"]["journal"]
            assert "the journal was missing" in journal["detail"]
        assert w.director.switchover.on_air_streamer == "alice"

    on_air(tmp_path, act)
