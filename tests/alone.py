"""Tests in parallel (``pytest -n 2``), and those that need the machine to themselves one after the other.

tests/conftest.py takes its hooks from here. Two things at once on a machine with two cores are too much for a real OBS:
its frames come late, and a test of the picture fails for a fault that is not there. So such tests come last, all in one
process, and hold a lock while they run that the other tests share.
"""

import fcntl
import functools
import os
from collections.abc import Generator
from pathlib import Path

import pytest

PLACES = (
    "tests/attacks/test_crowds.py",  # hundreds of connections, and how late a hook is answered meanwhile
    "tests/browser/",  # Chromium takes both cores
    "tests/deploy/",  # installs packages, starts systemd and web servers
    "tests/e2e/",  # a real OBS
    "tests/machine/",  # full disks, stopped processes, watchdogs that count seconds
)
MARKS = ("real", "browser")


def is_alone(nodeid: str) -> bool:
    """Whether the test is one of those that nothing may run beside."""
    return nodeid.startswith(PLACES) or "[real" in nodeid


@functools.cache
def _lock(checkout: Path) -> int:
    """Its folder: every worker has it, and nothing has to be made or removed. No child process inherits it."""
    return os.open(checkout, os.O_RDONLY)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that run alone come last; apart from that the order stays."""
    items.sort(key=lambda item: is_alone(item.nodeid))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """One on the studio that the table above does not know would run beside others. It fails, each time."""
    if any(item.get_closest_marker(mark) for mark in MARKS) and not is_alone(item.nodeid):
        pytest.fail("it is marked as one on the studio, so tests/alone.py has to know it", pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Around everything, so that no time limit runs while a test waits for its turn."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    alone, lock = is_alone(item.nodeid), _lock(item.config.rootpath)
    fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
    try:
        return (yield)
    finally:
        # A module's OBS outlives the test, and is alone as long as it lives.
        if not (alone and nextitem is not None and nextitem.path == item.path):
            fcntl.flock(lock, fcntl.LOCK_UN)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Each test goes to whoever is free; those that run alone go together, last, to one."""
    from xdist.scheduler import LoadScopeScheduling

    # It would put the largest group first.
    config.option.loadscopereorder = False
    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = lambda nodeid: "alone" if is_alone(nodeid) else nodeid
    return scheduling
