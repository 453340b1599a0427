"""The description against a daemon that really runs, by requests that fit it and by others.

``HYPOTHESIS_PROFILE=soak`` makes it many more, and others each time.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from daemon.http.openapi.document import document
from tests.daemon.http.live import Live

pytestmark = pytest.mark.slow

SOAK: Final = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
CONFIG: Final = schemathesis.Config.from_dict(
    {
        # That it cannot be done just now may be said, where the description says so; an error of ours may not.
        "checks": {
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "502", "503", "504"]},
            # One that is too long is refused before it is read.
            "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]},
        },
        "operations": [
            # No schema can say that the URL has to be of the configured ingest server.
            {
                "include-path": "/debug/test-dynamic-source-switch",
                "checks": {"positive_data_acceptance": {"expected-statuses": ["202", "400", "404", "409"]}},
            },
            # Nor how long the line-up is just now.
            {
                "include-path": "/queue/{name}/move",
                "checks": {"positive_data_acceptance": {"expected-statuses": ["200", "400", "404", "409"]}},
            },
            # Nor for which quantities null stands for a value: for silence.
            {
                "include-path": "/measurements",
                "checks": {"positive_data_acceptance": {"expected-statuses": ["200", "400", "404"]}},
            },
            # DELETE is served there too: it takes out a streamer of that name.
            # Nor what nginx-rtmp's calls other than of a publish need: nothing.
            {
                "include-path": "/hooks/nginx-rtmp",
                "include-method": "GET",
                "checks": {"negative_data_rejection": {"enabled": False}},
            },
            *(
                {"include-path": f"/queue/{name}", "checks": {"allow_header_conformance": {"enabled": False}}}
                for name in ("skip", "take", "hold", "release")
            ),
        ],
    }
)

schema = schemathesis.openapi.from_dict(document(token=False, secret=False), config=CONFIG).exclude(path="/events")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A show with some who wait."""
    with Live(tmp_path_factory.mktemp("live")) as started:
        for name in ("alice", "bob", "carol"):
            started.publish(name)
        started.until(lambda: started.get("/status")["on_air"])
        yield started
        assert "Traceback" not in started.console()


def every_answer_is_as_described(case: "schemathesis.Case[Any]", live: Live) -> None:
    # Which characters there are depends on the version of Unicode, and so does which of them can be printed.
    body = case.body.values() if isinstance(case.body, dict) else ()
    texts = (*(case.path_parameters or {}).values(), *(case.query or {}).values(), *body)
    odd = not all(unquote(str(text)).isprintable() for text in texts)
    case.call_and_validate(base_url=live.url, excluded_checks=[positive_data_acceptance] if odd else [])


def described(operation: str) -> Callable[..., None]:
    """The test of one operation, "GET /queue" say."""

    # Its `include` leaves others in where the configuration has operations of its own.
    @schema.exclude(lambda context: context.operation.label != operation).parametrize()
    @settings(
        max_examples=1000 if SOAK else 50,
        # The same requests each time: that schemathesis finds an odder one must not fail a change of something else.
        derandomize=not SOAK,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def test(case: "schemathesis.Case[Any]", live: Live) -> None:
        every_answer_is_as_described(case, live)

    made: Callable[..., None] = test
    return made


# A function for each: tests that schemathesis makes of one function share one id, and xdist goes by the ids: it would
# run the first of them alone.
for result in schema.get_all_operations():
    assert isinstance(result, Ok), result
    label = result.ok().label
    globals()["test_every_answer_is_as_described_" + re.sub(r"\W+", "_", label)] = described(label)
