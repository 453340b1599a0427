"""Two daemons that really run, to be attacked: one as on a fresh machine, one with every lock that there is."""

from collections.abc import Iterator

import pytest

from tests.attacks.support import LOCKED_HEADERS, LOCKS, assert_unharmed
from tests.daemon.http.live import Live


@pytest.fixture(scope="package")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """No token, anybody may publish; alice does."""
    with Live(tmp_path_factory.mktemp("fresh"), queue__reconnect_grace="0", log__level="debug") as live:
        live.publish("alice")
        live.until_on_air("alice")
        yield live
        assert_unharmed(live)


@pytest.fixture(scope="package")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A token, and a secret at the hooks, which come from nowhere near here."""
    with Live(tmp_path_factory.mktemp("locked"), headers=LOCKED_HEADERS, keys=LOCKS) as live:
        yield live
        assert_unharmed(live)
