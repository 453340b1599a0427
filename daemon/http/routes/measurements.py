"""``POST /measurements``: what somebody measured of the one on air, for the rules to judge."""

from typing import Final

from aiohttp import web

from daemon.http.dependencies import Control
from daemon.http.errors import ApiError
from daemon.http.params import done
from daemon.http.reading import JsonBody
from daemon.http.shapes.control import Measurement
from statemachine.monitors.quantities import QUANTITIES

MEASUREMENT: Final = JsonBody(Measurement)


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
        known = QUANTITIES[quantity]
        # Silence itself has no level: JSON has no infinity, and null says it.
        value = known.nothing if value is None else min(known.most, max(known.least, value))
        if value is None:
            raise ApiError(400, "bad_value", f"value must be a number from {known.least:g} to {known.most:g}")
        await self._control.operator.measured(streamer, quantity, value)
        return done(f"the {quantity} of {streamer} is known", streamer=streamer, quantity=quantity)
