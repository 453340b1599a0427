"""What real servers sent and answered, with publishers over every protocol that they take (``recorded/*.json``).

Each was recorded beside the daemon with its default ``auth = "keys"`` and the configuration in ``deploy/``. Nothing is
changed but the keys, which are replaced by readable ones of the same length.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from aiohttp import web

from tests.fakes.serving import Serving

FOLDER: Final = Path(__file__).parent / "recorded"
NAMES: Final = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


class Request(NamedTuple):
    """A hook that a server sent, and the status of the daemon's answer."""

    method: str
    path: str
    type: str
    body: str
    status: int


class Answer(NamedTuple):
    """What a server's API answered to the daemon."""

    method: str
    path: str
    status: int
    body: str


class Recording(NamedTuple):
    """One version of one server."""

    name: str
    """The server's and its version."""

    server: str
    keys: dict[str, str]
    """From each streamer's name to the key."""
    hooks: tuple[Request, ...]
    list: Answer
    """The list of publishers while all of them were there."""
    empty: Answer | None
    """The same with nobody there."""
    api: tuple[Answer, ...]
    """Whatever else was asked of it."""


def load(name: str) -> Recording:
    """One of ``NAMES``."""
    told: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    hooks = tuple(Request(**each) for each in told["hooks"])
    empty = Answer(**told["empty"]) if told["empty"] else None
    api = tuple(Answer(**each) for each in told["api"])
    return Recording(name, told["server"], told["keys"], hooks, Answer(**told["list"]), empty, api)


class Replay(Serving):
    """A recorded API: what was never asked of the real one is answered with 599."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._answers = {(each.method, each.path): each for each in (*recording.api, recording.list)}

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{tail:.*}", self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        answer = self._answers.get((request.method, request.path_qs))
        if answer is None:
            return web.Response(status=599, text="nobody asked the real server that")
        return web.Response(status=answer.status, body=answer.body.encode())
