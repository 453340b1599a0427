"""Profiles of Hypothesis: HYPOTHESIS_PROFILE=soak runs the long one."""

import os

from hypothesis import HealthCheck, settings

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
