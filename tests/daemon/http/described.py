"""Answers held against the API's own description, more strictly than a client may: nothing may go unsaid."""

import json
from typing import Any

import jsonschema_rs

from daemon.http.openapi.document import document


class Description:
    """What the document says of each answer."""

    def __init__(self, served: dict[str, Any] | None = None) -> None:
        self.document = document(token=False, secret=False) if served is None else served
        self._closed = _close(self.document["components"])

    @property
    def operations(self) -> dict[str, dict[str, Any]]:
        """Each by its method and path, such as ``GET /status``."""
        return {
            f"{method.upper()} {path}": operation
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
        }

    def response(self, operation: str, status: int) -> dict[str, Any]:
        """What is said of that answer; a failure where nothing is."""
        responses = self.operations[operation]["responses"]
        assert str(status) in responses, f"{operation} may not answer {status}"
        found: dict[str, Any] = self.follow(responses[str(status)])
        return found

    def follow(self, node: dict[str, Any]) -> dict[str, Any]:
        """What a reference stands for; anything else as it is."""
        reference = node.get("$ref")
        if reference is None:
            return node
        found: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return self.follow(found)

    def check(self, operation: str, status: int, content_type: str, body: bytes) -> None:
        """That this answer is as described."""
        content = self.response(operation, status).get("content", {})
        if not content:
            assert not body, f"{operation} answers {status} with a body that is not described"
            return
        kind = content_type.partition(";")[0]
        assert kind in content, f"{operation} answers {status} with {content_type}, which is not described"
        if kind == "application/json":
            # Beside the error a refused hook holds what its own server looks for.
            schema = content[kind]["schema"] if status >= 400 else _close(content[kind]["schema"])
            self.check_data(schema, json.loads(body), f"{operation} {status}", closed=status < 400)

    def check_data(self, schema: dict[str, Any], data: Any, what: str, *, closed: bool = True) -> None:
        """That this value is as the schema says."""
        components = self._closed if closed else self.document["components"]
        validator = jsonschema_rs.Draft202012Validator({**schema, "components": components}, validate_formats=True)
        mistakes = [f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(data)]
        assert not mistakes, f"{what}: {mistakes}"


def _close(schema: Any) -> Any:
    """The same, where objects have no more than their named properties."""
    if isinstance(schema, list):
        return [_close(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _close(each) for name, each in schema.items()}
    if schema.get("properties") and "type" in schema and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed
