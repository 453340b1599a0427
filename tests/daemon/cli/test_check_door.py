"""What ``motherstream check`` says of hooks and proxies, before anything has gone wrong."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr

from daemon.cli.check_door import Finding, look_at_door
from daemon.config.model import Config, Hooks, Http, Ingest

BRIDGE = ip_network("172.18.0.0/16")
HERE = ip_network("127.0.0.0/8")


def found(http: Http | None = None, hooks: Hooks | None = None, ingest: Ingest | None = None, *signs: Path) -> Finding:
    config = Config(http=http or Http(), hooks=hooks or Hooks(), ingest=ingest or Ingest())
    return next(look_at_door(config, signs))


def test_by_default_hooks_come_from_this_machine_alone_and_that_is_said() -> None:
    assert found() == Finding(
        "hooks to 127.0.0.1:8000",
        True,
        "only from this machine; for an RTMP server in a container see docs/install.md, In containers",
    )


@pytest.mark.parametrize(
    ("hooks", "ingest", "who"),
    [
        (Hooks(allow=(HERE, BRIDGE)), Ingest(), "172.18.0.0/16"),
        (Hooks(), Ingest(srs_api="http://172.18.0.3:1985"), "172.18.0.3"),
        (Hooks(), Ingest(mediamtx_api="http://mediamtx:9997"), "mediamtx"),
        (Hooks(), Ingest(nginx_stat="http://172.18.0.4:8080/stat"), "172.18.0.4"),
        (Hooks(), Ingest(oryx_api="http://oryx:2022"), "oryx"),
    ],
)
def test_hooks_that_cannot_reach_loopback_are_found_out(hooks: Hooks, ingest: Ingest, who: str) -> None:
    result = found(hooks=hooks, ingest=ingest)
    assert not result.ok
    assert f"nobody at {who} can reach this address: set http.host" in result.detail


def test_in_a_container_loopback_is_the_container_s(tmp_path: Path) -> None:
    sign = tmp_path / ".dockerenv"
    assert "this container" not in found(None, None, None, sign).detail
    sign.touch()
    assert "only from within this container" in found(None, None, None, sign).detail


def test_a_server_whose_hooks_would_be_refused_is_named() -> None:
    http, ingest = Http(host="0.0.0.0"), Ingest(srs_api="http://172.18.0.3:1985")
    result = found(http, Hooks(), ingest)
    assert (result.ok, result.detail) == (False, "those of 172.18.0.3 are refused: add it to hooks.allow")
    assert found(http, Hooks(allow=(HERE, BRIDGE)), ingest).ok
    assert "172.16.0.0/12" in found(http).detail


def test_what_a_proxy_still_needs_is_said() -> None:
    http = Http(public_url="https://show.example", token=SecretStr("short"))
    lines = {each.what: each for each in look_at_door(Config(http=http), ())}
    assert "http.trusted_proxies" in lines["page at https://show.example"].detail
    assert "it is short" in lines["http.token"].detail
    assert all(each.ok for each in lines.values())
