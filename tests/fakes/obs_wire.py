"""The rules of the wire: close codes, authentication, and the checks on a message before it becomes a request."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

import msgpack
from websockets.asyncio.server import ServerConnection

from tests.fakes.obs_call import PARALLEL, SERIAL_FRAME, SERIAL_REALTIME
from tests.fakes.obs_events import Intent

SUBPROTOCOL = "obswebsocket.msgpack"

HELLO, IDENTIFY, IDENTIFIED, REIDENTIFY, EVENT, REQUEST, RESPONSE, BATCH_REQUEST, BATCH_RESPONSE = (
    0,
    1,
    2,
    3,
    5,
    6,
    7,
    8,
    9,
)


class CloseError(Exception):
    """The session is to be closed: a WebSocketCloseCode and its reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@dataclass(eq=False)
class Session:
    """One client. `subscriptions` is a mask of Intent."""

    connection: ServerConnection
    challenge: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    identified: bool = False
    subscriptions: int = int(Intent.ALL)
    messages: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0})


@dataclass
class Batch:
    """A request batch that passed its checks."""

    request_id: Any
    requests: list[dict[str, Any]]
    execution: int
    halt: bool
    variables: dict[str, Any]
    number: int = 0
    """Counts those that a server carries out."""


def auth_string(password: str, salt: str, challenge: str) -> str:
    secret = base64.b64encode(hashlib.sha256((password + salt).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + challenge.encode()).digest()).decode()


def decode(message: bytes | str) -> tuple[int, dict[str, Any]]:
    """A message's op and data. Raises CloseError."""
    if isinstance(message, str):
        raise CloseError(4002, "Your session encoding is set to MsgPack, but a text message was received.")
    try:
        content = msgpack.unpackb(message)
    except (ValueError, msgpack.UnpackException) as error:
        raise CloseError(4002, f"Unable to decode MsgPack: {error}"[:120]) from error
    if not isinstance(content, dict):
        raise CloseError(4002, "You sent a non-object payload.")
    if "op" not in content:
        raise CloseError(4006, "Your request is missing an `op`.")
    op, data = content["op"], content.get("d")
    if isinstance(op, bool) or not isinstance(op, int | float):
        raise CloseError(4006, "Your `op` is not a number.")
    if data is None:
        raise CloseError(4003, "Your payload is missing data (`d`).")
    if not isinstance(data, dict):
        raise CloseError(4004, "Your payload's data (`d`) is not an object.")
    return int(op), data


def _unsigned(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def subscribe(session: Session, data: dict[str, Any]) -> None:
    if "eventSubscriptions" in data:
        if not _unsigned(data["eventSubscriptions"]):
            raise CloseError(4004, "Your `eventSubscriptions` is not an unsigned number.")
        session.subscriptions = data["eventSubscriptions"]


def identify(session: Session, data: dict[str, Any], password: str | None, salt: str) -> None:
    """Let the session in. Raises CloseError."""
    if session.identified:
        raise CloseError(4008, "You are already Identified with the obs-websocket server.")
    if password is not None:
        if "authentication" not in data:
            raise CloseError(
                4009,
                "Your payload's data is missing an `authentication` string, however authentication is required.",
            )
        if data["authentication"] != auth_string(password, salt, session.challenge):
            raise CloseError(4009, "Authentication failed.")
    if "rpcVersion" not in data:
        raise CloseError(4003, "Your payload's data is missing an `rpcVersion`.")
    if not _unsigned(data["rpcVersion"]):
        raise CloseError(4004, "Your `rpcVersion` is not an unsigned number.")
    if data["rpcVersion"] != 1:
        raise CloseError(4010, "Your requested RPC version is not supported by this server.")
    subscribe(session, data)
    session.identified = True


def check_request(data: dict[str, Any]) -> str:
    """The request's type. Raises CloseError."""
    if "requestId" not in data:
        raise CloseError(4003, "Your payload data is missing a `requestId`.")
    if "requestType" not in data:
        raise CloseError(4003, "Your payload's data is missing an `requestType`.")
    if not isinstance(data["requestType"], str):
        raise CloseError(4004, "Your `requestType` is not a string.")
    return data["requestType"]


def check_batch(data: dict[str, Any]) -> Batch:
    """Raises CloseError."""
    if "requestId" not in data:
        raise CloseError(4003, "Your payload data is missing a `requestId`.")
    execution = data.get("executionType")
    if execution is None:
        execution = SERIAL_REALTIME
    elif not _unsigned(execution):
        raise CloseError(4004, "Your `executionType` is not a number.")
    elif execution not in {SERIAL_REALTIME, SERIAL_FRAME, PARALLEL}:
        raise CloseError(4005, "Your `executionType` has an invalid value.")
    variables = data.get("variables")
    if variables is not None and execution == PARALLEL:
        raise CloseError(4012, "Variables are not supported in Parallel mode.")
    halt = data.get("haltOnFailure")
    if halt is not None and not isinstance(halt, bool):
        raise CloseError(4004, "Your `haltOnFailure` is not a boolean.")
    if "requests" not in data:
        raise CloseError(4003, "Your payload data is missing a `requests`.")
    if not isinstance(data["requests"], list):
        raise CloseError(4004, "Your `requests` is not an array.")
    requests = [dict(request) if isinstance(request, dict) else {} for request in data["requests"]]
    for request in requests:
        if not isinstance(request.get("requestType"), str):
            request["requestType"] = ""
    return Batch(data["requestId"], requests, execution, bool(halt), variables if isinstance(variables, dict) else {})


def with_variables(request: dict[str, Any], variables: dict[str, Any]) -> Any:
    """A batched request's data, with its `inputVariables` filled in."""
    data, wanted = request.get("requestData"), request.get("inputVariables")
    if not variables or not isinstance(data, dict) or not isinstance(wanted, dict):
        return data
    return data | {key: variables[name] for key, name in wanted.items() if name in variables}


def keep_variables(request: dict[str, Any], variables: dict[str, Any], answered: dict[str, Any] | None) -> None:
    """Take its `outputVariables` from an answer's data."""
    wanted = request.get("outputVariables")
    if answered and isinstance(wanted, dict):
        variables.update({name: answered[key] for name, key in wanted.items() if key in answered})
