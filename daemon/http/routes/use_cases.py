"""What a person may ask of the line-up, over HTTP: each route is made of its use case."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from daemon.core.operator import USE_CASES, Operator
from daemon.core.use_case import UseCase
from daemon.http.addresses import addresses, is_in_path
from daemon.http.params import actor
from daemon.http.reading import Value


def use_case_routes(operator: Operator) -> list[web.RouteDef]:
    """All of them, under their former names as well."""
    return [
        # Whatever a name is made of, it is one part of the path.
        web.route(address.method, re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", address.path), _handler(operator, case))
        for case in USE_CASES
        for address in addresses(case)
    ]


def _handler(operator: Operator, case: UseCase) -> Callable[[web.Request], Awaitable[web.Response]]:
    ask = getattr(operator, case.name)
    values = [(parameter, Value(parameter.shape)) for parameter in case.parameters]

    async def handle(request: web.Request) -> web.Response:
        given = {}
        for parameter, value in values:
            source = request.match_info if is_in_path(parameter) else request.query
            text = source.get(parameter.name)
            if text is not None or parameter.required:
                given[parameter.name] = value.read(text, parameter.name)
        return web.json_response(await ask(actor(request), **given))

    return handle
