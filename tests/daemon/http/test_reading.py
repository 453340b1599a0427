"""From what a client sends to typed values: whatever does not fit is told by its field and what it has to be."""

import asyncio
import json
from typing import Annotated, Any, Literal, NotRequired

import pytest
from aiohttp.test_utils import make_mocked_request
from pydantic import Field
from typing_extensions import TypedDict

from daemon.core.shapes import Name
from daemon.http.errors import ApiError
from daemon.http.reading import JsonBody, Value
from daemon.http.shapes import control
from tests.daemon.http.studio import House


class Part(TypedDict):
    """One inside another."""

    size: int


class Whole(TypedDict):
    """One field of each kind."""

    name: Name
    count: NotRequired[Annotated[int, Field(ge=0, le=1_000_000)]]
    share: NotRequired[Annotated[float, Field(ge=0, le=1)] | None]
    kind: NotRequired[Literal["square", "round"]]
    text: NotRequired[Annotated[str, Field(max_length=8)]]
    flag: NotRequired[bool]
    part: NotRequired[Part]
    parts: NotRequired[list[Part]]


BODY = JsonBody(Whole)


def read(value: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    async def raw(_: object, most: int) -> bytes:
        return json.dumps(value).encode()

    monkeypatch.setattr("daemon.http.reading.read_body", raw)
    request = make_mocked_request("POST", "/", headers={"Content-Type": "application/json"})
    return asyncio.run(BODY.read(request))


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({}, "bad_value", "name is missing: it must be a string of 1 to 256 characters"),
        ({"name": 7}, "bad_value", "name must be a string of 1 to 256 characters"),
        ({"name": ""}, "bad_name", "name: a name must have 1 to 256 printable characters"),
        ({"name": "a\x00b"}, "bad_name", "name: a name must have 1 to 256 printable characters"),
        ({"name": "a", "count": -1}, "bad_value", "count must be a whole number from 0 to 1000000"),
        ({"name": "a", "count": 1.5}, "bad_value", "count must be a whole number from 0 to 1000000"),
        ({"name": "a", "count": "1"}, "bad_value", "count must be a whole number from 0 to 1000000"),
        ({"name": "a", "count": True}, "bad_value", "count must be a whole number from 0 to 1000000"),
        ({"name": "a", "share": 2}, "bad_value", "share must be a number from 0 to 1 or null"),
        ({"name": "a", "share": float("nan")}, "bad_value", "share must be a number from 0 to 1 or null"),
        ({"name": "a", "kind": "oval"}, "bad_value", "kind must be one of: square, round"),
        ({"name": "a", "text": "x" * 9}, "bad_value", "text must be a string of at most 8 characters"),
        ({"name": "a", "flag": 1}, "bad_value", "flag must be true or false"),
        ({"name": "a", "part": []}, "bad_value", "part must be an object"),
        ({"name": "a", "parts": [{"size": "x"}, 7]}, "bad_value", "parts.0.size must be a valid integer"),
        (
            {"text": 7},
            "bad_value",
            "name is missing: it must be a string of 1 to 256 characters; text must be a string of at most 8 "
            "characters",
        ),
    ],
)
def test_what_does_not_fit_is_told_by_its_field(
    given: dict[str, Any], code: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ApiError) as refused:
        read(given, monkeypatch)
    assert (refused.value.status, refused.value.code, str(refused.value)) == (400, code, message)


def test_what_fits_is_read_and_what_is_not_known_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"name": "DJ Ötzi", "count": 3, "share": None, "kind": "round", "part": {"size": 1}, "new": "later"}
    assert read(given, monkeypatch) == {key: value for key, value in given.items() if key != "new"}


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Annotated[int, Field(ge=0)], "+7", 7),
        (Annotated[float, Field(ge=0)], "7", 7.0),
        (Annotated[float, Field(ge=0)], "1.5e1", 15.0),
        (bool, "YES", True),
        (bool, "", False),
        (Name, "7", "7"),
    ],
)
def test_a_value_in_the_url_is_of_its_type(shape: Any, text: str, value: object) -> None:
    assert Value(shape).read(text, "it") == value


@pytest.mark.parametrize(
    ("shape", "text", "message"),
    [
        (int, None, "it must be a whole number"),
        (Annotated[int, Field(ge=1)], "0", "it must be a whole number at least 1"),
        (Annotated[float, Field(le=0.5)], "1", "it must be a number at most 0.5"),
        (int, "1_0", "it must be a whole number"),
        (int, "\N{ARABIC-INDIC DIGIT ONE}", "it must be a whole number"),
        (bool, "maybe", "it must be true or false"),
    ],
)
def test_a_value_that_cannot_be_is_told(shape: Any, text: str | None, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        Value(shape).read(text, "it")
    assert (refused.value.code, str(refused.value)) == ("bad_value", message)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/sign-in", control.SignInBody),
        ("/measurements", control.Measurement),
        ("/debug/test-dynamic-source-switch", control.TestBody),
    ],
)
async def test_every_body_is_read_by_the_type_that_describes_it(path: str, shape: Any, house: House) -> None:
    """Each required field is asked for, and what was sent, which may be a secret, is never repeated."""
    for field in shape.__required_keys__:
        status, answer = await house.post(path, json={key: ["s3cret"] for key in shape.__required_keys__ - {field}})
        assert (status, answer["error"]["code"]) == (400, "bad_value")
        assert f"{field} is missing: it must be " in answer["error"]["message"]
        assert "s3cret" not in str(answer)
