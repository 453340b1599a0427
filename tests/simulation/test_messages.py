"""Frames that are not as obs-websocket has them, by the thousand: no silent death, and the show goes on.

simpleobsws's receive loop ends without a word on some of them. Whatever comes, the daemon goes on, or connects anew and
says so; and a moment after OBS makes sense again all is as it ought to be.
"""

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import msgpack
import pytest
from websockets.exceptions import ConnectionClosed

from tests.fakes.obs_server import ObsServer
from tests.fakes.obs_wire import EVENT, RESPONSE, Session
from tests.simulation.loop import simulated
from tests.simulation.world import World, world

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SEED = int(os.environ.get("MESSAGES_SEED") or (random.randrange(10**6) if SOAK else 1))
FRAMES = 10_000 if SOAK else 2_000
ROUND = 250
SPOILT_SHARE = 0.2
"""Of OBS's own frames while it talks nonsense."""
WELL_WITHIN = 45.0
"""Seconds: a scene collection's change that is never finished is waited for 30."""
KEPT = 200
"""Real frames that others are made of."""
SAID = ("Lost OBS: ", "OBS cannot be reached", "OBS is not ready")
EXPECTED = ("OBS's answers make no sense",)

pytestmark = pytest.mark.timeout(0 if SOAK else 300)


def deep(levels: int) -> Any:
    nest: Any = 1
    for number in range(levels):
        nest = [nest] if number % 2 else {"d": nest}
    return nest


class Nonsense:
    """Makes frames out of those that OBS has really sent."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.real: list[dict[str, Any]] = []

    def keep(self, frame: dict[str, Any]) -> None:
        """One to make others of."""
        if len(self.real) < KEPT:
            self.real.append(frame)
        else:
            self.real[self.dice.randrange(KEPT)] = frame

    def frame(self) -> bytes | str:
        """The next one."""
        match self.dice.randrange(20):
            case 0:
                return self.dice.choice(["", "what?", "{}", '{"op": 5, "d": {}}'])
            case 1:
                return self.dice.randbytes(self.dice.choice([0, 1, 7, 300]))
            case 2:
                whole = self._packed(self._one())
                return whole[: self.dice.randrange(len(whole))]
            case 3:
                flipped = bytearray(self._packed(self._one()))
                for _ in range(self.dice.randrange(1, 8)):
                    flipped[self.dice.randrange(len(flipped))] = self.dice.randrange(256)
                return bytes(flipped)
            case 4:
                return self._packed({"op": self._value(), "d": self._one().get("d")})
            case 5:
                return self._packed(self._value())
            case 6:
                unknown = self.dice.choice(["nobody's", "", "emit_1", 7, None, b"\xff", ["x"], {"a": 1}])
                answer = {
                    "requestId": unknown,
                    "requestType": "GetStats",
                    "requestStatus": {"result": True, "code": 100},
                }
                return self._packed({"op": self.dice.choice([7, 9]), "d": answer})
            case 7:
                # A text that is none: two bytes that UTF-8 does not have, in a msgpack string.
                return b"\x82\xa2op\x05\xa1d\x81\xa9eventType\xa2\xff\xfe"
            case 8:
                # An event within so many lists; the packer would not make them.
                return b"\x82\xa2op\x05\xa1d" + b"\x91" * self.dice.choice([3, 60, 2000, 50_000]) + b"\x01"
            case _:
                return self._packed(self.spoilt(self._one()))

    def spoilt(self, frame: dict[str, Any]) -> Any:
        """A frame with some of it taken away, or something else in its place."""
        broken = msgpack.unpackb(self._packed(frame))
        for _ in range(self.dice.randrange(1, 4)):
            place: Any = broken
            while isinstance(place, dict | list) and place:
                key = self.dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
                inner = place[key]
                if isinstance(inner, dict | list) and inner and self.dice.random() < 0.75:
                    place = inner
                    continue
                if self.dice.random() < 0.4:
                    del place[key]
                else:
                    place[key] = self._value()
                break
        return broken

    def _one(self) -> dict[str, Any]:
        return self.dice.choice(self.real)

    def _value(self) -> Any:
        rare = self.dice.random() < 0.002
        if rare:
            return self.dice.choice(["x" * 2_000_000, b"\x00" * 17_000_000])
        numbers = [0, -1, 5, 7, 9, 2**63, -(2**63), 0.5, float("nan"), float("inf"), 1e308]
        others: list[Any] = [
            None,
            True,
            False,
            "",
            "7",
            "MOTHERSTREAM",
            "x" * 5000,
            b"",
            b"\xff\x00",
            [],
            {},
            [None],
            {"": {}},
        ]
        return self.dice.choice([*numbers, *others, deep(40)])

    @staticmethod
    def _packed(frame: Any) -> bytes:
        return bytes(msgpack.packb(frame))


class Mouth:
    """OBS's: what it says is kept, and spoilt now and then while it talks nonsense."""

    def __init__(self, nonsense: Nonsense) -> None:
        self.nonsense = nonsense
        self.raving = False
        self.sent = 0

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """While this lasts."""
        send = ObsServer._send

        async def say(server: ObsServer, session: Session, op: int, data: dict[str, Any], *rest: Any) -> None:
            self.nonsense.keep({"op": op, "d": data})
            if self.raving and self.nonsense.dice.random() < SPOILT_SHARE:
                self.sent += 1
                await session.connection.send(Nonsense._packed(self.nonsense.spoilt({"op": op, "d": data})))
            else:
                await send(server, session, op, data, *rest)

        with mock.patch.object(ObsServer, "_send", say):
            yield

    async def rave(self, w: World, frames: int) -> None:
        """Say so many of them to whoever is connected."""
        self.raving, until = True, self.sent + frames
        while self.sent < until:
            for session in list(w.obs.server.sessions):
                try:
                    await session.connection.send(self.nonsense.frame())
                    self.sent += 1
                except ConnectionClosed:
                    continue
            await asyncio.sleep(self.nonsense.dice.choice([0.0, 0.0, 0.0, 0.02, 0.3]))
        self.raving = False


def test_frames_of_nonsense_end_nothing_in_silence(tmp_path: Path) -> None:
    print(f"MESSAGES_SEED={SEED}")

    async def play() -> None:
        async with world(tmp_path, fps=10) as w:
            nonsense = Nonsense(random.Random(SEED))
            mouth = Mouth(nonsense)
            with mouth.speaking():
                await w.start()
                await w.publish("alice")
                await w.publish("bob")
                await w.well()
                while mouth.sent < FRAMES:
                    losses = w.said_count(SAID)
                    connections = w.obs.server.accepted
                    await mouth.rave(w, ROUND)
                    await w.until(lambda: not w.amiss(), WELL_WITHIN)
                    if w.obs.server.accepted > connections:
                        assert w.said_count(SAID) > losses, "it connected anew and did not say why"
            wrong = [line for line in w.lines if "exc_info" in line and not line["event"].startswith(EXPECTED)]
            assert wrong == []
            ops = {frame["op"] for frame in nonsense.real}
            assert {EVENT, RESPONSE} <= ops

    with simulated(SEED) as runner:
        runner.run(play())
