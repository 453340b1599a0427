"""The fakes of the ingest servers answer in the shapes of the real ones, as they were recorded."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from daemon.ingest.api import open_client
from tests.daemon.ingest.recordings import NAMES, Recording, load
from tests.fakes.mediamtx import FakeMediaMtx
from tests.fakes.nginx import FakeNginx, Stream
from tests.fakes.srs import FakeSrs


def shape(value: Any) -> Any:
    """Names and types; of a list that of its first."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def answered(recording: Recording, begins: str, method: str = "GET") -> Any:
    found = next(each for each in recording.api if each.method == method and each.path.startswith(begins))
    return json.loads(found.body)


def bodies(recording: Recording, begins: str) -> list[str]:
    return [each.body for each in recording.api if each.method == "GET" and each.path.startswith(begins)]


async def ask(url: str, method: str = "GET") -> Any:
    async with open_client() as http, http.request(method, url, allow_redirects=False) as response:
        return await response.json(content_type=None)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("srs")])
async def test_the_fake_srs_has_the_shapes_of_the_real_one(name: str) -> None:
    recording = load(name)
    hooks = [json.loads(hook.body) for hook in recording.hooks]
    async with FakeSrs() as srs:
        publisher = await srs.publish("live", "ann", "?key=abc")
        assert publisher
        for action in ("on_publish", "on_unpublish"):
            real = next(hook for hook in hooks if hook["action"] == action and hook["tcUrl"].startswith("rtmp:"))
            assert list(srs.hook_body(action, publisher)) == list(real)
            assert shape(srs.hook_body(action, publisher)) == shape(real)
        listed = json.loads(recording.list.body)
        of_rtmp = next(row for row in listed["streams"] if row["tcUrl"].startswith("rtmp:"))
        told = await ask(f"{srs.url}/api/v1/streams/?start=0&count=1000")
        assert shape(told) == shape({**listed, "streams": [of_rtmp]})
        of_client = answered(recording, "/api/v1/clients/")
        assert shape(await ask(f"{srs.url}/api/v1/clients/{publisher.id}")) == shape(of_client)
        gone = answered(recording, "/api/v1/clients/nobody00")
        assert await ask(f"{srs.url}/api/v1/clients/nobody00") == gone == {"code": 2049}
        assert await ask(f"{srs.url}/api/v1/clients/nobody00", "DELETE") == gone
        kicked = next(each for each in recording.api if each.method == "DELETE" and "nobody00" not in each.path)
        assert shape(await ask(f"{srs.url}/api/v1/clients/{publisher.id}", "DELETE")) == shape(json.loads(kicked.body))
        assert shape(await ask(f"{srs.url}/api/v1/versions")) == shape(answered(recording, "/api/v1/versions"))


async def test_the_fake_srs_has_the_shapes_of_the_real_one_for_a_publisher_over_webrtc() -> None:
    recording = load("srs-7.0.18")
    async with FakeSrs() as srs:
        publisher = await srs.publish("live", "erin", "app=live&stream=erin&key=abc")
        assert publisher
        publisher.webrtc = True
        hooks = [json.loads(hook.body) for hook in recording.hooks]
        real = next(hook for hook in hooks if hook["stream"] == "erin")
        assert shape(srs.hook_body("on_publish", publisher)) == shape(real)
        (row,) = (row for row in json.loads(recording.list.body)["streams"] if row["name"] == "erin")
        (told,) = (await ask(f"{srs.url}/api/v1/streams/?start=0&count=1000"))["streams"]
        assert shape(told) == shape(row)
        assert (told["tcUrl"], row["tcUrl"], real["tcUrl"]) == ("", "", "")
        client = (await ask(f"{srs.url}/api/v1/clients/{publisher.id}"))["client"]
        kinds = [
            told["client"]["type"]
            for told in map(json.loads, bodies(recording, "/api/v1/clients/"))
            if "client" in told
        ]
        assert client["type"] in kinds


@pytest.mark.parametrize(("name", "old"), [("mediamtx-1.20.1", False), ("mediamtx-1.11.3", True)])
async def test_the_fake_mediamtx_has_the_shapes_of_the_real_one(name: str, old: bool) -> None:
    recording = load(name)
    async with FakeMediaMtx(old=old) as mtx:
        mtx.paths["live/ann"] = ("rtmpConn", "6c9f2b1e-0f0d-4c0e-9a35-0d6f4d6a7a11", 10)
        real = json.loads(recording.list.body)
        told = await ask(f"{mtx.url}/v3/paths/list?itemsPerPage=1000&page=0")
        assert list(told["items"][0]) == list(real["items"][0])
        assert shape(told) == shape(real)
        assert shape(await ask(f"{mtx.url}/v3/paths/get/live/ann")) == shape(
            answered(recording, "/v3/paths/get/live/ann")
        )
        gone = answered(recording, "/v3/paths/get/live/nobody")
        assert shape(await ask(f"{mtx.url}/v3/paths/get/live/nobody")) == shape(gone)
        if not old:
            always = next(
                told for each in recording.api if '"online":false' in each.body and (told := json.loads(each.body))
            )
            mtx.always.add("live/gus")
            mtx.paths["live/gus"] = ("", "", 10)
            assert shape(await ask(f"{mtx.url}/v3/paths/get/live/gus")) == shape(always)


def elements(document: str) -> set[str]:
    """The path of each element."""

    def walk(element: ElementTree.Element, path: str) -> set[str]:
        here = f"{path}/{element.tag}"
        return {here}.union(*(walk(inner, here) for inner in element))

    return walk(ElementTree.fromstring(document), "")


async def test_the_fake_nginx_writes_the_elements_of_the_real_one() -> None:
    real = load("nginx-rtmp-1.1.4-post")
    async with FakeNginx() as nginx, open_client() as http:
        nginx.streams["live", "alice"] = Stream(2, 60546)
        async with http.get(f"{nginx.url}/stat") as response:
            told = await response.text()
        async with http.get(f"{nginx.url}/control/drop/publisher?app=live&name=nobody&clientid=99") as response:
            nobody = await response.text()
        async with http.get(f"{nginx.url}/control/drop/publisher?app=live&name=alice&clientid=2") as response:
            dropped = await response.text()
    assert elements(told) == elements(real.list.body)
    assert {nobody, dropped} == {each.body for each in real.api if "drop" in each.path}
