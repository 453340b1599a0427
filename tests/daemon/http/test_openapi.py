"""The description of the API: whole, well formed, and true of who may do what."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from pydantic import SecretStr

from daemon.config.model import Hooks
from daemon.http.app import build_app
from daemon.http.openapi.document import document
from daemon.http.openapi.events import EVENTS
from statemachine import facts
from tests.daemon.http.described import Description
from tests.daemon.http.studio import config, make_control, make_house, open_house

DESCRIPTION = Description()
HOOK = "/hooks/nginx-rtmp"
PARTS = {"name": "alice", "input": "GMOTHERSTREAM_1", "seconds": "60", "file": "main.js"}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


async def test_every_route_is_described_and_every_description_is_served() -> None:
    app, _ = build_app(make_control(make_house()))
    served = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    described = {tuple(operation.split(" ")) for operation in DESCRIPTION.operations}
    # As the document's own text says.
    heads = {("HEAD", path) for method, path in described if method == "GET" and path not in ("/events", HOOK)}
    assert served == described | heads


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("secret", [True, False])
def test_the_document_is_openapi(token: bool, secret: bool) -> None:
    described = document(token=token, secret=secret)
    assert described["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(described).validate()


def test_all_that_is_referred_to_is_there_and_all_that_is_there_is_referred_to() -> None:
    referred = {node["$ref"] for node in nodes(DESCRIPTION.document) if "$ref" in node}
    components = DESCRIPTION.document["components"]
    there = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in components[kind]}
    # Those of the events are named in the text alone: OpenAPI has no word for a stream's parts.
    events = {f"#/components/schemas/event.{kind}" for kind in EVENTS}
    assert referred | events == there


def test_operations_are_told_apart_and_sorted_under_headings() -> None:
    described = DESCRIPTION.operations.values()
    assert [name for name, count in Counter(each["operationId"] for each in described).items() if count > 1] == []
    assert {tag for each in described for tag in each["tags"]} == {tag["name"] for tag in DESCRIPTION.document["tags"]}
    assert all(each["summary"] for each in described)


@pytest.mark.parametrize("operation", DESCRIPTION.operations)
def test_the_parts_of_a_path_are_its_parameters(operation: str) -> None:
    parameters = DESCRIPTION.operations[operation].get("parameters", [])
    declared = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
    assert declared == re.findall(r"{(\w+)}", operation)


@pytest.mark.parametrize("operation", DESCRIPTION.operations)
def test_every_error_has_the_one_form(operation: str) -> None:
    for status in map(int, DESCRIPTION.operations[operation]["responses"]):
        if status >= 400 and (operation, status) not in (
            ("GET /healthz", 503),
            ("GET /readyz", 503),
            ("GET /owner", 503),
        ):
            (content,) = DESCRIPTION.response(operation, status)["content"].items()
            assert content[0] == "application/json"
            assert content[1]["schema"]["$ref"] == "#/components/schemas/Error"


def test_every_fact_is_described_as_an_event() -> None:
    told = {
        name
        for name, each in vars(facts).items()
        if isinstance(each, type) and issubclass(each, facts.Fact) and each is not facts.Fact
    }
    kinds = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in told - {"EventIgnored"}}
    assert set(EVENTS) == kinds | {"hello", "health_changed"}


@pytest.mark.parametrize(("token", "secret"), [("", ""), ("t0ken", ""), ("", "s3cret"), ("t0ken", "s3cret")])
async def test_what_is_served_tells_whether_this_daemon_asks_for_a_token(token: str, secret: str) -> None:
    async with open_house(config(token, hooks=Hooks(secret=SecretStr(secret)))) as house:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, served = await house.get("/openapi.json", headers=headers)
    assert status == 200
    assert served == json.loads(json.dumps(document(token=bool(token), secret=bool(secret))))
    assert ({} in served["paths"]["/status"]["get"]["security"]) == (not token)
    assert ({} in served["paths"]["/hooks/srs"]["post"]["security"]) == (not secret)
    assert "t0ken" not in str(served)
    assert "s3cret" not in str(served)


def test_the_operations_that_need_a_token_are_those_that_say_so() -> None:
    """Against a list written by hand: what is open to everybody must not grow by itself."""
    described = Description(document(token=True, secret=True)).operations
    assert {name for name, operation in described.items() if not operation["security"]} == {
        "GET /",
        "GET /dashboard/{file}",
        "GET /healthz",
        "GET /owner",  # for a proxy that chooses between two daemons
        "GET /readyz",
        "GET /sign-in",
        "GET /timer-data",  # seconds, which the show itself shows
        "POST /sign-in",
        "POST /sign-out",
    }


@pytest.mark.parametrize("operation", DESCRIPTION.operations)
async def test_who_gives_no_token_gets_as_far_as_is_described(operation: str) -> None:
    needs = Description(document(token=True, secret=True)).operations[operation]["security"]
    method, path = operation.split(" ")
    async with (
        open_house(config("t0ken", hooks=Hooks(secret=SecretStr("s3cret")))) as house,
        house.client.request(method, path.format_map(PARTS)) as response,
    ):
        if {"secret": []} in needs:
            assert response.status in (401, 403)
            assert (await response.json())["error"]["code"] == "wrong_secret"
        elif {"peer": []} in needs:
            assert response.status == 403
            assert (await response.json())["error"]["code"] == "not_a_peer"
        else:
            assert (response.status == 401) == bool(needs)
            assert ("WWW-Authenticate" in response.headers) == bool(needs)
