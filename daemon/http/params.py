"""What the control routes have in common: who asks, reading a request's values, saying that it is done."""

import json
import re
from typing import Any, Final

from aiohttp import web

from daemon.core.shapes import LONGEST_NAME
from daemon.http.auth import ACTOR
from daemon.http.errors import ApiError
from daemon.http.limits import read_body
from statemachine.events import Actor

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?")


def actor(_: web.Request) -> Actor:
    """Who asks: whom the guard let pass."""
    return ACTOR.get()


def done(message: str, **fields: object) -> web.Response:
    """The answer to a request that was carried out."""
    return web.json_response({"status": "success", "message": message, **fields})


def name_in(request: web.Request, part: str) -> str:
    """A name in the path. Raises ApiError."""
    return checked_name(request.match_info[part])


def checked_name(name: str) -> str:
    """The name, if it can be one. Raises ApiError."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ApiError(400, "bad_name", "a name must have 1 to 256 printable characters")
    return name


def parse_int(text: str | None, what: str, least: int, most: int) -> int:
    """A number in the URL. Raises ApiError."""
    message = f"{what} must be a whole number from {least} to {most}"
    # What int() takes besides, such as 1_000, is a mistake rather than a number here.
    if text is None or not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
        raise ApiError(400, "bad_value", message)
    return int(text)


def parse_float(text: str | None, what: str, least: float, most: float) -> float:
    """A number in the URL, with or without a fraction. Raises ApiError."""
    message = f"{what} must be a number from {least:g} to {most:g}"
    if text is None or not _NUMBER.fullmatch(text) or not least <= float(text) <= most:
        raise ApiError(400, "bad_value", message)
    return float(text)


def parse_bool(text: str | None, what: str) -> bool:
    """Yes or no in the URL; no where it is missing. Raises ApiError."""
    match (text or "false").lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ApiError(400, "bad_value", f"{what} must be true or false")


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body, which has to be a JSON object. Raises ApiError."""
    if request.content_type != "application/json":
        raise ApiError(415, "wrong_content_type", "the body must be application/json")
    raw = await read_body(request)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise ApiError(400, "not_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise ApiError(400, "not_an_object", "the body is JSON, but not an object")
    return value


def text_in(body: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text in the body. Raises ApiError."""
    value = body.get(name, default)
    if not isinstance(value, str) or len(value) > 2048:
        raise ApiError(400, "bad_value", f"{name} must be a string")
    return value
