"""The document is made of types: what is said of them is said in it, and it costs nothing until it is asked for."""

import subprocess
import sys
from typing import Annotated, Any

import pytest
from pydantic import Field
from typing_extensions import TypedDict

from daemon.core.shapes import Done
from daemon.http.openapi import schema
from daemon.http.openapi.document import document
from daemon.http.openapi.schema import schemas
from daemon.http.shapes import show


class Part(TypedDict):
    """One part."""

    title: str


class Whole(Done):
    """Of parts."""

    parts: list[Part]
    """The first
    comes first."""
    best: Part | None
    """None before the first."""
    share: Annotated[float, Field(ge=0, le=1)] | None
    mixed: str | int | None


def of_whole() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    _, named = schemas([Whole])
    return named["Whole"], named


def test_docstrings_are_the_descriptions_also_those_of_fields_that_are_inherited() -> None:
    whole, named = of_whole()
    assert whole["description"] == "Of parts."
    assert named["Part"]["description"] == "One part."
    assert whole["properties"]["parts"]["description"] == "The first comes first."
    assert whole["properties"]["best"]["description"] == "None before the first."
    assert whole["properties"]["message"]["description"] == "For people."


def test_no_title_repeats_a_name_and_a_field_may_be_called_title() -> None:
    whole, named = of_whole()
    assert "title" not in whole
    assert not any("title" in field for field in whole["properties"].values())
    assert named["Part"]["properties"] == {"title": {"type": "string"}}


def test_a_value_or_null_says_both_with_its_bounds_and_loses_no_alternative() -> None:
    properties = of_whole()[0]["properties"]
    assert properties["share"] == {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    assert {each["type"] for each in properties["mixed"]["anyOf"]} == {"string", "integer", "null"}
    assert {"type": "null"} in properties["best"]["anyOf"]


def test_every_field_that_has_a_docstring_has_it_in_the_document() -> None:
    found = document(token=False, secret=False)["components"]["schemas"]
    for shape in (show.Status, show.OnAir, show.Program, show.QueuePlace, show.Handover, show.Switch):
        for name, text in schema.docstrings(shape).items():
            assert found[shape.__name__]["properties"][name]["description"] == text


def test_without_the_sources_the_document_is_there_with_fewer_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: object) -> str:
        raise OSError("source code not available")

    monkeypatch.setattr("inspect.getsource", gone)
    schema.in_module.cache_clear()
    try:
        whole, _ = of_whole()
    finally:
        schema.in_module.cache_clear()
    assert set(whole["required"]) == {"status", "message", "parts", "best", "share", "mixed"}
    assert "description" not in whole["properties"]["parts"]


def test_the_application_starts_without_making_the_document() -> None:
    code = "import sys, daemon.http.app; print('daemon.http.openapi.document' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
