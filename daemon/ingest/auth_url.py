"""``queue.auth = "http"``: the operator's own service says who may publish."""

import json
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from daemon.core.answers import read_most
from daemon.core.shapes import LONGEST_TURN
from daemon.ingest.api import reason_of
from daemon.streamers.names import BadName, valid_name

MOST_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class UrlAnswer:
    """What the service said."""

    accepted: bool
    why: str = ""
    """Why not, in words for the log."""
    streamer: str = ""
    """A name for the one who publishes; empty where it gave none."""
    turn: float | None = None


class AskUrl(Protocol):
    """Asks the service, which may take so many seconds."""

    async def __call__(self, url: str, body: bytes, content_type: str, seconds: float) -> UrlAnswer: ...


class UrlAuth:
    """Forwards the hook's body as it came; 2xx accepts. Whatever goes wrong is a no.

    The answer may be a JSON object: ``streamer`` names the publisher, ``turn`` sets the turn's seconds, and a
    ``code`` other than 0 refuses, so that a service that was written for SRS's own hooks serves here too.
    """

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client

    async def __call__(self, url: str, body: bytes, content_type: str, seconds: float) -> UrlAnswer:
        try:
            async with self._client.post(
                url,
                data=body,
                headers={"Content-Type": content_type},
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                if not 200 <= response.status < 300:
                    return UrlAnswer(False, f"queue.auth_url answered {response.status}")
                return _read(await read_most(response, MOST_BYTES))
        except TimeoutError:
            return UrlAnswer(False, f"queue.auth_url did not answer within {seconds:g}s")
        except ValueError:
            return UrlAnswer(False, f"queue.auth_url answered more than {MOST_BYTES} bytes")
        except (aiohttp.ClientError, OSError) as error:
            return UrlAnswer(False, f"queue.auth_url cannot be reached: {reason_of(error)}")


def _read(body: bytes) -> UrlAnswer:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return UrlAnswer(True)
    if isinstance(answer, int) and not isinstance(answer, bool):
        answer = {"code": answer}
    if not isinstance(answer, dict):
        return UrlAnswer(True)
    if answer.get("code", 0) != 0:
        return UrlAnswer(False, "queue.auth_url answered with a code that is not 0")
    streamer, turn = answer.get("streamer", ""), answer.get("turn")
    try:
        name = valid_name(streamer) if streamer != "" else ""
    except (BadName, TypeError):
        return UrlAnswer(False, "queue.auth_url returned a name that cannot be shown")
    if turn is not None and (
        isinstance(turn, bool) or not isinstance(turn, int | float) or not 1 <= turn <= LONGEST_TURN
    ):
        return UrlAnswer(False, f"queue.auth_url returned a turn that is not 1 to {LONGEST_TURN} seconds")
    return UrlAnswer(True, streamer=name, turn=turn)
