"""One form for every error: ``{"error": {"code", "message"}}`` with the right status."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.core.operator import RequestRefused, RulesBusy
from daemon.core.ports import NOT_FOUND, ObsError, ObsGone, ObsRefused, ObsTimeout, PortError

REFUSALS: Final = {"not_found": 404, "bad_position": 400, "bad_setting": 400}
"""What the rules refuse with another status than 409."""


def refusal_status(code: str) -> int:
    """The status of what the rules refuse."""
    return REFUSALS.get(code, 409)


log = structlog.get_logger(__name__)


class ApiError(Exception):
    """What a request is refused with. The message is for people and holds nothing secret."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The answer."""
        return error_response(self.status, self.code, str(self), self.headers)


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in the form of all errors."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


def obs_error(error: ObsError) -> ApiError:
    """OBS's answer as ours."""
    match error:
        case ObsGone():
            return ApiError(503, "obs_gone", "OBS is not connected")
        case ObsTimeout():
            return ApiError(504, "obs_timeout", str(error))
        case ObsRefused(code=code) if code == NOT_FOUND:
            return ApiError(404, "not_found", error.comment)
        case _:
            return ApiError(502, "obs_refused", str(error))


def _as_api_error(error: RequestRefused | RulesBusy | ObsError) -> ApiError:
    match error:
        case RequestRefused():
            return ApiError(refusal_status(error.code), error.code, str(error))
        case RulesBusy():
            return ApiError(503, "busy", str(error))
        case _:
            return obs_error(error)


def _http_error(request: web.Request, error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    return error_response(status, status.name.lower(), f"{status.phrase}: {request.method} {request.path}", headers)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception into an answer. What went wrong inside goes into the log, never into the answer."""
    try:
        return await handler(request)
    except ApiError as error:
        return error.response()
    except (RequestRefused, RulesBusy, ObsError) as error:
        return _as_api_error(error).response()
    except PortError as error:
        return error_response(503, "store_gone", f"the shared store cannot be used: {error}")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _http_error(request, error)
    except (asyncio.CancelledError, ConnectionResetError):
        raise
    except Exception:
        log.exception("A request failed", method=request.method, path=request.path)
        return error_response(500, "internal", "internal error: see the log")
