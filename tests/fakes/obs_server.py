"""The wire of the fake OBS: sessions, requests on a pool, batches, events. Loopback only, msgpack only."""

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.fakes import obs_wire as wire
from tests.fakes.obs_call import PARALLEL, SERIAL_FRAME, Answer
from tests.fakes.obs_checks import Status
from tests.fakes.obs_events import Intent
from tests.fakes.obs_faults import BATCH, Fault, Faults, pack, spoilt
from tests.fakes.obs_requests import answer
from tests.fakes.obs_studio import Studio


@dataclass(frozen=True)
class Logged:
    """A request as it was carried out or refused. `batch` counts batches from 1; None: on its own."""

    type: str
    data: dict[str, Any] | None
    at: float
    batch: int | None
    execution: int | None
    code: int


class ObsServer:
    """Serves one Studio. `workers` is obs-websocket's thread pool: a batch that waits for a frame holds one of them."""

    def __init__(self, studio: Studio, faults: Faults, password: str | None, workers: int) -> None:
        self.studio = studio
        self.faults = faults
        self.password = password
        self.sessions: list[wire.Session] = []
        self.accepted = 0  # sessions so far
        self.log: list[Logged] = []
        self.errors: list[BaseException] = []
        self._salt = "c2FsdCBvZiBhIGZha2UgT0JTLCAzMiBieXRlcyBsb25nISE="
        self._workers = workers
        self._pool = asyncio.Semaphore(workers)
        self._batches = 0
        self._server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.left_waiting: list[ServerConnection] = []  # accepted, and not upgraded
        self.goes_on = asyncio.Event()  # those that wait are upgraded after all
        studio.send_event = self.broadcast

    # Life

    async def start(self, port: int) -> int:
        """Listen, and say on which port."""
        self._pool = asyncio.Semaphore(self._workers)
        self._server = await serve(
            self._session,
            "127.0.0.1",
            port,
            subprotocols=[wire.SUBPROTOCOL],  # type: ignore[list-item]  # a NewType of str
            process_request=self._upgrade,
            ping_interval=None,
            compression=None,
            max_size=None,
            close_timeout=0.5,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def send_all(self) -> None:
        """Let the events go out that wait for nothing else."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def stop(self, *, abrupt: bool) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close(close_connections=False)
        for session in list(self.sessions):
            if abrupt:
                session.connection.transport.abort()
            else:
                await session.connection.close(1001, "Server stopping.")
        for connection in self.left_waiting:
            connection.transport.abort()
        self.left_waiting.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.sessions.clear()
        await server.wait_closed()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)

    # Sessions

    async def _upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.faults.upgrades:
            return None
        self.left_waiting.append(connection)
        self.studio.on_change()
        closed = asyncio.ensure_future(connection.wait_closed())
        goes_on = asyncio.ensure_future(self.goes_on.wait())
        await asyncio.wait({closed, goes_on}, return_when=asyncio.FIRST_COMPLETED)
        goes_on.cancel()
        if not closed.done():
            closed.cancel()
            self.left_waiting.remove(connection)
            return None
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")

    async def _session(self, connection: ServerConnection) -> None:
        session = wire.Session(connection)
        self.sessions.append(session)
        self.accepted += 1
        try:
            if self.faults.hello:
                hello = self._hello()
                if self.password is not None:
                    hello["authentication"] = {"challenge": session.challenge, "salt": self._salt}
                await self._send(session, wire.HELLO, hello)
            async for message in connection:
                session.messages["in"] += 1
                if self.faults.listens:
                    self._spawn(self._take(session, message))
        except ConnectionClosed:
            pass
        finally:
            with contextlib.suppress(ValueError):
                self.sessions.remove(session)
            self.studio.on_change()

    def _hello(self) -> dict[str, Any]:
        version = self.studio.version
        hello: dict[str, Any] = {"obsWebSocketVersion": version.websocket, "rpcVersion": 1}
        return hello | {"obsStudioVersion": version.obs} if version.tells_abilities else hello

    async def _take(self, session: wire.Session, message: bytes | str) -> None:
        async with self._pool:
            await self._jitter()
            with contextlib.suppress(ConnectionClosed):
                try:
                    await self._process(session, *wire.decode(message))
                except wire.CloseError as close:
                    await session.connection.close(close.code, close.reason)

    async def _process(self, session: wire.Session, op: int, data: dict[str, Any]) -> None:
        if not session.identified and op != wire.IDENTIFY:
            raise wire.CloseError(4007, "You attempted to send a non-Identify message while not identified.")
        if op == wire.IDENTIFY:
            wire.identify(session, data, self.password, self._salt)
            await self._send(session, wire.IDENTIFIED, {"negotiatedRpcVersion": 1})
        elif op == wire.REIDENTIFY:
            wire.subscribe(session, data)
            await self._send(session, wire.IDENTIFIED, {"negotiatedRpcVersion": 1})
        elif op == wire.REQUEST:
            await self._request(session, data)
        elif op == wire.BATCH_REQUEST:
            await self._batch(session, wire.check_batch(data))
        else:
            raise wire.CloseError(4006, f"Unknown OpCode: {op}")
        self.studio.on_change()

    async def _send(self, session: wire.Session, op: int, data: dict[str, Any], fault: Fault | None = None) -> None:
        session.messages["out"] += 1
        spoil = fault.spoil if fault is not None else None
        await session.connection.send(spoilt(spoil, op, data) if spoil is not None else pack({"op": op, "d": data}))

    async def _jitter(self) -> None:
        if seconds := self.faults.wait():
            # On a clock that stands still, rounds of the loop stand for the time: they mix the order as well.
            if self.studio.clock.manual:
                for _ in range(int(seconds / self.faults.jitter * 20)):
                    await asyncio.sleep(0)
            else:
                await self.studio.clock.sleep(seconds)

    # Requests

    async def _request(self, session: wire.Session, data: dict[str, Any]) -> None:
        request_type = wire.check_request(data)
        fault = self.faults.match(request_type, data.get("requestData"))
        if fault is not None and fault.delay:
            await self.studio.clock.sleep(fault.delay)
        if fault is not None and not fault.executes:
            return
        result = self._execute(session, request_type, data.get("requestData"), fault)
        if fault is not None and not fault.answers:
            return
        await self._jitter()
        head = {"requestType": request_type, "requestId": data["requestId"]}
        await self._send(session, wire.RESPONSE, head | result.wire(), fault)

    def _execute(
        self, session: wire.Session, request_type: str, data: Any, fault: Fault | None, batch: wire.Batch | None = None
    ) -> Answer:
        execution = batch.execution if batch is not None else None
        if fault is not None and fault.before is not None:
            fault.before()
        if self.faults.not_ready or (self.studio.busy and self.studio.version.guards):
            result = Answer(Status.NOT_READY, "OBS is not ready to perform the request.")
        elif fault is not None and fault.code is not None:
            result = Answer(fault.code, fault.comment)
        else:
            result = answer(self.studio, request_type, data, execution, session.messages)
        if fault is not None and fault.mutate is not None and result.data is not None:
            result = replace(result, data=fault.mutate(result.data))
        if fault is not None and fault.after is not None:
            fault.after()
        number = batch.number if batch is not None else None
        kept = data if isinstance(data, dict) else None
        at = self.studio.clock.now()
        self.log.append(Logged(request_type, kept, at, number, execution, int(result.code)))
        return result

    # Batches

    async def _batch(self, session: wire.Session, batch: wire.Batch) -> None:
        fault = self.faults.match(BATCH, {"requests": batch.requests, "executionType": batch.execution})
        if fault is not None and fault.delay:
            await self.studio.clock.sleep(fault.delay)
        if fault is not None and not fault.executes:
            return
        if fault is not None and fault.before is not None:
            fault.before()
        self._batches += 1
        batch = replace(batch, number=self._batches)
        if batch.execution == SERIAL_FRAME:
            results = await self._between_frames(session, batch)
        else:
            results = await self._one_by_one(session, batch)
        if fault is not None and fault.after is not None:
            fault.after()
        if fault is not None and not fault.answers:
            return
        await self._jitter()
        body = {"requestId": batch.request_id, "results": results}
        await self._send(session, wire.BATCH_RESPONSE, body, fault)

    def _step(self, session: wire.Session, batch: wire.Batch, results: list[dict[str, Any]]) -> tuple[Answer, bool]:
        """Carry out the next request of a batch; with it whether the batch is over."""
        request = batch.requests[len(results)]
        request_type = request["requestType"]
        data = wire.with_variables(request, batch.variables)
        fault = self.faults.match(request_type, data)
        result = self._execute(session, request_type, data, fault, batch)
        wire.keep_variables(request, batch.variables, result.data)
        head = {"requestType": request_type}
        if request.get("requestId") is not None:
            head["requestId"] = request["requestId"]
        results.append(head | result.wire())
        return result, len(results) == len(batch.requests) or (batch.halt and not result.ok)

    async def _one_by_one(self, session: wire.Session, batch: wire.Batch) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        over = not batch.requests
        while not over:
            result, over = self._step(session, batch, results)
            if result.sleep_seconds:
                await self.studio.clock.sleep(result.sleep_seconds)
            elif batch.execution != PARALLEL:
                await asyncio.sleep(0)
        return results

    async def _between_frames(self, session: wire.Session, batch: wire.Batch) -> list[dict[str, Any]]:
        """All at once before the next frame is rendered, but for the frames that a Sleep asks for."""
        results: list[dict[str, Any]] = []
        if not batch.requests:
            return results
        done = asyncio.get_running_loop().create_future()
        frame, sleep_until = 0, 0

        def tick() -> bool:
            nonlocal frame, sleep_until
            frame += 1
            if done.done() or frame < sleep_until:
                return done.done()
            over = False
            with self.studio.program.held():
                while not over:
                    result, over = self._step(session, batch, results)
                    if result.sleep_frames and not over:
                        sleep_until = frame + result.sleep_frames
                        return False
            done.set_result(None)
            return True

        self.studio.renderer.between_frames(tick)
        while self.studio.clock.manual and not done.done() and not self.studio.renderer.stalled:
            await self.studio.clock.advance(1 / self.studio.renderer.fps)
        await done
        return results

    # Events

    def broadcast(self, intent: Intent, event: str, data: dict[str, Any]) -> None:
        """To every session that subscribes to it, on the pool: events keep no order."""
        if self._server is None:
            return
        rule = self.faults.match_event(event)
        for _ in range(rule.copies if rule is not None else 1):
            self._spawn(self._tell(intent, event, data, rule.delay if rule is not None else 0.0))

    async def _tell(self, intent: Intent, event: str, data: dict[str, Any], delay: float) -> None:
        if delay:
            await self.studio.clock.sleep(delay)
        async with self._pool:
            await self._jitter()
            for session in list(self.sessions):
                if session.identified and session.subscriptions & intent:
                    with contextlib.suppress(ConnectionClosed):
                        body = {"eventType": event, "eventIntent": int(intent), "eventData": data}
                        await self._send(session, wire.EVENT, body)
