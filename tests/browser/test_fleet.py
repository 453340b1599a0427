"""The page of all channels, and what the dashboard says of who owns this one."""

import pytest

from tests.browser.support import Page
from tests.daemon.http.dashboard_backend import Backend

pytestmark = pytest.mark.browser


def titles(page: Page) -> list[str]:
    return page.texts("#fleet h2 bdi")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 780), (1440, 900)])
def test_all_channels_are_on_one_page_and_those_in_trouble_come_first(
    page: Page, backend: Backend, theme: str, width: int, height: int
) -> None:
    page.open(f"{backend.url}/dashboard/fleet.html", width=width, height=height, theme=theme)
    page.until(lambda: len(titles(page)) == 3)
    assert titles(page) == ["gold", "silver", "main"]
    assert page.text("#summary") == "3 channels, 2 in trouble"
    assert page.texts("#fleet .now") == ["Nobody on air", "DJ Ötzi", "alice"]
    cards = page.texts("#fleet .panel")
    assert "Nobody: start a daemon of this channel" in cards[0]
    assert "four does not reach OBS" in cards[1]
    assert "ingest: Falling back to hooks only" in cards[1]
    assert "12 events behind" in cards[1]
    assert page.js("return document.documentElement.scrollWidth") <= width
    assert page.find("#fleet .panel:last-child a").get_attribute("href") == "http://one:8000/"


def test_the_dashboard_says_who_owns_the_channel_and_leads_to_all_of_them(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.until(lambda: page.text("#owner") == "Owner one, heir two")
    page.click("#owner")
    page.until(lambda: len(titles(page)) == 3)
