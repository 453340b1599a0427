"""The dashboard's files and the two routes that it alone needs; what people do on it is tested in a browser."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from daemon.core.ports import ObsGone, ObsRefused
from daemon.health.issues import BY_NAME
from daemon.http.routes.dashboard import FOLDER, FRESH, TYPES, Thumbnails, page_words, states
from daemon.observability import wording as watch_words
from daemon.observability.wording_lineup import PLACES
from statemachine import facts
from statemachine.handover.states import State
from statemachine.handover.table import TRANSITIONS
from tests.daemon.http.dashboard_backend import PICTURE, Backend
from tests.support import until

TOKEN = "correct horse"


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as made:
        yield made


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


def names() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir())


# --- the files -----------------------------------------------------------------------------------------------


async def test_the_page_lets_in_nothing_but_its_own(backend: Backend, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{backend.url}/") as answer:
        headers = answer.headers
        assert answer.status == 200
        assert (await answer.text()).startswith("<!doctype html>")
    assert answer.content_type == "text/html"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "ETag" not in headers


@pytest.mark.parametrize("name", names())
async def test_a_file_that_has_not_changed_is_not_sent_again(
    backend: Backend, client: aiohttp.ClientSession, name: str
) -> None:
    url = f"{backend.url}/dashboard/{name}"
    async with client.get(url) as answer:
        assert answer.status == 200
        assert await answer.read() == (FOLDER / name).read_bytes()
        assert answer.content_type == TYPES[(FOLDER / name).suffix]
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        etag = answer.headers.get("ETag")
    if name.endswith(".html"):
        assert etag is None
        return
    assert etag is not None
    async with client.get(url, headers={"If-None-Match": f'"other", W/{etag}'}) as answer:
        assert answer.status == 304
        assert answer.headers["ETag"] == etag
        assert await answer.read() == b""
    async with client.get(url, headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fauth.py", "..%2F..%2Fapp.py", "%00", "index.html%2F"])
async def test_there_are_no_other_files(backend: Backend, client: aiohttp.ClientSession, name: str) -> None:
    async with client.get(f"{backend.url}/dashboard/{name}") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == "not_found"


def test_every_file_that_is_named_is_there() -> None:
    page = (FOLDER / "index.html").read_text()
    named = set(re.findall(r'(?:src|href)="dashboard/([^"]+)"', page))
    named |= set(re.findall(r'(?:src|href)="([^"/]+)"', (FOLDER / "fleet.html").read_text()))
    for name in names():
        if name.endswith(".js"):
            named |= set(re.findall(r'from "\./([^"]+)"', (FOLDER / name).read_text()))
    assert named | {"index.html", "fleet.html"} == {*names(), "wording.js"}


def test_the_page_holds_no_script_and_no_style_and_names_no_other_host() -> None:
    for page in FOLDER.glob("*.html"):
        assert re.findall(r"\son\w+=|\sstyle=|<style|<script>|javascript:", page.read_text()) == []
    for name in names():
        text = (FOLDER / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text) == []


def test_every_label_names_a_field_and_every_id_that_is_used_exists() -> None:
    for page, scripts in (("index.html", {*names()} - {"fleet.js"}), ("fleet.html", {"fleet.js"})):
        text = (FOLDER / page).read_text()
        ids = re.findall(r'\sid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        used = set(re.findall(r'\s(?:for|aria-labelledby|aria-describedby)="([^"]+)"', text))
        for name in scripts:
            used |= set(re.findall(r'\$\("([^"]+)"\)', (FOLDER / name).read_text()))
        assert used <= set(ids)


def test_the_page_says_of_each_issue_and_of_each_check_what_it_means() -> None:
    words: dict[str, Any] = page_words()
    assert words["CHECKS"].keys() == {"obs", "program", "journal", "keys", "ingest", "store", "heir", "probe"}
    assert all(words["CHECKS"].values())
    # That OBS is not reached is a check as well.
    assert [issue for issue, advice in words["ISSUES"].items() if not advice] == ["obs_unreachable"]
    assert words["ISSUES"].keys() == BY_NAME.keys()
    assert "const ISSUES" not in (FOLDER / "health.js").read_text(), "sentences of its own"


async def test_the_page_and_the_terminal_have_the_same_words_for_the_line_up_and_know_the_same_events(
    backend: Backend, client: aiohttp.ClientSession
) -> None:
    async with client.get(f"{backend.url}/dashboard/wording.js") as answer:
        assert (answer.status, answer.content_type) == (200, "text/javascript")
        served = dict(re.findall(r"^export const (\w+) = (.*);$", await answer.text(), re.MULTILINE))
    assert {name: json.loads(text) for name, text in served.items()} == json.loads(json.dumps(page_words()))
    told = {watch_words.kind_of(fact) for fact in facts.Fact.__subclasses__()}
    assert {kind for kind, *_ in json.loads(served["EVENTS"])} == told - {"event_ignored"} | {"health_changed"}
    assert 'case "' not in (FOLDER / "log.js").read_text(), "a sentence of its own"


def test_the_page_writes_values_in_every_form_that_a_sentence_names() -> None:
    (forms,) = re.findall(r"^const FORMS = {\n(.*?)^};", (FOLDER / "log.js").read_text(), re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^  (\w+)[:,]", forms, re.MULTILINE)) == watch_words.FORMS.keys()
    used = {form for each in (*watch_words.EVENTS, *PLACES) for form in re.findall(r":(\w+)\}", each.text)}
    assert used <= watch_words.FORMS.keys()


async def test_the_page_and_its_files_need_no_token_and_what_they_show_does(client: aiohttp.ClientSession) -> None:
    with Backend(TOKEN) as backend:
        for path, status in (("/", 200), ("/dashboard/main.js", 200), ("/states", 401), ("/thumbnail", 401)):
            async with client.get(f"{backend.url}{path}") as answer:
                assert (path, answer.status) == (path, status)
        async with client.get(f"{backend.url}/states", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == 200


# --- the states ----------------------------------------------------------------------------------------------


async def test_the_states_are_the_tables(backend: Backend, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{backend.url}/states") as answer:
        assert await answer.json() == states()
    told = states()
    assert told["states"] == [state.value for state in State]
    rows = told["transitions"]
    assert isinstance(rows, list)
    assert len(rows) == len(TRANSITIONS)
    assert {
        "from": "BUFFERING",
        "event": "MediaReady",
        "to": "SWAPPING",
        "when": "is due",
        "meaning": "cut or fade",
    } in rows


# --- the picture ---------------------------------------------------------------------------------------------


async def test_all_who_look_at_once_share_one_picture(
    backend: Backend, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.http.routes.dashboard.FRESH", 3600.0)  # at once, however busy the machine is

    async def look() -> tuple[int, str, str, bytes]:
        async with client.get(f"{backend.url}/thumbnail") as answer:
            return answer.status, answer.content_type, answer.headers["Cache-Control"], await answer.read()

    answers = await asyncio.gather(*(look() for _ in range(20)))
    assert set(answers) == {(200, "image/jpeg", "no-store", PICTURE)}
    assert backend.studio.shots == [640]


async def test_a_large_picture_is_for_walls(backend: Backend, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{backend.url}/thumbnail?size=large") as answer:
        assert answer.status == 200
    assert backend.studio.shots == [1280]
    async with client.get(f"{backend.url}/thumbnail?size=9999") as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == "bad_value"
    assert backend.studio.shots == [1280]


async def test_there_is_no_picture_while_obs_is_away(backend: Backend, client: aiohttp.ClientSession) -> None:
    backend.obs_lost()
    async with client.get(f"{backend.url}/thumbnail") as answer:
        assert answer.status == 503
        assert (await answer.json())["error"]["code"] == "obs_gone"


async def test_there_is_no_picture_where_obs_renders_none(backend: Backend, client: aiohttp.ClientSession) -> None:
    backend.studio.picture = None
    async with client.get(f"{backend.url}/thumbnail") as answer:
        assert answer.status == 503
        assert (await answer.json())["error"]["code"] == "no_picture"


class Camera:
    """Takes numbered pictures, when it is let."""

    def __init__(self) -> None:
        self.now = 100.0
        self.shots = 0
        self.error: ObsGone | ObsRefused | None = None
        self.let = asyncio.Event()
        self.let.set()
        self.thumbnails = Thumbnails(self._shoot, lambda: self.now)

    async def _shoot(self, width: int) -> bytes | None:
        self.shots += 1
        await self.let.wait()
        if self.error:
            raise self.error
        return b"%d of %d" % (self.shots, width)


async def test_a_picture_is_kept_for_a_second_and_not_longer() -> None:
    camera = Camera()
    assert await camera.thumbnails.take(640) == b"1 of 640"
    camera.now += FRESH - 0.01
    assert await camera.thumbnails.take(640) == b"1 of 640"
    assert await camera.thumbnails.take(1280) == b"2 of 1280"
    camera.now += 0.01
    assert await camera.thumbnails.take(640) == b"3 of 640"


async def test_a_refusal_is_kept_as_long_as_a_picture() -> None:
    camera = Camera()
    camera.error = ObsRefused("GetSourceScreenshot", 702, "cannot render")
    for _ in range(3):
        with pytest.raises(ObsRefused, match="cannot render"):
            await camera.thumbnails.take(640)
    assert camera.shots == 1
    camera.error = None
    camera.now += FRESH
    assert await camera.thumbnails.take(640) == b"2 of 640"


async def test_one_who_leaves_does_not_take_the_picture_from_the_others() -> None:
    camera = Camera()
    camera.let.clear()
    leaving = asyncio.create_task(camera.thumbnails.take(640))
    staying = asyncio.create_task(camera.thumbnails.take(640))
    await until(lambda: camera.shots > 0)
    leaving.cancel()
    camera.let.set()
    assert await staying == b"1 of 640"
    assert camera.shots == 1
