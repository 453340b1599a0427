"""``POST /measurements``: what somebody measured of the one on air, for the rules to judge."""

import math
from typing import Final

from aiohttp import web

from daemon.http.dependencies import Control
from daemon.http.errors import ApiError
from daemon.http.params import checked_name, done, json_object, text_in

QUANTITIES: Final = {"sound": (-200.0, 20.0)}
"""What can be told, and between which values: the level of the sound in dBFS."""


class MeasurementRoutes:
    """Takes one measurement at a time."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [web.post("/measurements", self._measured)]

    async def _measured(self, request: web.Request) -> web.Response:
        body = await json_object(request)
        streamer = checked_name(text_in(body, "streamer"))
        quantity = text_in(body, "quantity")
        if quantity not in QUANTITIES:
            raise ApiError(400, "bad_value", f"quantity must be one of: {', '.join(QUANTITIES)}")
        least, most = QUANTITIES[quantity]
        if "value" not in body:
            raise ApiError(400, "bad_value", "value is missing; null is silence")
        value = body["value"]
        # Silence itself has no level: JSON has no infinity, and null says it.
        if value is None:
            value = least
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # A whole number may be longer than any float: then it is beyond the bound.
        if not is_number or (isinstance(value, float) and not math.isfinite(value)):
            raise ApiError(400, "bad_value", f"value must be a number from {least:g} to {most:g}, or null for silence")
        await self._control.operator.measured(streamer, quantity, min(most, max(least, value)))
        return done(f"the {quantity} of {streamer} is known", streamer=streamer, quantity=quantity)
