"""No key is told by a daemon that really runs: not a right one, not a wrong one, not after a restart."""

from functools import partial
from pathlib import Path

import pytest

from daemon.ingest.hook import FORM, JSON
from daemon.streamers.store import StreamerStore
from tests.daemon.http.live import Live

WRONG = "this-key-was-mistyped-but-nearly-right"
LOOKS = (
    "/status",
    "/queue",
    "/queue-json",
    "/history",
    "/metrics",
    "/readyz",
    "/obs/list-inputs",
    "/obs/media-input-status/GMOTHERSTREAM_1",
    "/stream-health/current",
    "/stream-health/history",
)


def everything(live: Live) -> str:
    """All that the daemon has said so far, to anybody."""
    said = [live.ask("GET", path).body.decode() for path in LOOKS]
    said += [live.console(), *(path.read_text() for path in live.folder.glob("*.log"))]
    said += [path.read_text(errors="replace") for path in (live.folder / "stream-health").rglob("*") if path.is_file()]
    return "\n".join(said)


def publish(live: Live, server: str, stream: str, query: str, client: str) -> int:
    """A hook as this server sends it; the status of the answer."""
    param = f"?{query}" if query else ""
    of_stream = {"app": "live", "stream": stream, "param": param}
    match server:
        case "srs":
            body: object = {"action": "on_publish", "client_id": client, **of_stream}
        case "oryx":
            body = {"action": "on_publish", "request_id": client, **of_stream}
        case "mediamtx":
            body = {"action": "publish", "id": client, "path": f"live/{stream}", "query": query}
        case _:
            body = f"call=publish&app=live&name={stream}&clientid=7&addr=1.2.3.4&{query}".encode()
    return live.ask("POST", f"/hooks/{server}", body, FORM if isinstance(body, bytes) else JSON).status


def another_is_on_air(live: Live, before: str | None) -> bool:
    return live.on_air() not in (before, None)


@pytest.mark.parametrize(
    "rtmp_url", ["rtmp://127.0.0.1:1935/{app}/{stream}", "rtmp://127.0.0.1:1935/x/live?stream_key={stream_key}"]
)
def test_a_key_is_in_nothing_that_is_told_whichever_way_it_came(tmp_path: Path, rtmp_url: str) -> None:
    store = StreamerStore(tmp_path / "motherstream.db")
    ways = [(server, given) for server in ("srs", "oryx", "nginx-rtmp", "mediamtx") for given in ("name", "argument")]
    keys = {f"{server}-{given}": store.add(f"{server}-{given}") for server, given in ways}
    with Live(tmp_path, queue__auth="keys", ingest__rtmp_url=rtmp_url) as live:
        for server, given in ways:
            name = f"{server}-{given}"
            stream, query = (keys[name], "") if given == "name" else (name, f"key={keys[name]}")
            assert publish(live, server, stream, query, name) == 200
            stream, query = (WRONG, "") if given == "name" else (name, f"key={WRONG}")
            assert publish(live, server, stream, query, f"{name}-2") in (401, 403)
        first = ways[0][0] + "-" + ways[0][1]
        live.until(lambda: live.on_air() == first)
        live.kill()
        live.start_again()
        live.until(lambda: live.on_air() == first)
        shown = set()
        for _ in ways:
            live.until(lambda: (live.get("/status")["standby"] or {}).get("ready"))
            before = live.on_air()
            assert live.ask("POST", "/queue/skip").status == 200
            live.until(partial(another_is_on_air, live, before))
            shown.add(live.on_air())
        assert shown == set(keys), "each was made an input after the restart"
        said = everything(live)
        assert said.count("Creating new GStreamer source") >= 2 * len(ways)  # the log's and the console's
        assert [name for name, key in keys.items() if key in said] == []
        assert WRONG not in said
