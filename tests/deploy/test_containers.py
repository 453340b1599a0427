import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon.config.loader import load
from tests.deploy.support import DEPLOY, ROOT

CONTAINERFILE = DEPLOY / "Containerfile"
SECRET = "0123456789abcdef"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return parsed


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions, continued lines joined."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [
        (word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line.strip())
    ]


def image_environment() -> dict[str, str]:
    found: dict[str, str] = {}
    for word, rest in instructions():
        if word == "ENV":
            found |= dict(setting.split("=", 1) for setting in rest.split())
    return found


def test_what_is_copied_into_the_image_is_there() -> None:
    copied = [rest.split() for word, rest in instructions() if word == "COPY" and "--from=" not in rest]
    assert copied
    for *sources, _ in copied:
        for source in sources:
            assert (ROOT / source).exists(), source


def test_every_image_is_named_by_its_tag(compose: dict[str, Any]) -> None:
    images = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    images += [service["image"] for service in compose["services"].values()]
    for image in images:
        assert re.fullmatch(r"([a-z]+/)?[a-z]+:[\w.-]+", image), image


def test_the_image_runs_the_daemon_and_not_as_root() -> None:
    last = dict(instructions())
    assert last["CMD"] == '["motherstream", "run", "--config", "/etc/motherstream/motherstream.toml"]'
    assert last["USER"] == "10001"
    assert last["EXPOSE"] == "8000"


def test_the_image_has_a_configuration_that_is_right() -> None:
    config = load(DEPLOY / "motherstream.example.toml", image_environment())
    assert str(config.store.path) == "/var/lib/motherstream/motherstream.db"
    assert config.log.file is None, "a container logs to standard error"
    assert config.log.format == "json"


def test_what_composes_environment_sets_is_right_and_reaches_its_neighbours(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    service = compose["services"]["motherstream"]
    environment = {name: value.replace("${HOOKS_SECRET}", SECRET) for name, value in service["environment"].items()}
    for name in compose["secrets"]:
        (tmp_path / name).write_text(f"the-{name}\n")
        environment = {
            key: value.replace(f"/run/secrets/{name}", str(tmp_path / name)) for key, value in environment.items()
        }
    config = load(DEPLOY / "motherstream.example.toml", {**image_environment(), **environment})
    assert config.http.token.get_secret_value() == "the-http_token"
    assert config.obs.password.get_secret_value() == "the-obs_password"
    assert config.hooks.secret.get_secret_value() == SECRET
    srs = compose["services"]["srs"]["networks"]["studio"]["ipv4_address"]
    assert any(srs == str(network.network_address) for network in config.hooks.allow)
    assert f"http://{srs}:1985" == config.ingest.srs_api
    assert config.obs.host + ":host-gateway" in service["extra_hosts"]


def test_srs_calls_the_daemon_with_the_secret(compose: dict[str, Any]) -> None:
    environment = compose["services"]["srs"]["environment"]
    daemon = compose["services"]["motherstream"]["networks"]["studio"]["ipv4_address"]
    for hook in ("ON_PUBLISH", "ON_UNPUBLISH"):
        url = re.sub(r"\$\{HOOKS_SECRET[^}]*\}", SECRET, environment[f"SRS_VHOST_HTTP_HOOKS_{hook}"])
        assert url == f"http://{daemon}:8000/hooks/srs?secret={SECRET}"


def test_what_is_mounted_is_there_and_goes_where_it_is_read(compose: dict[str, Any]) -> None:
    srs = compose["services"]["srs"]
    (mount,) = srs["volumes"]
    source, target, mode = mount.split(":")
    assert (DEPLOY / source).is_file()
    assert mode == "ro"
    assert target.endswith("/" + srs["command"][-1])
    build = compose["services"]["motherstream"]["build"]
    context = (DEPLOY / build["context"]).resolve()
    assert context == ROOT
    assert context / build["dockerfile"] == CONTAINERFILE


def test_the_api_is_published_to_this_machine_alone(compose: dict[str, Any]) -> None:
    assert compose["services"]["motherstream"]["ports"] == ["127.0.0.1:8000:8000"]
    assert all("1985" not in port for port in compose["services"]["srs"]["ports"])


def test_secrets_beside_the_file_are_not_committed(compose: dict[str, Any]) -> None:
    ignored = (DEPLOY / ".gitignore").read_text().splitlines()
    assert {"secrets/", ".env"} <= set(ignored)
    assert all(secret["file"].startswith("./secrets/") for secret in compose["secrets"].values())
