"""The document itself: the table of operations, with what the guards add to each, and the shapes that it names."""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from daemon import __version__
from daemon.http.auth import COOKIE, HOOKS, OPEN, OPEN_PREFIX, PEER, PEER_HOOK, SAFE, UNCHECKED
from daemon.http.openapi.events import EVENTS
from daemon.http.openapi.operation import Errors, Operation, Parameter, both
from daemon.http.openapi.operations import OPERATIONS
from daemon.http.openapi.schema import TEMPLATE, Schema, schemas
from daemon.http.shapes.control import Error
from daemon.ingest.hook import JSON

DESCRIPTION: Final = (
    "Hands one shared live stream from streamer to streamer in OBS Studio.\n\n"
    'Every error is `{"error": {"code", "message"}}`. A token is required if `http.token` is set, and the '
    "hooks require `hooks.secret` if that is set. Every GET except /events and the hook also answers HEAD. "
    "Fields may be added to answers."
)
TAGS: Final = {
    "show": "What is on air, who waits, and what has happened.",
    "line-up": "Who comes next.",
    "scripts": "Under the names that existing scripts use.",
    "OBS": "OBS as the daemon sees it, and settings that can change while it runs.",
    "health": "Probes, metrics and stream health.",
    "pair": "Where daemons share a store: who owns the channel, and all channels at a glance.",
    "dashboard": "The dashboard, its sign-in, and this description.",
    "hooks": "What ingest servers call.",
}
SECURITY: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "`http.token`"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Token", "description": "`http.token`"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Set by POST /sign-in."},
    "peer": {"type": "apiKey", "in": "header", "name": PEER, "description": "From the shared store."},
    "secret": {"type": "apiKey", "in": "query", "name": "secret", "description": "`hooks.secret`"},
}
RETRY: Final = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}}
BEARER: Final = {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}}


@cache
def _schemas() -> tuple[dict[int, Schema], dict[str, Schema]]:
    """Of each shape that an operation names, by its id, and of all that these refer to, by name."""
    shapes = [Error, *(shape for operation in OPERATIONS for shape in _shapes(operation))]
    found, named = schemas(shapes)
    named |= {f"event.{kind}": schema for kind, schema in EVENTS.items()}
    return {id(shape): schema for shape, schema in zip(shapes, found, strict=True)}, named


def _shapes(operation: Operation) -> Iterator[Any]:
    yield from (parameter.shape for parameter in operation.parameters)
    yield from operation.body.values()
    for by_type in operation.answers.values():
        yield from by_type.values()


def _content(shapes: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: {"schema": _schemas()[0][id(shape)]} for kind, shape in shapes.items()}


def document(*, token: bool, secret: bool) -> dict[str, Any]:
    """The description, as of a daemon that has or has not a token of its own and a secret for its hooks."""
    paths: dict[str, dict[str, Any]] = {}
    responses: dict[str, Any] = {}
    for operation in OPERATIONS:
        described = _described(operation, responses)
        described["security"] = _security(operation, token, secret)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Motherstream",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {"schemas": _schemas()[1], "responses": responses, "securitySchemes": SECURITY},
    }


def _described(operation: Operation, responses: dict[str, Any]) -> dict[str, Any]:
    """One operation. Errors are added to ``responses``, since most of them are those of many."""
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    if operation.deprecated:
        described["deprecated"] = True
    if operation.parameters:
        described["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    found = _answers(operation)
    for status, codes in both(operation.errors, _guards(operation)).items():
        name = ".".join((str(status), *codes))
        responses[name] = _error(status, codes)
        found[status] = {"$ref": f"#/components/responses/{name}"}
    described["responses"] = {str(status): found[status] for status in sorted(found)}
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = _schemas()[0][id(parameter.shape)]
    if parameter.default is not None:
        schema = {**schema, "default": parameter.default}
    return {"name": parameter.name, "in": parameter.place, "required": parameter.required, "schema": schema}


def _answers(operation: Operation) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for status, by_type in operation.answers.items():
        found[status] = {"description": HTTPStatus(status).phrase}
        if by_type:
            found[status]["content"] = _content(by_type)
    return found


def _error(status: int, codes: tuple[str, ...]) -> dict[str, Any]:
    schema: Schema = {"$ref": TEMPLATE.format(model="Error")}
    if codes:
        schema["properties"] = {"error": {"properties": {"code": {"enum": list(codes)}}}}
    response = {"description": HTTPStatus(status).phrase, "content": {JSON: {"schema": schema}}}
    if status == HTTPStatus.UNAUTHORIZED and codes:
        response["headers"] = BEARER
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response["headers"] = RETRY
    return response


def _guards(operation: Operation) -> Errors:
    """What the middlewares refuse: see ``auth`` and ``errors``."""
    found: dict[int, tuple[str, ...]] = {500: ("internal",)}
    if operation.path.startswith((HOOKS, PEER_HOOK)):
        return found
    forbidden = []
    if operation.path not in UNCHECKED:
        forbidden.append("bad_host")
    if operation.method not in SAFE:
        forbidden.append("cross_site")
    if forbidden:
        found[403] = tuple(forbidden)
    if _is_closed(operation):
        found[401] = ("unauthorized",)
        found[429] = ("too_many_tries",)
    return found


def _security(operation: Operation, token: bool, secret: bool) -> list[dict[str, list[str]]]:
    """Any one of these is enough; an empty one says that it goes without."""
    if operation.path.startswith(HOOKS):
        return [*([] if secret else [{}]), {"secret": []}]
    if operation.path == PEER_HOOK:
        return [{"peer": []}]
    if _is_closed(operation):
        return [*([] if token else [{}]), {"token": []}, {"header": []}, {"cookie": []}]
    return []


def _is_closed(operation: Operation) -> bool:
    path = operation.path
    return not path.startswith((HOOKS, PEER_HOOK)) and path not in OPEN and not path.startswith(OPEN_PREFIX)
