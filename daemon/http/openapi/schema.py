"""JSON Schema (2020-12, which OpenAPI 3.1 speaks) of the API's types, by pydantic."""

import ast
import inspect
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Schema = dict[str, Any]

TEMPLATE: Final = "#/components/schemas/{model}"


def schemas(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each, in their order, and those that they refer to, by name."""
    adapters = [TypeAdapter[Any](each) for each in types]
    found, more = TypeAdapter.json_schemas(
        [(number, "serialization", adapter) for number, adapter in enumerate(adapters)],
        ref_template=TEMPLATE,
        schema_generator=_Generator,
    )
    named: dict[str, Schema] = more.get("$defs", {})
    return [found[number, "serialization"] for number in range(len(adapters))], named


class _Generator(GenerateJsonSchema):
    """Without titles, which would say each name twice, and with the docstrings of fields as descriptions."""

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        found = super().generate_inner(schema)
        found.pop("title", None)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        found = super().typed_dict_schema(schema)
        found.pop("title", None)
        for name, text in docstrings(schema["cls"]).items():
            found["properties"][name]["description"] = text
        return found

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Briefly where that can be: one type more."""
        found = super().nullable_schema(schema)
        inner, *others = found.get("anyOf", [found])
        is_brief = isinstance(inner.get("type"), str) and not inner.keys() & {"enum", "const"}
        if others != [{"type": "null"}] or not is_brief:
            return found
        return {**inner, "type": [inner["type"], "null"]}


def docstrings(shape: type) -> dict[str, str]:
    """What stands below each field of a TypedDict, and of those that it is made of."""
    found: dict[str, str] = {}
    for base in getattr(shape, "__orig_bases__", ()):
        if hasattr(base, "__total__"):
            found |= docstrings(base)
    module = inspect.getmodule(shape)
    return found | (in_module(module).get(shape.__name__, {}) if module else {})


@cache
def in_module(module: ModuleType) -> dict[str, dict[str, str]]:
    """pydantic can read these as well, but does so anew for each class, which takes a second before Python 3.13."""
    found: dict[str, dict[str, str]] = {}
    try:
        source = inspect.getsource(module)
    except OSError:
        # Installed without its sources: the document has fewer words then.
        return found
    for shape in ast.parse(source).body:
        if isinstance(shape, ast.ClassDef):
            found[shape.name] = {
                field.target.id: " ".join(text.value.value.split())
                for field, text in zip(shape.body, shape.body[1:], strict=False)
                if isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return found
