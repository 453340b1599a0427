from collections.abc import Iterator

import pytest

from tests.browser.support import Page, open_browser
from tests.daemon.http.dashboard_backend import Backend


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """A browser that knows nothing yet, and whose page must not have complained at the end."""
    browser.complaints()
    yield browser
    complaints = browser.complaints()
    browser.forget()
    assert complaints == []


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A daemon without a token: Alice is on air, Bob is ready, Carol and Dave wait."""
    with Backend() as made:
        made.publish("alice", "bob", "carol", "dave")
        yield made
