from pathlib import Path

import pytest

from daemon.config.loader import ConfigError, load
from daemon.config.model import HOOKS_NEED_SECRET, Config
from tests.daemon.config.config_files import messages, problems, read

CANARY = "c4n4ry-K3Y_77"
A_FILE = "must be the path of a file, such as /var/lib/motherstream/motherstream.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "motherstream.toml"


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
        (
            "[sources]\nprefix = 'CH1'",
            'sources.prefix: is "CH1", must not end in a digit, because a number follows it: use CH1_',
        ),
        ("[sources]\nprefix = ''", 'sources.prefix: is "", must be 1 to 64 of the characters A-Z a-z 0-9 _ -'),
        (
            "[hooks]\nallow = ['10.0.0.1/8']",
            'hooks.allow: is "10.0.0.1/8", must be an address or a network such as 10.0.0.0/8 or ::1/128'
            " (has host bits set)",
        ),
        ("[hooks]\nallow = '10.0.0.0/8'", 'hooks.allow: is "10.0.0.0/8", must be a list of strings'),
        ("[queue]\nturn = 0", "queue.turn: is 0, must be a number from 1 to 604800"),
        ("[queue]\nafter_turn = 'drop'", 'queue.after_turn: is "drop", must be requeue or kick'),
        (
            "[ingest]\nsrs_api = 'ftp://h'",
            'ingest.srs_api: is "ftp://h", must be http://HOST:PORT/… or https://…, or empty for none',
        ),
        (
            "[overlays]\nnext_template = 'Next: {nxet}'",
            'overlays.next_template: is "Next: {nxet}", {nxet} is not one of {on_air}, {next}, {remaining}, {queue}',
        ),
        ("[store]\npath = 5", "store.path: is 5, must be text"),
        ("[store]\npath = ''", f'store.path: is "", {A_FILE}'),
        ("[store]\npath = '/'", f'store.path: is "/", {A_FILE}'),
        ("[store]\npath = 'data/..'", f'store.path: is "data/..", {A_FILE}'),
        ("[store]\npath = ':memory:'", f'store.path: is ":memory:", {A_FILE}'),
        ("[store]\npath = 'file:m.db?mode=ro'", f'store.path: is "file:m.db?mode=***", {A_FILE}'),
        (
            "[store]\npath = '~/m.db'",
            'store.path: is "~/m.db", must not begin with ~, which only a shell knows: write the folder out',
        ),
        (
            '[log]\nfile = "a\\u0000b"',
            'log.file: is "a\\u0000b", must not contain control characters',
        ),
        (
            '[health]\nreport_dir = "a\\nb"',
            'health.report_dir: is "a\\nb", must not contain control characters',
        ),
        (
            "[http]\ntoken = ' '\n[hooks]\nsecret = 's'",
            "http.token: must not begin or end with a blank or contain control characters: no header can carry it",
        ),
        (
            '[http]\ntoken = "a\\nb"\n[hooks]\nsecret = "s"',
            "http.token: must not begin or end with a blank or contain control characters: no header can carry it",
        ),
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
        ("rtmp://h/{{stream}}", "may only have the characters"),
        ("rtmp://h/{stream} ! filesink", "may only have the characters"),
        ('rtmp://h/{stream}"', "may only have the characters"),
        ("rtmp://u:p@h/{stream}", "may only have the characters"),
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
        ("[http]\nhost = '0.0.0.0'", "http.token: is required if http.host is not loopback (it is 0.0.0.0)"),
        ("[http]\nhost = '::'", "http.token: is required if http.host is not loopback (it is ::)"),
        ("[http]\nhost = 'studio'", "http.token: is required if http.host is not loopback (it is studio)"),
        ("[http]\ntoken = 't'", f"hooks.secret: {HOOKS_NEED_SECRET}"),
        (
            "[http]\npublic_url = 'https://show.example'",
            "http.token: is required if http.public_url is not this machine's own",
        ),
        ("[health]\nlow_bitrate_slate = 20", "health.low_bitrate_slate: needs obs.slate, the scene item to be shown"),
        ("[quality]\nsilence = 20", "quality.silence: needs obs.slate, the scene item to be shown"),
        (
            "[http]\ntoken = 't'\n[hooks]\nsecret = 's'\n[probe]\nenabled = 'on'",
            "probe.token: is required if http.token is set: make one (openssl rand -hex 24), and give it to the probe",
        ),
        (
            "[http]\ntoken = 't'\n[hooks]\nsecret = 's'\n[probe]\ntoken = 't'",
            "probe.token: must not be http.token: with that the probe could do everything",
        ),
        (
            "[http]\ntoken = 't'\n[hooks]\nsecret = 's'\n[probe]\ntoken = 's'",
            "probe.token: must not be hooks.secret: make another one",
        ),
        ("[queue]\nauth = 'http'", "queue.auth_url: is required if queue.auth is http"),
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
            "[overlays]\ntimer = 'GMOTHERSTREAM_1'",
            "overlays.timer: is 'GMOTHERSTREAM_1', must not look like an input that is made and removed"
            " (GMOTHERSTREAM_NUMBER)",
        ),
        ("[obs]\nslate = 'MOTHERSTREAM'", "obs.slate: is obs.scene itself, must be an item in it"),
        ("[obs]\nscene = 'A'\n[overlays]\ntimer = 'A'", "overlays.timer: is obs.scene itself, must be an item in it"),
        (
            "[http]\nport = 4455",
            "obs.port: has the port of http.port, 4455, where the daemon itself listens",
        ),
        (
            "[http]\nport = 1935",
            "ingest.rtmp_url: has the port of http.port, 1935, where the daemon itself listens",
        ),
        (
            "[ingest]\nsrs_api = 'http://localhost:8000'",
            "ingest.srs_api: has the port of http.port, 8000, where the daemon itself listens",
        ),
        (
            "[http]\nhost = '0.0.0.0'\nport = 80\ntoken = 't'\n[hooks]\nsecret = 's'\n"
            "[queue]\nauth_url = 'http://127.0.0.1/auth'",
            "queue.auth_url: has the port of http.port, 80, where the daemon itself listens",
        ),
        (
            "[sources.pipeline]\nvideo_queue_time = 0",
            "sources.pipeline.video_queue_time: must be above 0 where sources.pipeline.video_queue_buffers is 0",
        ),
    ],
)
def test_keys_that_do_not_go_together_are_told(file: Path, text: str, message: str) -> None:
    assert messages(file, text) == [message]


@pytest.mark.parametrize(
    "text",
    [
        "[http]\nport = 4455\n[obs]\nhost = '10.0.0.2'",
        "[http]\nhost = '10.0.0.1'\nport = 4455\ntoken = 't'\n[hooks]\nsecret = 's'",
    ],
)
def test_another_machine_s_port_may_be_the_same(file: Path, text: str) -> None:
    assert read(file, text).http.port == 4455


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_token(file: Path, host: str) -> None:
    assert read(file, f"[http]\nhost = '{host}'").http.host == host


def test_a_client_command_needs_the_token_alone(file: Path) -> None:
    file.write_text("[http]\ntoken = 't'")
    assert load(file, {}, client=True).http.token.get_secret_value() == "t"
    with pytest.raises(ConfigError, match=r"hooks\.secret"):
        load(file, {})


@pytest.mark.parametrize("url", ["https://show.example", "https://show.example:8443/live/", "http://127.0.0.1/x", ""])
def test_a_public_url_may_be(file: Path, url: str) -> None:
    text = f"[http]\npublic_url = '{url}'\ntoken = 't'\n[hooks]\nsecret = 's'"
    assert read(file, text).http.public_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["show.example", "ftp://h", "https://", "https://h/?a", "https://h/#a", 'https://h/"><x', "https://u:p@h/"]
)
def test_a_public_url_may_not_be(file: Path, url: str) -> None:
    (message,) = messages(file, f"[http]\npublic_url = '{url}'")
    assert message.startswith("http.public_url: is ")


def test_a_token_from_anywhere_opens_the_door(file: Path) -> None:
    config = read(file, "[http]\nhost = '0.0.0.0'\n[hooks]\nsecret = 's'", MOTHERSTREAM_HTTP__TOKEN=CANARY)
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
    assert "  MOTHERSTREAM_OBS__PORRT: is not a setting; did you mean MOTHERSTREAM_OBS__PORT?" in lines
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
    assert problem.message.startswith("is not a setting")
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
