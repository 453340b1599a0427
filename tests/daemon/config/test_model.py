import math
import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from daemon.config import loader as config_load
from daemon.config.keys import KEYS, SECTIONS, diff, example, secret_values, value_of, with_live
from daemon.config.loader import load
from daemon.config.model import Config, Http, Ingest, Notify, Obs, Queue, conflicts
from daemon.core.redaction import Redactor
from tests.daemon.config.config_files import read

EXAMPLE = Path(__file__).parents[3] / "deploy" / "motherstream.example.toml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "motherstream.toml"


# -- the example


def test_the_example_is_the_one_that_the_models_write() -> None:
    assert EXAMPLE.read_text("utf-8") == example()


def test_the_example_holds_the_defaults() -> None:
    assert load(EXAMPLE, {}) == Config()


def test_every_key_stands_in_the_example_with_a_comment() -> None:
    document = tomllib.loads(EXAMPLE.read_text("utf-8"))
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for name in KEYS:
        *path, last = name.split(".")
        table: dict[str, Any] = document
        for part in path:
            table = table[part]
        assert last in table
        # What stands in no section stands after the head.
        section = lines[lines.index(f"[{'.'.join(path)}]") if path else lines.index("") + 1 :]
        (line,) = [line for line in section[: _end(section)] if line.startswith(f"{last} = ")]
        assert re.search(r"  # \S.{3,}", line), name


def _end(section: list[str]) -> int:
    return section.index("") if "" in section else len(section)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("http.host", "127.0.0.1"),
        ("http.port", 8000),
        ("hooks.allow", (ip_network("127.0.0.0/8"), ip_network("::1/128"))),
        ("obs.port", 4455),
        ("obs.scene", "MOTHERSTREAM"),
        ("obs.slate", ""),
        ("obs.keep_streaming", False),
        ("sources.kind", "auto"),
        ("sources.mode", "dynamic"),
        ("sources.prefix", "GMOTHERSTREAM_"),
        ("sources.z_offset", 5),
        ("sources.width", 1920),
        ("sources.height", 1080),
        ("sources.ready_timeout", 15.0),
        ("sources.poll_interval", 0.5),
        ("sources.cleanup_grace", 1.0),
        ("sources.job_delay", 2.0),
        ("sources.standby", True),
        ("sources.properties.sync_appsinks", True),
        ("sources.properties.restart_timeout", 2000),
        ("transition.kind", "cut"),
        ("transition.duration", 0.5),
        ("ingest.rtmp_url", "rtmp://127.0.0.1:1935/{app}/{stream}"),
        ("ingest.srs_api", ""),
        ("queue.auth", "keys"),
        ("queue.turn", 3600),
        ("queue.turn_when_alone", False),
        ("queue.after_turn", "requeue"),
        ("queue.reconnect_grace", 8.0),
        ("queue.block_last", False),
        ("health.interval", 1.0),
        ("health.history", 3600),
        ("health.stall", 1.0),
        ("health.report_dir", Path("logs/stream-health")),
        ("store.path", Path("motherstream.db")),
        ("log.file", Path("logs/motherstream.log")),
        ("log.level", "info"),
        ("log.format", "auto"),
        ("notify.urls", ()),
    ],
)
def test_the_defaults_are_the_promised_ones(name: str, default: object) -> None:
    assert value_of(Config(), name) == default


def test_every_secret_has_a_file_beside_it() -> None:
    secret = [name for name, key in KEYS.items() if key.secret]
    assert secret == [
        "http.token",
        "hooks.secret",
        "obs.password",
        "ingest.srs_token",
        "ingest.oryx_token",
        "probe.token",
        "store.url",
        "notify.urls",
    ]
    assert [name for name in KEYS if name.endswith("_file")] == [f"{name}_file" for name in secret]
    assert all(KEYS[f"{name}_file"].live is KEYS[name].live for name in secret)


def test_every_number_has_a_range() -> None:
    for name, key in KEYS.items():
        if key.field.annotation in (int, float):
            assert re.fullmatch(r"a (whole )?number from \S+ to \S+", config_load._wanted(key)), name


# -- secrets stay secret


SECRETIVE = Config(
    http=Http(token=SecretStr("t0ken-of-http")),
    obs=Obs(password=SecretStr("p4ssword")),
    ingest=Ingest(srs_api="http://admin:s3cr3t@h:1985"),
    notify=Notify(urls=(SecretStr("discord://4815162342/abcdefghijkl"),)),
)


def test_a_configuration_can_be_shown(file: Path) -> None:
    shown = f"{SECRETIVE} {SECRETIVE!r}"
    for secret in ("t0ken", "p4ss", "s3cr3t", "4815162342"):
        assert secret not in shown
    assert "http://***@h:1985" in shown


def test_the_redactor_learns_every_secret() -> None:
    redactor = Redactor(*secret_values(SECRETIVE))
    text = "t0ken-of-http p4ssword s3cr3t posted to 4815162342 with abcdefghijkl by discord"
    assert redactor.text(text) == "*** *** *** posted to *** with *** by discord"
    assert list(secret_values(Config())) == []


def test_where_a_target_on_this_machine_listens_is_no_secret() -> None:
    """Else it would be masked in every play URL, too."""
    for host in ("127.0.0.1", "localhost"):
        url = f"json://somebody:hunter2-token@{host}:8080/"
        masked = Redactor(*secret_values(Config(notify=Notify(urls=(SecretStr(url),))))).text
        assert masked(f"rtmp://{host}:1935/live/alice hunter2-token") == f"rtmp://{host}:1935/live/alice ***"


# -- reloading


def test_a_change_is_told_by_what_it_needs(file: Path) -> None:
    old = read(file, "")
    new = read(file, "[queue]\nturn = 60\n[http]\nport = 4456\n[sources.pipeline]\nleaky = false\n[hooks]\nsecret='x'")
    changes = diff(old, new)
    assert changes.live == ("hooks.secret", "sources.pipeline.leaky", "queue.turn")
    assert changes.restart == ("http.port",)
    assert diff(old, old) == ((), ())


def test_what_can_change_live_does_and_the_rest_waits(file: Path) -> None:
    old = read(file, "")
    new = read(file, "[queue]\nturn = 60\n[http]\nport = 4456\n[sources.pipeline]\nleaky = false")
    mixed = with_live(old, new)
    assert mixed.queue.turn == 60
    assert not mixed.sources.pipeline.leaky
    assert mixed.http.port == 8000
    assert diff(mixed, new) == ((), ("http.port",))


def test_every_conflict_is_found_and_names_keys_that_there_are() -> None:
    """One that a reload would make of keys that are live and keys that wait is refused: tests/simulation."""
    bad = Config().model_copy(
        update={
            "http": Http(host="0.0.0.0"),
            "queue": Queue(auth="http"),
            "sources": Config().sources.model_copy(
                update={
                    "poll_interval": math.inf,
                    "static_input": "GMOTHERSTREAM_1",
                    "pipeline": Config().sources.pipeline.model_copy(
                        update={"video_queue_time": 0, "audio_queue_time": 0}
                    ),
                }
            ),
            "obs": Obs(slate="GMOTHERSTREAM_1"),
        }
    )
    found = list(conflicts(bad))
    assert len(found) == 7
    for conflict in found:
        assert KEYS.keys() >= set(conflict.keys)


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Config().http.port = 1


def test_every_section_says_what_it_is_for() -> None:
    assert all(section.__doc__ and section.__doc__.endswith(".") for section, _ in SECTIONS.values())
