"""From what a client sends to typed values, by the same types that the API's description is made of.

Whatever does not fit is refused with a message that names the field and says what it has to be; it quotes nothing of
what was sent, which may be a secret.
"""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from daemon.http.errors import ApiError
from daemon.http.limits import BODY_BYTES, read_body
from daemon.ingest.hook import JSON

T = TypeVar("T")

NUMBERS: Final = {
    # What int() and float() take besides, such as 1_000, is a mistake rather than a number here.
    "integer": (int, re.compile(r"[+-]?[0-9]{1,20}")),
    "number": (float, re.compile(r"[+-]?([0-9]{1,20}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?")),
}
FLAGS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
    "": False,
}
"""How yes and no are written in a URL."""
OWN_CODES: Final = frozenset({"bad_name"})
"""Types of errors that are the API's codes, with a message of their own."""
KINDS: Final = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


class _Shape:
    """What is read. Its validator is made when it is first used, for that takes a while."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._shape)

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return self._adapter.json_schema()


class JsonBody(_Shape, Generic[T]):
    """A JSON object of a shape."""

    def __init__(self, shape: type[T], most: int = BODY_BYTES) -> None:
        """``most`` is how many bytes it may have."""
        super().__init__(shape)
        self._most = most

    async def read(self, request: web.Request) -> T:
        """Raises ApiError."""
        if request.content_type != JSON:
            raise ApiError(415, "wrong_content_type", "the body must be application/json")
        raw = await read_body(request, self._most)
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            raise ApiError(400, "not_json", "the body is not JSON") from None
        if not isinstance(value, dict):
            raise ApiError(400, "not_an_object", "the body is JSON, but not an object")
        try:
            read: T = self._adapter.validate_python(value, strict=True)
        except ValidationError as error:
            schema = self._schema
            fields = {str(each["loc"][0]): each for each in reversed(_mistakes(error))}
            raise _refusal(
                [
                    _nested(mistake)
                    if len(mistake["loc"]) > 1
                    else (name, mistake, _words(schema["properties"][name], schema.get("$defs", {})))
                    for name, mistake in reversed(fields.items())
                ]
            ) from None
        return read


class Value(_Shape):
    """A value in the URL."""

    def read(self, text: str | None, name: str) -> Any:
        """None stands for one that is missing. Raises ApiError."""
        kind = self._schema.get("type")
        value: object = text
        if text is not None and kind in NUMBERS:
            number, form = NUMBERS[kind]
            value = number(text) if form.fullmatch(text) else text
        elif text is not None and kind == "boolean":
            value = FLAGS.get(text.lower(), text)
        try:
            return self._adapter.validate_python(value, strict=True)
        except ValidationError as error:
            raise _refusal([(name, _mistakes(error)[0], _words(self._schema))]) from None


def _nested(mistake: ErrorDetails) -> tuple[str, ErrorDetails, str]:
    """Of what lies within a field: where, and what it has to be in pydantic's words, which quote nothing."""
    path = ".".join(map(str, mistake["loc"]))
    return path, mistake, mistake["msg"].removeprefix("Input should be ")


def _mistakes(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _refusal(mistakes: list[tuple[str, ErrorDetails, str]]) -> ApiError:
    """Of each field that is wrong: its name, what was found, and what it has to be."""
    messages = []
    for name, mistake, words in mistakes:
        if mistake["type"] in OWN_CODES:
            messages.append(f"{name}: {mistake['msg']}")
        else:
            messages.append(f"{name} {'is missing: it ' if mistake['type'] == 'missing' else ''}must be {words}")
    kind = mistakes[0][1]["type"]
    return ApiError(400, kind if kind in OWN_CODES else "bad_value", "; ".join(messages))


def _words(schema: Mapping[str, Any], defs: Mapping[str, Any] | None = None) -> str:
    """What a value has to be by its JSON schema, such as "a whole number from 0 to 1000"."""
    if reference := schema.get("$ref"):
        return _words((defs or {})[reference.rpartition("/")[2]], defs)
    if alternatives := schema.get("anyOf"):
        return " or ".join(_words(each, defs) for each in alternatives)
    if "const" in schema:
        return str(schema["const"])
    if values := schema.get("enum"):
        return f"one of: {', '.join(map(str, values))}"
    kind = schema["type"]
    if kind == "string":
        least, most = schema.get("minLength"), schema.get("maxLength")
        return KINDS[kind] + (f" of {_bounds(least, most)} characters" if _bounds(least, most) else "")
    least, most = schema.get("minimum"), schema.get("maximum")
    both = least is not None and most is not None
    return " ".join(filter(None, (KINDS[kind], "from" if both else "", _bounds(least, most))))


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"{_plain(least)} to {_plain(most)}"
    if least is not None:
        return f"at least {_plain(least)}"
    return "" if most is None else f"at most {_plain(most)}"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"
