"""What is kept for the next look says the same as a walk along the whole line."""

import random
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from statemachine import events as ev
from statemachine.lineup.deadlines import Agenda
from statemachine.lineup.entry import Entry
from statemachine.lineup.lineup import Lineup
from statemachine.policy import Policy
from statemachine.view import Places

NAMES = ("alice", "bob", "carol", "dave", "eve")
DOINGS = (
    *("publish", "publish", "publish", "unpublish", "unpublish", "shown", "failed", "stalled", "probation", "moves"),
    *("skip", "move", "remove", "kick", "hold", "release", "release", "shift_deadlines", "turn", "policy"),
    *("transient", "nothing"),
)
PAUSES = (0.0, 0.0, 0.4, 1.0, 3.0, 8.0)
STEPS = 150


def any_policy(chance: random.Random) -> Policy:
    return Policy(
        turn=chance.choice([5.0, 30.0]),
        turn_when_alone=chance.choice([True, False]),
        after_turn=chance.choice(["requeue", "requeue", "kick"]),
        reconnect_grace=chance.choice([0.0, 3.0, 8.0, 300.0]),
        grace_cap=chance.choice([0.0, 5.0, 60.0]),
        retry_first=chance.choice([1.0, 5.0]),
    )


class Walking(Agenda):
    """Looks at everybody each time."""

    def __init__(self, line: Lineup) -> None:
        self.line = line

    def reset(self) -> None:
        """Nothing is kept."""

    def past_grace(self, now: float) -> list[Entry]:
        line = self.line
        return [entry for entry in line if (ends := line.grace_ends(entry)) is not None and ends <= now]

    def earliest(self, now: float) -> float | None:
        line = self.line
        times = [entry.retry_at for entry in line] + [line.grace_ends(entry) for entry in line]
        if line.holder is not None and not line.held:
            times.append(line.turn_ends(line.holder))
        return min((at for at in times if at is not None and at > now), default=None)


def do(line: Lineup, at: float, doing: str, name: str, policy: Policy, number: int) -> None:
    """One thing that happens to a line-up."""
    entry = line.find(name)
    session = entry.session.id if entry and entry.session else f"srs:{name}"
    fresh = ev.Session(f"srs:{name}{number}", name, "live", name)
    doings: dict[str, Callable[[], object]] = {
        "publish": lambda: line.publishers.publish(at, fresh),
        "transient": lambda: line.publishers.publish(at, fresh, transient=True),
        "unpublish": lambda: line.publishers.unpublish(at, session),
        "shown": lambda: line.turns.shown(at, name),
        "failed": lambda: line.standing.failed(at, session),
        "stalled": lambda: line.standing.stalled(at, session, at - 1.0),
        "probation": lambda: line.standing.start_probation(session, at + 3.0),
        "moves": lambda: line.standing.resumed(at, session),
        "skip": lambda: line.requests.skip(at, name),
        "move": lambda: line.requests.move(at, name, 1),
        "remove": lambda: line.requests.remove(at, name),
        "kick": lambda: line.requests.kick(at, name, 5.0),
        "hold": lambda: line.requests.hold(at, True),
        "release": lambda: line.requests.hold(at, False),
        "shift_deadlines": lambda: line.shift_deadlines(2.0),
        "turn": lambda: line.requests.set_turn(ev.TurnChanged(at, 7.0, name, True)),
        "policy": lambda: line.use(policy),
        "nothing": lambda: None,
    }
    doings[doing]()


@given(seed=st.integers(0, 2**32))
def test_the_order_of_time_says_what_a_walk_along_the_line_would_say(seed: int) -> None:
    chance = random.Random(seed)
    kept, walked = Lineup(Policy()), Lineup(Policy())
    walked.turns.agenda = Walking(walked)
    places = Places(kept)
    now = 0.0
    for number in range(STEPS):
        now += chance.choice(PAUSES)
        doing, name, policy = chance.choice(DOINGS), chance.choice(NAMES), any_policy(chance)
        for line in (kept, walked):
            line.expire(now)
            do(line, now, doing, name, policy, number)
            line.expire(now)
        assert kept.state == walked.state, number
        assert (kept.facts, kept.commands) == (walked.facts, walked.commands), number
        assert kept.deadline(now) == walked.deadline(now), number
        assert places() == Places(kept)(), number


def test_publishers_who_come_and_go_for_hours_leave_nothing_behind() -> None:
    line = Lineup(Policy(reconnect_grace=300.0, grace_cap=1e6))
    for number in range(5000):
        at = number * 0.01
        line.publishers.publish(at, ev.Session(f"srs:{number}", f"s{number % 7}", "live", "s"))
        line.publishers.unpublish(at, f"srs:{number}")
        line.expire(at)
    assert len(line.turns.agenda) < 100
    assert line.deadline(50.0) is not None
