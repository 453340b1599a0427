"""``motherstream step-down``, ``fleet`` and ``store migrate`` as typed, on a real store."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon.cli.main import main
from daemon.cli.pair import fleet_lines
from daemon.cli.show import status_lines
from daemon.shared.leases import Leases
from daemon.shared.postgres import Postgres
from daemon.streamers.store import StreamerStore
from tests.daemon.shared.conftest import me

OWNER: dict[str, Any] = {
    "here": True,
    "name": "one",
    "address": "http://one",
    "epoch": 3,
    "heir": {"name": "two", "address": "http://two", "sees_obs": True},
    "lag": 0,
    "problem": "",
}


@pytest.fixture
def shared(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A channel's database, with that store."""
    path = tmp_path / "a.db"
    monkeypatch.setenv("MOTHERSTREAM_STORE__URL", store_url)
    monkeypatch.setenv("MOTHERSTREAM_STORE__PATH", str(path))
    return path


def test_streamers_are_the_stores_where_one_is_shared(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["streamer", "add", "alice", "--json"]) == 0
    key = json.loads(capsys.readouterr().out)["key"]
    assert len(key) == 32
    assert not shared.exists(), "nothing is written beside the store"
    assert main(["streamer", "list"]) == 0
    assert "alice" in capsys.readouterr().out
    assert main(["streamer", "set", "alice", "--disable"]) == 0
    assert "alice is disabled" in capsys.readouterr().out
    assert main(["streamer", "remove", "ALICE"]) == 0
    assert main(["streamer", "list"]) == 0
    assert "there are no streamers in the shared store: add one" in capsys.readouterr().out


def test_a_channel_is_migrated(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StreamerStore(shared).add("alice")
    assert main(["store", "migrate"]) == 0
    assert "brought 1 streamers into the shared store" in capsys.readouterr().out
    assert main(["streamer", "list"]) == 0
    assert "alice" in capsys.readouterr().out
    assert main(["store", "migrate"]) == 0
    assert "brought 0 streamers" in capsys.readouterr().out
    StreamerStore(shared).rotate("alice")
    assert main(["store", "migrate"]) == 1
    assert "the store knows alice by another key" in capsys.readouterr().err


def test_the_fleet_is_shown_whichever_daemons_live(
    shared: Path, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet"]) == 0
    assert "the shared store has no channels yet" in capsys.readouterr().out

    async def two_channels() -> None:
        pg = Postgres(store_url, within=10.0)
        gold = Leases(pg, me("gold", "one"), 60.0)
        taken = await gold.take(0, own=False)
        assert taken is not None
        said = {"state": "STANDBY", "on_air": "DJ \u202eÖtzi", "next": None, "problems": ["keys"], "lag": 3}
        await gold.beat(taken.epoch, 0.0, sees_obs=True, body=said)
        await Leases(pg, me("gold", "two"), 60.0).beat(0, 0.0, sees_obs=False, body={})
        main_ = Leases(pg, me("main", "three"), 60.0)
        taken = await main_.take(0, own=False)
        assert taken is not None
        await main_.release(taken.epoch)
        await pg.close()

    asyncio.run(two_channels())
    assert main(["fleet"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["CHANNEL", "STATE"]
    assert first.split()[:2] == ["main", "unowned"]
    assert "NOBODY" in first
    assert second.startswith("gold     standby     DJ")
    assert "\u202e" not in second
    assert "two (no OBS)" in second
    assert second.endswith("3  keys")
    assert main(["fleet", "--json"]) == 0
    assert [row["channel"] for row in json.loads(capsys.readouterr().out)["channels"]] == ["gold", "main"]


@pytest.mark.parametrize("command", [["fleet"], ["store", "migrate"]])
def test_without_a_shared_store_it_is_said_what_is_missing(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOTHERSTREAM_STORE__PATH", str(tmp_path / "a.db"))
    assert main(command) == 1
    assert "there is no shared store: set store.url" in capsys.readouterr().err
    monkeypatch.setenv("MOTHERSTREAM_STORE__URL", "postgresql://nobody@127.0.0.1:1/none")
    StreamerStore(tmp_path / "a.db").add("alice")
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "connection refused" in said.lower() or "connect call failed" in said.lower()


@pytest.mark.parametrize(
    ("owner", "lines"),
    [
        (OWNER, ["owner    this daemon, epoch 3; heir two"]),
        ({**OWNER, "heir": None, "lag": 5}, ["owner    this daemon, epoch 3; no heir", "store    5 events behind"]),
        (
            {**OWNER, "heir": {**OWNER["heir"], "sees_obs": False}, "problem": "no answer within 1.5 s"},
            ["owner    this daemon, epoch 3; heir two, which does not reach OBS", "store    no answer within 1.5 s"],
        ),
        ({**OWNER, "here": False}, ["owner    one at http://one; this daemon is its heir"]),
        ({**OWNER, "here": False, "name": None}, ["owner    nobody: this daemon takes over in a moment"]),
    ],
)
def test_the_status_says_who_owns_the_channel(owner: dict[str, Any], lines: list[str]) -> None:
    status: dict[str, Any] = {
        **{"channel": "main", "state": "IDLE", "held": False, "on_air": None, "program": None, "standby": None},
        **{"queue": [], "obs": {"connected": False}, "last_switch": None, "owner": owner},
    }
    told = list(status_lines(status))
    assert [line for line in told if line.startswith(("owner", "store"))] == lines
    assert not [line for line in status_lines({**status, "owner": None}) if line.startswith(("owner", "store"))]


def test_nobody_s_channels_come_first() -> None:
    row: dict[str, Any] = {"channel": "a", "owner": None, "heirs": [], "state": "UNOWNED", "on_air": None, "next": None}
    rows = [
        {**row, "channel": "well", "owner": {"name": "one"}, "problems": [], "lag": 0},
        {**row, "channel": "ill", "owner": {"name": "one"}, "problems": ["obs"], "lag": 0},
        {**row, "channel": "nobodys", "problems": ["owner"], "lag": 0},
    ]
    assert [line.split()[0] for line in fleet_lines(rows)] == ["CHANNEL", "nobodys", "ill", "well"]


def test_without_a_shared_store_its_driver_is_not_even_looked_for(tmp_path: Path) -> None:
    code = (
        "import sys, daemon.app, daemon.cli.main\n"
        "assert not [name for name in sys.modules if name.startswith('asyncpg')]\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MOTHERSTREAM_")}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3], env=environ)


def test_a_driver_that_is_missing_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    code = "import sys; sys.modules['asyncpg'] = None; from daemon.cli.main import main; sys.exit(main(['run']))"
    environ = {**os.environ, "MOTHERSTREAM_STORE__URL": "postgresql://x@127.0.0.1:1/x", "MOTHERSTREAM_LOG__FILE": ""}
    environ["PYTHONPATH"] = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path, env=environ
    )
    assert done.returncode == 78
    assert "store.url: needs the package asyncpg: pip install 'motherstream[postgres]'" in done.stderr
