"""Every request that the fake answers. Field names, status codes and comments are those of its obs-websocket."""

import functools
from typing import Any

from tests.fakes import (
    obs_requests_general,
    obs_requests_inputs,
    obs_requests_items,
    obs_requests_program,
    obs_requests_sound,
)
from tests.fakes.obs_call import Answer, Call, Handler, Handlers
from tests.fakes.obs_checks import Fields, RefusedError, Status
from tests.fakes.obs_studio import Studio

_HANDLERS: dict[str, Handler] = {
    **obs_requests_general.HANDLERS,
    **obs_requests_items.HANDLERS,
    **obs_requests_program.HANDLERS,
    **obs_requests_inputs.HANDLERS,
    **obs_requests_sound.HANDLERS,
}


@functools.cache
def _known(major: int) -> tuple[str, ...]:
    return tuple(sorted(kind for kind in _HANDLERS if Handlers.since[kind] <= major))


def answer(
    studio: Studio, request_type: str, data: Any, execution: int | None = None, session: dict[str, int] | None = None
) -> Answer:
    """Carry one request out."""
    if not request_type:
        return Answer(Status.MISSING_REQUEST_TYPE, "Your request's `requestType` may not be empty.")
    handler = _HANDLERS.get(request_type)
    if handler is None or Handlers.since[request_type] > studio.version.major:
        return Answer(Status.UNKNOWN_REQUEST_TYPE, "Your request type is not valid.")
    call = Call(studio, Fields(data, studio), execution, session or {}, known=_known(studio.version.major))
    studio.settle()
    try:
        result = handler(call)
    except RefusedError as refused:
        return Answer(refused.code, refused.comment)
    return Answer(data=result, sleep_seconds=call.sleep_seconds, sleep_frames=call.sleep_frames)
