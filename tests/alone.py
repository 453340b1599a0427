"""Tests in parallel (``pytest -n 3``): those on the studio on one worker, and the others beside them.

tests/conftest.py takes its hooks from here. A real OBS on two cores needs one of them, and what it lacks is seen in its
picture. So all tests on a real OBS go to the first worker from the start, one after the other,
and whoever runs tests beside them does so in the background: it gets the time that the studio leaves. A few tests
measure the machine itself; nothing runs beside these. Once the studio is through, its worker helps the others.
"""

import contextlib
import fcntl
import functools
import os
import re
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

STUDIO = ("tests/e2e/",)  # a real OBS
BESIDE = (
    "tests/browser/",  # Chromium
    "tests/deploy/test_service.py",  # a whole systemd
    "tests/machine/",  # full disks, stopped processes, watchdogs that count seconds
    "tests/e2e/test_measuring.py",
    "tests/e2e/test_monitor.py",
    "tests/e2e/test_recording.py",  # recordings that ffmpeg makes
)
"""They start as much as those on the studio, but have no OBS, and most of their time they wait. Each file is one
worker's, and they come first: what is long is not left for the end."""
MARKS = ("real", "browser")
BACKGROUND = 13
"""The niceness of tests beside the studio: OBS gets a processor at once, and two workers together a tenth of it at the
worst, for they have deadlines as well."""
ALONE = ("tests/attacks/test_crowds.py",)  # hundreds of connections, and how late a hook is answered meanwhile
TOGETHER = (
    "tests/attacks/test_canaries.py",
    "tests/daemon/http/test_openapi_answers.py",
    "tests/daemon/http/test_openapi_fuzz.py",
    "tests/deploy/test_install.py",
    "tests/deploy/test_proxy.py",
)
"""What all their tests share takes long to make, so one worker runs all of them."""


def is_on_studio(nodeid: str) -> bool:
    """Whether the test is one of those that the first worker runs, one after the other."""
    return (nodeid.startswith(STUDIO) and not is_beside(nodeid)) or is_alone(nodeid) or "[real" in nodeid


def is_beside(nodeid: str) -> bool:
    """Whether the test may run beside the studio though it starts as much."""
    return nodeid.startswith(BESIDE)


def is_alone(nodeid: str) -> bool:
    """Whether the test is one of those that nothing may run beside."""
    return nodeid.startswith(ALONE)


# -- in each worker


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that nothing may run beside come last: then the others are through, mostly. The long ones come first."""
    items.sort(key=lambda item: (is_alone(item.nodeid), not is_beside(item.nodeid)))
    # xdist goes by the ids: of those that share one, it would run the first and leave out the others in silence.
    shared = [nodeid for nodeid, count in Counter(item.nodeid for item in items).items() if count > 1]
    if shared:
        raise pytest.UsageError(f"several tests have the same id, and in parallel only one of them would run: {shared}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """A worker beside the studio's goes to the background."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if worker != "gw0" and any(is_on_studio(item.nodeid) for item in session.items):
        _to_the_background()


def _to_the_background() -> None:
    os.nice(BACKGROUND)
    # Linux may share the processors between terminals' sessions first, and in each by niceness then (sched(7),
    # autogroup): a session of its own has a niceness of its own.
    with contextlib.suppress(OSError):
        os.setsid()
        Path("/proc/self/autogroup").write_text(str(BACKGROUND))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """One on the studio that the table above does not know would run beside others. It fails, each time."""
    known = is_on_studio(item.nodeid) or is_beside(item.nodeid)
    if any(item.get_closest_marker(mark) for mark in MARKS) and not known:
        pytest.fail("it is marked as one on the studio, so tests/alone.py has to know it", pytrace=False)


@functools.cache
def _locks(checkout: Path) -> tuple[int, int]:
    """A gate and the machine behind it. Two folders: every worker has them, and nothing has to be made or removed. No
    child process inherits them."""
    return os.open(checkout, os.O_RDONLY), os.open(checkout / "tests", os.O_RDONLY)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around everything, so that no time limit runs while a test waits for its turn."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    gate, machine = _locks(item.config.rootpath)
    # Who waits for the machine holds the gate, so that others do not pass it by for ever.
    fcntl.flock(gate, fcntl.LOCK_EX)
    fcntl.flock(machine, fcntl.LOCK_EX if is_alone(item.nodeid) else fcntl.LOCK_SH)
    fcntl.flock(gate, fcntl.LOCK_UN)
    try:
        return (yield)
    finally:
        fcntl.flock(machine, fcntl.LOCK_UN)


# -- in the process that hands out the tests


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """The studio's tests go to the first worker, all at once; each other one to whoever is free."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  # without xdist nobody calls this

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # it says nothing of its types
        def _split_scope(self, nodeid: str) -> str:
            if is_on_studio(nodeid):
                return "the studio"
            return nodeid.partition("::")[0] if nodeid.startswith((*TOGETHER, *BESIDE)) else nodeid

        def _assign_work_unit(self, node: object) -> None:
            if "the studio" in self.workqueue:
                first = min(self.nodes, key=_number)
                self.workqueue.move_to_end("the studio", last=node is not first)
            super()._assign_work_unit(node)

    # It would put the largest group first.
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def _number(node: object) -> int:
    """A worker's: gw0, gw1, gw2 for one that has taken the place of a dead one."""
    return int(re.sub(r"\D", "", node.gateway.id))  # type: ignore[attr-defined]  # xdist says nothing of its types
