"""What stands in the addresses of requests: the routes check it by these, and the description shows them."""

from typing import Annotated, Final

from pydantic import Field

from daemon.core.shapes import LONGEST_TURN, Name

MOST_SAMPLES: Final = 100_000
"""That can be asked for at once."""

HandoverCount = Annotated[int, Field(ge=1, le=1000)]
SampleCount = Annotated[int, Field(ge=1, le=MOST_SAMPLES)]
TurnSeconds = Annotated[int, Field(ge=1, le=LONGEST_TURN)]
Layers = Annotated[int, Field(ge=0, le=1000)]
Delay = Annotated[float, Field(ge=0, le=60)]
InputName = Annotated[Name, Field(description="An input's name: printable characters.", examples=["GMOTHERSTREAM_1"])]

SOME_HANDOVERS: Final = "50"
SOME_SAMPLES: Final = "20"
"""How many are answered where nobody says."""
