"""The words that shapes are described with: JSON Schema (2020-12, which OpenAPI 3.1 speaks), said briefly."""

from typing import Any, Final

Schema = dict[str, Any]


def string(description: str = "", **more: Any) -> Schema:
    """A text."""
    return typed("string", description, more)


def whole(description: str = "", **more: Any) -> Schema:
    """A whole number."""
    return typed("integer", description, more)


def number(description: str = "", **more: Any) -> Schema:
    """A number, with or without a fraction."""
    return typed("number", description, more)


def truth(description: str = "") -> Schema:
    """True or false."""
    return typed("boolean", description, {})


def array(items: Schema, description: str = "") -> Schema:
    """Any number of them."""
    return typed("array", description, {"items": items})


def ref(name: str) -> Schema:
    """One of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """That, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def record(properties: dict[str, Schema], description: str = "", *, optional: tuple[str, ...] = ()) -> Schema:
    """An object. All of its properties are there but the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    return typed("object", description, {"properties": properties, "required": required})


def done(**properties: Schema) -> Schema:
    """The answer to a request that was carried out."""
    return record({"status": SUCCESS, "message": string("For people."), **properties})


def typed(kind: str, description: str, more: dict[str, Any]) -> Schema:
    """Of that JSON type."""
    described = {"description": description} if description else {}
    return {"type": kind, **described, **more}


def one_of(*values: str, description: str = "") -> Schema:
    """One of these texts."""
    return string(description, enum=list(values))


SUCCESS: Final = string(const="success")
MOMENT: Final = string(format="date-time", examples=["2026-01-01T20:00:00Z"])
SECONDS: Final = number("Seconds.", minimum=0)
STREAMER: Final = string("A streamer's name.")
