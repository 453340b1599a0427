"""The long search for an order of events that the rules cannot take: ``python -m tests.statemachine.soak``.

First publishers, operators and restarts on one channel for each mode, see ``endurance``. Then the search:

Hypothesis plays the channel in rounds of its own seeds, until the steps are taken. Each step is an event, an answer, a
fault or a stretch of time, after which every invariant is looked at; each example ends in a calm, after which the
channel must stand where it ought to. A broken one is shortened by Hypothesis and printed with its round's seed.
"""

import argparse
import secrets
import sys
import time

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.statemachine.channel import Channel
from tests.statemachine.channel_modes import MODES
from tests.statemachine.endurance import endure

LENGTHS = (25, 60, 60, 250)
"""Steps of an example, round by round: short ones come to many calms, long ones to deep states."""
EXAMPLES = 250


def search(steps: int, first_seed: int) -> int:
    """Run rounds until at least ``steps`` steps are taken; how many were. Raises what a broken invariant raises."""
    Channel.taken, number = 0, first_seed
    began = time.monotonic()
    while Channel.taken < steps:
        length = LENGTHS[number % len(LENGTHS)]
        profile = settings(
            deadline=None,
            database=None,
            derandomize=False,
            print_blob=True,
            max_examples=max(10, EXAMPLES * 60 // length),
            stateful_step_count=length,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seed(number)(Channel), settings=profile)
        except BaseException:
            print(f"broken: seed {number} (--seed {number} --steps 1 --endure 0 finds it again)", flush=True)
            raise
        print(f"seed {number}: {Channel.taken} steps in {time.monotonic() - began:.0f} s", flush=True)
        number += 1
    return Channel.taken


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.statemachine.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000, help="steps to take at least (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="the first round's seed (default: drawn)")
    parser.add_argument(
        "--endure", type=int, default=50_000, help="steps on long-lived channels (default: %(default)s)"
    )
    arguments = parser.parse_args()
    first = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    print(
        f"seed {first}, at least {arguments.steps} steps of the search, {arguments.endure} on long-lived channels",
        flush=True,
    )
    began = time.monotonic()
    if arguments.endure:
        share = -(-arguments.endure // len(MODES))
        lived = sum(endure(share, first, mode) for mode in sorted(MODES))
        seconds = time.monotonic() - began
        print(f"{lived} steps on {len(MODES)} channels in {seconds:.0f} s from seed {first}: no invariant broken")
    began = time.monotonic()
    taken = search(arguments.steps, first)
    print(f"{taken} steps in {time.monotonic() - began:.0f} s from seed {first}: no invariant broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
