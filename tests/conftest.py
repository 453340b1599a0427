"""Profiles of Hypothesis: HYPOTHESIS_PROFILE=soak runs the long one. And signals as a terminal gives them."""

import os
import signal

from hypothesis import HealthCheck, settings

from tests.alone import (  # noqa: F401  # hooks of pytest
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_runtest_protocol,
    pytest_runtest_setup,
    pytest_xdist_make_scheduler,
)
from tests.support.postgres import postgres, store_url  # noqa: F401  # fixtures

# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start with them: those
# that press it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A change is judged by what it changes, not by the draw: the same examples each time. The search is soak's.
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.register_profile(
    "soak",
    deadline=None,
    print_blob=True,
    derandomize=False,
    max_examples=1500,
    stateful_step_count=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
