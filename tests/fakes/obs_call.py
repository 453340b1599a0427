"""What a request handler gets and gives, and how handlers are found by the name of their request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.fakes.obs_checks import Fields, Status
from tests.fakes.obs_studio import Studio

# How a request runs, by obs-websocket's RequestBatchExecutionType; None: alone, not in a batch.
SERIAL_REALTIME, SERIAL_FRAME, PARALLEL = 0, 1, 2


@dataclass
class Call:
    """One request being answered."""

    studio: Studio
    fields: Fields
    execution: int | None = None
    session: dict[str, int] = field(default_factory=dict)  # messages in and out
    sleep_seconds: float = 0.0  # what a Sleep in a batch asks for, in seconds or in frames
    sleep_frames: int = 0
    known: tuple[str, ...] = ()  # every request that there is


@dataclass
class Answer:
    """What comes back for one request, and whether a batch has to sleep before the next."""

    code: int = int(Status.SUCCESS)
    comment: str | None = None
    data: dict[str, Any] | None = None
    sleep_seconds: float = 0.0
    sleep_frames: int = 0

    @property
    def ok(self) -> bool:
        return self.code == Status.SUCCESS

    def wire(self) -> dict[str, Any]:
        """requestStatus, and responseData where there is any."""
        status: dict[str, Any] = {"result": self.ok, "code": int(self.code)}
        if self.comment:
            status["comment"] = self.comment
        return {"requestStatus": status} | ({} if self.data is None else {"responseData": self.data})


Handler = Callable[[Call], dict[str, Any] | None]


class Handlers(dict[str, Handler]):
    """Handlers by request type. `on` registers one, which OBS has from a version on."""

    since: ClassVar[dict[str, int]] = {}

    def on(self, request_type: str, since: int = 0) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self[request_type] = handler
            self.since[request_type] = since
            return handler

        return register
