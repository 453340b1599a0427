"""What a hook may mean, what it is answered, and how its body is read: the same for all servers."""

import json
import re
from dataclasses import dataclass
from typing import Final

from daemon.ingest.stream import TYPE, HookError, StreamRef

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Publish:
    """Somebody wants to publish."""

    ref: StreamRef
    asks_again: bool = False
    """Its server asks once without the credentials that the client has: a refusal now is part of the protocol."""


@dataclass(frozen=True, slots=True)
class Unpublish:
    """A publisher has left."""

    ref: StreamRef


@dataclass(frozen=True, slots=True)
class Ignored:
    """A hook that is understood and changes nothing."""

    action: str
    client_ip: str | None = None
    """Where the server asks whether this client may do it; None where it only tells."""
    known: bool = True
    """False for one that no version of the server was seen to send."""
    answer: "Reply | None" = None
    """The answer where a plain yes will not do."""


Hook = Publish | Unpublish | Ignored


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a publisher may publish, and as whom."""

    accepted: bool
    code: str = "ok"
    message: str = ""
    streamer: str = ""
    turn: float | None = None
    """Seconds of the streamer's own turn; None where there is none."""
    status: int = 403
    """The HTTP status of a refusal."""
    ip: str = ""
    """Of a publisher who is refused, where its server tells it."""
    quiet: bool = False
    """A refusal that is nobody's mistake."""


ACCEPTED: Final = Verdict(accepted=True)
_ACTION: Final = re.compile(r"[a-z][a-z0-9_]{1,31}")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in the form that a server expects."""

    status: int
    body: bytes
    content_type: str = JSON


def refusal(error: HookError) -> Verdict:
    """The verdict on a hook that was not understood."""
    return Verdict(False, error.code, str(error), status=error.status)


def refused(code: str, message: str, status: int = 403, streamer: str = "") -> Verdict:
    """A verdict against the publisher, in words for the log."""
    return Verdict(False, code, message, streamer, status=status)


def unknown_action(action: str, server: str, client_ip: str | None = None, begins: str = "") -> Ignored:
    """An action that a later version of a server may send: taken, and nothing is done.

    ``begins`` is what all of this server's begin with. Raises HookError on nonsense, and on another server's: MediaMTX,
    say, takes every 200 for a yes, and would let everybody in.
    """
    if not _ACTION.fullmatch(action):
        raise HookError("unknown_action", f"this is not an action of {server}")
    if not action.startswith(begins):
        what = f"this is not a hook of {server}, but it came to {server}'s address"
        raise HookError("wrong_server", f"{what}: each kind of server has its own, see docs/ingest.md")
    return Ignored(action, client_ip, known=False)


def json_reply(status: int, **fields: object) -> Reply:
    """A reply of one JSON object."""
    return Reply(status, json.dumps(fields, separators=(",", ":")).encode())


def error_fields(verdict: Verdict) -> dict[str, object]:
    """The project's own form of an error, which goes along in every server's refusal."""
    return {"error": {"code": verdict.code, "message": verdict.message}}


class Body:
    """A JSON object with checked access: every mistake is a HookError that quotes nothing."""

    def __init__(self, raw: bytes) -> None:
        try:
            parsed = json.loads(raw)
        except (ValueError, RecursionError):
            raise HookError("not_json", "the body is not JSON") from None
        if not isinstance(parsed, dict):
            raise HookError("not_an_object", "the body is JSON, but not an object")
        self._fields = parsed

    def text(self, name: str) -> str:
        """A text, empty where it is missing or null."""
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise HookError("wrong_type", f"{name} must be a string")
        return value

    def needed(self, name: str) -> str:
        """A text that must be there."""
        if value := self.text(name):
            return value
        raise HookError("missing", f"{name} is missing{f'; {TYPE}' if name == 'stream' else ''}")

    def identifier(self, name: str) -> str:
        """A text or a whole number: SRS 3 and earlier count their clients."""
        value = self._fields.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # to JSON 7.0 is a whole number too
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return self.text(name)
