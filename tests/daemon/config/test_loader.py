import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr

from daemon.config import loader as config_load
from daemon.config.keys import KEYS, value_of
from daemon.config.loader import ConfigError, ConfigProblem, load, locate, variable
from daemon.config.model import Config
from tests.daemon.config.config_files import problems, read

CANARY = "c4n4ry-K3Y_77"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "motherstream.toml"


def test_without_a_file_all_is_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_load, "DEFAULT_PATHS", (tmp_path / "a" / "m.toml", tmp_path / "m.toml"))
    assert locate(None) is None
    assert load(None, {}) == Config()
    (tmp_path / "m.toml").write_text("[http]\nport = 1")
    assert load(None, {}).http.port == 1
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "m.toml").write_text("[http]\nport = 2")
    assert load(None, {}).http.port == 2
    assert locate(None) == tmp_path / "a" / "m.toml"


def test_a_file_that_was_asked_for_must_be_there(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert caught.value.problems == (ConfigProblem("", "cannot be read: No such file or directory", str(file)),)


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, {})


def test_a_syntax_error_is_told_with_its_place(file: Path) -> None:
    (problem,) = problems(file, "[http]\nport = \n")
    assert problem.where == str(file)
    assert re.fullmatch(r"is not TOML: .+ \(at line 2, column 8\)", problem.message)


def test_a_file_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes(b"[http]\n# \xff")
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(byte 9\)"):
        load(file, {})


def test_a_file_from_another_system_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[http]\r\nport = 81\r\n")
    assert load(file, {}).http.port == 81


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MOTHERSTREAM_HTTP__PORT", "81", 81),
        ("MOTHERSTREAM_OBS__SCENE", "Main", "Main"),
        ("MOTHERSTREAM_OBS__KEEP_STREAMING", "true", True),
        ("MOTHERSTREAM_OBS__REQUEST_TIMEOUT", "2.5", 2.5),
        ("MOTHERSTREAM_SOURCES__PIPELINE__RATE", "44100", 44100),
        ("MOTHERSTREAM_SOURCES__PROPERTIES__SYNC_APPSINKS", "no", False),
        ("MOTHERSTREAM_HOOKS__ALLOW", "10.0.0.0/8, ::1", (ip_network("10.0.0.0/8"), ip_network("::1"))),
        ("MOTHERSTREAM_HOOKS__ALLOW", '["10.0.0.1"]', (ip_network("10.0.0.1/32"),)),
        ("MOTHERSTREAM_HOOKS__ALLOW", "", ()),
        ("MOTHERSTREAM_LOG__FILE", "", None),
        ("MOTHERSTREAM_NOTIFY__URLS", "json://a,json://b", (SecretStr("json://a"), SecretStr("json://b"))),
    ],
)
def test_any_key_can_be_set_by_the_environment(file: Path, name: str, text: str, value: object) -> None:
    toml = "[http]\nport = 80\n[obs]\nscene = 'x'\n[sources.pipeline]\nrate = 48000\n"
    assert value_of(
        read(file, toml, **{name: text}), name.removeprefix("MOTHERSTREAM_").lower().replace("__", ".")
    ) == (value)


def test_every_key_has_a_variable_of_its_own() -> None:
    assert len({variable(name) for name in KEYS}) == len(KEYS)


def test_a_secret_comes_from_the_first_place_that_has_it(file: Path, tmp_path: Path) -> None:
    toml = "[obs]\npassword = 'from toml'\n"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}

    def password(toml: str, **environ: str) -> str:
        return read(file, toml, **environ).obs.password.get_secret_value()

    assert password(toml, **environ) == "from toml"
    (credentials / "obs-password").write_text("from dashed credential\n")
    assert password(toml, **environ) == "from dashed credential"
    (credentials / "obs.password").write_text("from credential\n")
    assert password(toml, **environ) == "from credential"
    (tmp_path / "by-hand").write_text(" from file \r\n")
    with_file = f"{toml}password_file = '{tmp_path / 'by-hand'}'\n"
    assert password(with_file, **environ) == " from file "
    (tmp_path / "other").write_text("from other file")
    environ["MOTHERSTREAM_OBS__PASSWORD_FILE"] = str(tmp_path / "other")
    assert password(with_file, **environ) == "from other file"
    environ["MOTHERSTREAM_OBS__PASSWORD"] = "from environment"
    assert password(with_file, **environ) == "from environment"


def test_a_file_of_urls_holds_one_a_line(file: Path, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("json://a\n\n  mailto://x,y\n")
    urls = read(file, f"[notify]\nurls_file = '{tmp_path / 'urls'}'").notify.urls
    assert [url.get_secret_value() for url in urls] == ["json://a", "mailto://x,y"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"\n", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"x" * 70_000, "it is too large for a secret"),
    ],
)
def test_a_secrets_file_that_is_of_no_use_is_a_mistake(
    file: Path, tmp_path: Path, content: bytes | None, message: str
) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    assert problems(file, f"[hooks]\nsecret_file = '{secret}'") == [
        ConfigProblem("hooks.secret", f"cannot be read from its file: {message}", str(secret))
    ]
