import math
import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from daemon import config_load
from daemon.config import Config, Http, Ingest, Notify, Obs, Queue, conflicts
from daemon.config_keys import KEYS, SECTIONS, diff, example, secret_values, value_of, with_live
from daemon.config_load import ConfigError, Problem, load, locate, variable
from daemon.secrets import Redactor

EXAMPLE = Path(__file__).parents[2] / "deploy" / "motherstream.example.toml"
CANARY = "c4n4ry-K3Y_77"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "motherstream.toml"


def read(file: Path, text: str, **environ: str) -> Config:
    file.write_text(text, "utf-8")
    return load(file, environ)


def problems(file: Path, text: str, **environ: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        read(file, text, **environ)
    return list(caught.value.problems)


def messages(file: Path, text: str, **environ: str) -> list[str]:
    return [f"{problem.key}: {problem.message}" for problem in problems(file, text, **environ)]


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
        section = lines[lines.index(f"[{'.'.join(path)}]") :]
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
        "notify.urls",
    ]
    assert [name for name in KEYS if name.endswith("_file")] == [f"{name}_file" for name in secret]
    assert all(KEYS[f"{name}_file"].live is KEYS[name].live for name in secret)


def test_every_number_has_a_range() -> None:
    for name, key in KEYS.items():
        if key.field.annotation in (int, float):
            assert re.fullmatch(r"a (whole )?number from \S+ to \S+", config_load._wanted(key)), name


# -- where it is found


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
    assert caught.value.problems == (Problem("", "cannot be read: No such file or directory", str(file)),)


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
        Problem("hooks.secret", f"cannot be read from its file: {message}", str(secret))
    ]


# -- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[http]\nport = 70000", "http.port: is 70000, must be a whole number from 0 to 65535"),
        ("[http]\nport = 'x'", 'http.port: is "x", must be a whole number from 0 to 65535'),
        ("[http]\nport = true", "http.port: is true, must be a whole number from 0 to 65535"),
        ("[http]\nport = 1.5", "http.port: is 1.5, must be a whole number from 0 to 65535"),
        ("[http.port]\nx = 1", 'http.port: is {"x": 1}, must be a whole number from 0 to 65535'),
        ("[obs]\nport = 0", "obs.port: is 0, must be a whole number from 1 to 65535"),
        ("[obs]\nhost = 'a b'", 'obs.host: is "a b", must be a host name or an IP address'),
        ("[obs]\nhost = '127.0.0.256'", 'obs.host: is "127.0.0.256", must be a host name or an IP address'),
        ("[obs]\nhost = 5", "obs.host: is 5, must be text"),
        ("[obs]\nscene = ' '", 'obs.scene: is " ", must not be empty'),
        ("[obs]\nkeep_streaming = 'maybe'", 'obs.keep_streaming: is "maybe", must be true or false'),
        ("[obs]\npassword = 12345", "obs.password: must be text"),
        ("[obs]\npassword_file = 5", "obs.password_file: is 5, must be text"),
        ("[sources]\nready_timeout = nan", "sources.ready_timeout: is NaN, must be a number from 0.5 to 600"),
        ("[sources]\nwidth = 0", "sources.width: is 0, must be a whole number from 16 to 16384"),
        ("[sources]\nkind = 'vlc'", 'sources.kind: is "vlc", must be auto, gstreamer or ffmpeg'),
        ("[transition]\nkind = 'wipe'", 'transition.kind: is "wipe", must be cut or fade'),
        (
            "[sources]\nprefix = 'a b'",
            'sources.prefix: is "a b", must be 1 to 64 of the characters A-Z a-z 0-9 _ -',
        ),
        ("[sources]\nprefix = ''", 'sources.prefix: is "", must be 1 to 64 of the characters A-Z a-z 0-9 _ -'),
        (
            "[hooks]\nallow = ['10.0.0.1/8']",
            'hooks.allow: is "10.0.0.1/8", must be an address or a network such as 10.0.0.0/8 or ::1/128'
            " (has host bits set)",
        ),
        ("[hooks]\nallow = '10.0.0.0/8'", 'hooks.allow: is "10.0.0.0/8", must be a list of texts'),
        ("[queue]\nturn = 0", "queue.turn: is 0, must be a number from 1 to 604800"),
        ("[queue]\nafter_turn = 'drop'", 'queue.after_turn: is "drop", must be requeue or kick'),
        (
            "[ingest]\nsrs_api = 'ftp://h'",
            'ingest.srs_api: is "ftp://h", must be http://HOST:PORT/… or https://…, or empty for none',
        ),
        ("[store]\npath = 5", "store.path: is 5, must be text"),
        ("obs = 5", "obs: must be a table"),
        ("[http]\nbogus = 1", "http.bogus: is not a key"),
        ("[obs]\npasword = 'x'", "obs.pasword: is not a key; did you mean obs.password?"),
        ("[http]\npassword = 'x'", "http.password: is not a key; did you mean obs.password?"),
        ("pasword = 'x'", "pasword: is not a key; did you mean obs.password?"),
        ("[sources]\nrate = 1", "sources.rate: is not a key; did you mean sources.pipeline.rate?"),
        ("[queeu]\nturn = 1", "queeu: is not a section; did you mean queue?"),
        ("[pipeline]\nrate = 1", "pipeline: is not a section; did you mean sources.pipeline?"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_may_be(file: Path, text: str, message: str) -> None:
    assert messages(file, text) == [message]


@pytest.mark.parametrize(
    "url",
    [
        "rtmp://127.0.0.1:1935/{app}/{stream}",
        "rtmp://127.0.0.1/{app}/{stream}{param}",
        "rtmps://[::1]:1935/{app}/{stream}",
        "rtmp://ingest:1935/motherstream/live?stream_key={stream_key}",
    ],
)
def test_an_rtmp_url_may_be(file: Path, url: str) -> None:
    assert read(file, f"[ingest]\nrtmp_url = '{url}'").ingest.rtmp_url == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://h/{stream}", "must be rtmp://HOST:PORT/…"),
        ("rtmp://{app}:1935/{stream}", "must be rtmp://HOST:PORT/…"),
        ("rtmp://h{stream}", "must be rtmp://HOST:PORT/…"),
        ("rtmp://h:0/{stream}", "must be rtmp://HOST:PORT/…"),
        ("rtmp://h:99999/{stream}", "must be rtmp://HOST:PORT/…"),
        ("rtmp:///{stream}", "must be rtmp://HOST:PORT/…"),
        ("{stream}", "must be rtmp://HOST:PORT/…"),
        ("", "must be rtmp://HOST:PORT/…"),
        ("rtmp://h/live/one", "must tell streams apart"),
        ("rtmp://h/{app}", "must tell streams apart"),
        ("rtmp://h/{user}/{stream}", "{user} is not one of {app}, {stream}, {stream_key}, {param}"),
        ("rtmp://h/{}/{stream}", "{} is not one of"),
        ("rtmp://h/{stream!r}", "{stream!r} is not one of"),
        ("rtmp://h/{{stream}}", "must hold none but the characters"),
        ("rtmp://h/{stream} ! filesink", "must hold none but the characters"),
        ('rtmp://h/{stream}"', "must hold none but the characters"),
        ("rtmp://u:p@h/{stream}", "must hold none but the characters"),
    ],
)
def test_an_rtmp_url_may_not_be(file: Path, url: str, reason: str) -> None:
    (message,) = messages(file, f"[ingest]\nrtmp_url = '{url}'")
    assert reason in message


@pytest.mark.parametrize("host", ["localhost", "obs", "obs_1.internal", "10.0.0.1", "::1", "studio.example.com"])
def test_a_host_may_be(file: Path, host: str) -> None:
    assert read(file, f"[obs]\nhost = '{host}'").obs.host == host


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[http]\nhost = '0.0.0.0'", "http.token: is required where http.host is not loopback (it is 0.0.0.0)"),
        ("[http]\nhost = '::'", "http.token: is required where http.host is not loopback (it is ::)"),
        ("[http]\nhost = 'studio'", "http.token: is required where http.host is not loopback (it is studio)"),
        ("[queue]\nauth = 'http'", "queue.auth_url: is required where queue.auth is http"),
        (
            "[sources]\npoll_interval = 5\nready_timeout = 5",
            "sources.poll_interval: is 5, must be less than sources.ready_timeout",
        ),
        (
            "[sources]\nstatic_input = 'GMOTHERSTREAM_1'",
            "sources.static_input: is 'GMOTHERSTREAM_1', must not look like an input that is made and removed"
            " (GMOTHERSTREAM_NUMBER)",
        ),
        (
            "[obs]\nslate = 'S9'\n[sources]\nprefix = 'S'",
            "obs.slate: is 'S9', must not look like an input that is made and removed (SNUMBER)",
        ),
        (
            "[sources.pipeline]\nvideo_queue_time = 0",
            "sources.pipeline.video_queue_time: must be above 0 where sources.pipeline.video_queue_buffers is 0",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_told(file: Path, text: str, message: str) -> None:
    assert messages(file, text) == [message]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(file: Path, host: str) -> None:
    assert read(file, f"[http]\nhost = '{host}'").http.host == host


def test_a_token_from_anywhere_opens_the_door(file: Path) -> None:
    config = read(file, "[http]\nhost = '0.0.0.0'", MOTHERSTREAM_HTTP__TOKEN=CANARY)
    assert config.http.token.get_secret_value() == CANARY


def test_every_mistake_is_told_at_once(file: Path, tmp_path: Path) -> None:
    text = f"""
    [http]
    host = "0.0.0.0"
    port = 99999
    [hooks]
    allow = ["x", "::1", "y"]
    secret_file = "{tmp_path / "none"}"
    [obs]
    scene = ""
    porrt = 1
    [queue]
    auth = "http"
    """
    found = problems(file, text, MOTHERSTREAM_QUEUE__TURN="soon", MOTHERSTREAM_OBS__PORRT="1")
    assert sorted((problem.key, problem.where) for problem in found) == sorted(
        [
            ("http.port", str(file)),
            ("hooks.allow", str(file)),
            ("hooks.allow", str(file)),
            ("hooks.secret", str(tmp_path / "none")),
            ("obs.scene", str(file)),
            ("obs.porrt", str(file)),
            ("queue.turn", "MOTHERSTREAM_QUEUE__TURN"),
            ("", "MOTHERSTREAM_OBS__PORRT"),
            ("http.token", str(file)),
            ("queue.auth_url", str(file)),
        ]
    )
    lines = str(ConfigError(found)).splitlines()
    assert lines[0] == "the configuration has 10 mistakes:"
    assert f"  http.port: is 99999, must be a whole number from 0 to 65535 ({file})" in lines
    assert "  MOTHERSTREAM_OBS__PORRT: is no setting; did you mean MOTHERSTREAM_OBS__PORT?" in lines
    assert len(lines) == 11


def test_a_key_that_is_wrong_is_not_blamed_twice(file: Path) -> None:
    assert len(problems(file, "[http]\nhost = '0.0.0.0'\ntoken = 5")) == 1


def test_an_unreadable_file_is_not_blamed_for_what_it_may_hold(file: Path) -> None:
    found = problems(file, "[http\n", MOTHERSTREAM_HTTP__HOST="0.0.0.0", MOTHERSTREAM_HTTP__PORT="x")
    assert [problem.key for problem in found] == ["", "http.port"]


@pytest.mark.parametrize(
    "name", ["MOTHERSTREAM_", "MOTHERSTREAM_OBS", "MOTHERSTREAM_OBS_PASSWORD", "MOTHERSTREAM_obs__password"]
)
def test_a_variable_that_sets_nothing_is_a_mistake_and_its_value_is_not_told(file: Path, name: str) -> None:
    (problem,) = problems(file, "", **{name: CANARY})
    assert problem.where == name
    assert problem.message.startswith("is no setting")
    assert CANARY not in str(problem)


def test_what_a_cluster_sets_for_a_service_of_that_name_is_passed_over(file: Path) -> None:
    environ = {
        "MOTHERSTREAM_SERVICE_HOST": "10.0.0.1",
        "MOTHERSTREAM_SERVICE_PORT_HTTP": "8000",
        "MOTHERSTREAM_PORT": "tcp://10.0.0.1:8000",
        "MOTHERSTREAM_PORT_8000_TCP_ADDR": "10.0.0.1",
        "PATH": "/bin",
    }
    assert read(file, "", **environ) == Config()


def test_a_list_that_is_no_json_is_told(file: Path) -> None:
    assert messages(file, "", MOTHERSTREAM_HOOKS__ALLOW="[10.0.0.1") == [
        "hooks.allow: must be JSON, as it begins with ["
    ]


def test_a_long_value_is_told_in_part(file: Path) -> None:
    (problem,) = problems(file, f"[log]\nlevel = '{'x' * 500}'")
    assert len(problem.message) < 150
    assert "…" in problem.message


# -- secrets stay secret


@pytest.mark.parametrize(
    "text",
    [
        "[http]\ntoken = ['{}']",
        "[obs]\npassword = {{ x = '{}' }}",
        "[notify]\nurls = [5, '{}', ['{}']]",
        "[obs]\npasword = '{}'",
        "obs = '{}'",
        "['{}']\nx = 1",
        "[ingest]\nrtmp_url = 'http://h/{{stream}}?key={}'",
        "[ingest]\nsrs_api = 'ftp://user:{}@h'",
        "[queue]\nauth_url = 'ftp://h?token={}'",
        "[http]\ntoken = '{}",
    ],
)
def test_no_mistake_is_told_with_a_secret(file: Path, text: str) -> None:
    if text.startswith("['"):
        text = text.replace("['{}']", "[obs.password]\nx = '{}'")
    with pytest.raises(ConfigError) as caught:
        read(file, text.format(*[CANARY] * 2))
    assert CANARY not in f"{caught.value} {caught.value!r}"
    assert caught.value.__cause__ is None


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


# -- reloading


def test_a_change_is_told_by_what_it_needs(file: Path) -> None:
    old = read(file, "")
    new = read(file, "[queue]\nturn = 60\n[obs]\nport = 4456\n[sources.pipeline]\nleaky = false\n[hooks]\nsecret='x'")
    changes = diff(old, new)
    assert changes.live == ("hooks.secret", "sources.pipeline.leaky", "queue.turn")
    assert changes.restart == ("obs.port",)
    assert diff(old, old) == ((), ())


def test_what_can_change_live_does_and_the_rest_waits(file: Path) -> None:
    old = read(file, "")
    new = read(file, "[queue]\nturn = 60\n[obs]\nport = 4456\n[sources.pipeline]\nleaky = false")
    mixed = with_live(old, new)
    assert mixed.queue.turn == 60
    assert not mixed.sources.pipeline.leaky
    assert mixed.obs.port == 4455
    assert diff(mixed, new) == ((), ("obs.port",))


def test_keys_that_are_checked_together_change_together() -> None:
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
        assert len({KEYS[key].live for key in conflict.keys}) == 1, conflict.keys


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Config().http.port = 1


def test_every_section_says_what_it_is_for() -> None:
    assert all(section.__doc__ and section.__doc__.endswith(".") for section, _ in SECTIONS.values())
