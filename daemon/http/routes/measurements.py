"""``POST /measurements``: what somebody measured of the one on air, for the rules to judge."""

from typing import Final

from aiohttp import web

from daemon.http.dependencies import Control
from daemon.http.params import done
from daemon.http.reading import Body
from daemon.http.shapes.control import QUANTITIES, Measurement

MEASUREMENT: Final = Body(Measurement)


class MeasurementRoutes:
    """Takes one measurement at a time."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [web.post("/measurements", self._measured)]

    async def _measured(self, request: web.Request) -> web.Response:
        body = await MEASUREMENT.read(request)
        streamer, quantity, value = body["streamer"], body["quantity"], body["value"]
        least, most = QUANTITIES[quantity]
        # Silence itself has no level: JSON has no infinity, and null says it.
        level = least if value is None else min(most, max(least, value))
        await self._control.operator.measured(streamer, quantity, level)
        return done(f"the {quantity} of {streamer} is known", streamer=streamer, quantity=quantity)
