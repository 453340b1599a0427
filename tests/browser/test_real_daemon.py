"""The page with the daemon itself behind it, as a process of its own."""

from pathlib import Path

import pytest

from tests.browser.support import Page
from tests.daemon.http.live import Live

pytestmark = pytest.mark.browser


def test_a_daemon_that_is_killed_and_started_again_is_found_with_the_same_show(page: Page, tmp_path: Path) -> None:
    with Live(tmp_path) as live:
        for name in ("alice", "bob", "carol"):
            live.publish(name)
        live.until(lambda: live.on_air() == "alice")
        page.open_live(live.url)
        page.click("#hold")
        page.until(lambda: page.text("#held-tag") == "HELD")
        page.click(page.button("Move carol up"))
        page.until(lambda: page.names() == ["alice", "carol", "bob"])
        live.kill()
        page.until(lambda: page.find("#lost").is_displayed())
        assert page.text("#onair-name") == "alice", "what was last known stays"
        live.start_again()
        page.until(lambda: page.text("#connection-text") == "Connected")
        page.until(lambda: not page.find("#lost").is_displayed())
        page.until(lambda: page.names() == ["alice", "carol", "bob"] and page.text("#held-tag") == "HELD")
        page.click("#hold")
        page.until(lambda: not page.find("#held-tag").is_displayed())
        page.click("#skip")
        page.until(lambda: page.text("#onair-name") == "carol")


def test_trouble_with_the_file_is_on_the_page_and_goes_by_itself(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "motherstream.db"
    path.mkdir()
    with Live(tmp_path) as live:
        live.publish("alice")
        page.open_live(live.url)
        page.until(lambda: page.text("#onair-name") == "alice")
        page.until(lambda: "problem" in page.text("#health-chip"))
        trouble = page.texts('#checks [data-level="trouble"]')
        assert any("Journal" in text and "The show goes on." in text for text in trouble)
        path.rmdir()
        page.until(lambda: not any("Journal" in text for text in page.texts('#checks [data-level="trouble"]')), 30.0)
