import re
import shlex
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from daemon.config.model import Config
from daemon.ingest.hook import Unpublish
from daemon.ingest.servers import mediamtx
from daemon.ingest.servers.kinds import SERVERS
from daemon.ingest.stream import NAME
from daemon.studio.ports import free_port
from tests.deploy.support import DEPLOY, done, rewritten, run

HOOKS = {server.name: server.path for server in SERVERS}
FILES = {"srs": "srs.conf", "nginx-rtmp": "nginx-rtmp.conf", "mediamtx": "mediamtx.yml"}


@pytest.mark.parametrize("server", FILES)
def test_every_hook_goes_to_the_daemon_with_the_secret(server: str) -> None:
    text = re.sub(r"#.*", "", (DEPLOY / FILES[server]).read_text())
    urls = [urlsplit(url) for url in re.findall(r"http://[^\s;\"']+/hooks/[^\s;\"']+", text)]
    assert len(urls) == 2, "one for the begin of a stream, one for its end"
    for url in urls:
        assert (url.hostname, url.port, url.path) == ("127.0.0.1", Config().http.port, HOOKS[server])
        assert parse_qs(url.query) == {"secret": ["CHANGE-ME"]}


class Block(dict[str, "str | Block"]):
    """A block of SRS's configuration."""


def read_srs(path: Path) -> Block:
    """SRS's configuration; a line that is no directive and no block fails."""
    root = Block()
    stack = [root]
    for line in path.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if found := re.fullmatch(r"([\w ]+?)\s*\{", text):
            stack[-1][found[1]] = block = Block()
            stack.append(block)
        elif text == "}":
            stack.pop()
        elif text:
            directive = re.fullmatch(r"(\w+)\s+(.+);", text)
            assert directive, line
            stack[-1][directive[1]] = directive[2]
    assert stack == [root], "a block is not closed"
    return root


def test_srs_sends_a_new_player_its_gop_and_soon_misses_a_dead_publisher() -> None:
    vhost = read_srs(DEPLOY / "srs.conf")["vhost __defaultVhost__"]
    assert isinstance(vhost, Block)
    play, publish, hooks = vhost["play"], vhost["publish"], vhost["http_hooks"]
    assert isinstance(play, Block)
    assert isinstance(publish, Block)
    assert isinstance(hooks, Block)
    assert play["gop_cache"] == "on"
    assert publish["firstpkt_timeout"] == "5000"
    assert publish["normal_timeout"] == "2000"
    # Milliseconds: the streamer's return has to be possible while the place is kept.
    assert float(publish["normal_timeout"]) / 1000 < Config().queue.reconnect_grace
    assert hooks["enabled"] == "on"
    assert hooks.keys() >= {"on_publish", "on_unpublish"}


def test_srs_offers_its_api_to_this_machine_alone() -> None:
    api = read_srs(DEPLOY / "srs.conf")["http_api"]
    assert api == {"enabled": "on", "listen": "127.0.0.1:1985"}


def test_what_the_page_tells_to_add_to_srs_stands_in_its_configuration() -> None:
    """Which was tried with SRS itself; the page's lines for SRT and WebRTC are there as comments."""
    page = (DEPLOY.parent / "docs/ingest.md").read_text()
    section = page.partition("## SRS 4 to 7\n")[2].partition("\n## ")[0]
    told = re.findall(r"^```\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert len(told) == 3
    text = re.sub(r"[\s#]+", " ", (DEPLOY / "srs.conf").read_text())
    for statement in re.findall(r"[^\s{};][^{};]*(?=[;{])", " ".join(told)):
        assert " ".join(statement.split()) in text, statement
    for line in "".join(told[1:]).splitlines():
        assert " ".join(line.split()) in text, line


def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    module = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
    # A test of the configuration opens its ports: another nginx here may have the usual one.
    rewritten(DEPLOY / "nginx-rtmp.conf", tmp_path / "rtmp.conf", {"listen 1935;": f"listen 127.0.0.1:{free_port()};"})
    main = tmp_path / "nginx.conf"
    main.write_text(f"load_module {module}; pid {tmp_path}/nginx.pid; events {{ }}\ninclude {tmp_path}/rtmp.conf;\n")
    result = run("nginx", "-t", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", main)
    done(result)
    assert "syntax is ok" in result.stderr
    assert "[warn]" not in result.stderr


def test_nginx_drops_a_silent_publisher_while_its_place_is_kept() -> None:
    found = re.search(r"drop_idle_publisher (\d+)s;", (DEPLOY / "nginx-rtmp.conf").read_text())
    assert found
    assert int(found[1]) < Config().queue.reconnect_grace


def test_mediamtx_asks_the_daemon_about_everybody_who_publishes_or_reads() -> None:
    config = yaml.safe_load((DEPLOY / "mediamtx.yml").read_text())
    assert config["authMethod"] == "http"
    assert {rule["action"] for rule in config["authHTTPExclude"]} <= {"metrics", "pprof"}
    assert config["pathDefaults"]["overridePublisher"] is False
    (path,) = config["paths"]
    pattern = re.compile(path.removeprefix("~"))
    assert pattern.fullmatch("live/alice")
    assert not pattern.fullmatch("alice")
    assert NAME.pattern.startswith("[A-Za-z0-9_-]"), "the pattern allows what the daemon allows"


def test_what_mediamtx_posts_at_a_streams_end_is_understood() -> None:
    command = yaml.safe_load((DEPLOY / "mediamtx.yml").read_text())["pathDefaults"]["runOnNotReady"]
    arguments = shlex.split(command)
    # MediaMTX puts the variables in after it has taken the command apart, within quotes too.
    body = arguments[arguments.index("--data") + 1].replace("$MTX_PATH", "live/alice").replace("$MTX_SOURCE_ID", "id-1")
    hook = mediamtx.parse(body.encode())
    assert isinstance(hook, Unpublish)
    assert (hook.ref.path, hook.ref.client_id) == ("live/alice", "id-1")


def test_no_page_tells_to_reload_an_nginx_that_has_publishers() -> None:
    """They stay with the old worker, and OBS, which connects anew for each hand-over, reaches the new one."""
    for page in (*(DEPLOY.parent / "docs").rglob("*.md"), *DEPLOY.rglob("*"), DEPLOY.parent / "README.md"):
        if page.is_file():
            text = page.read_text(errors="replace")
            assert not re.search(r"reload nginx|nginx -s reload", text), page
