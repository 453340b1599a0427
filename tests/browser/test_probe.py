"""What people see of a stream that is measured: a picture of it, a meter, its figures, and what is wrong."""

from collections.abc import Iterator

import pytest

from statemachine.policy import Grades, Policy, QualityPolicy
from tests.browser.support import Page
from tests.daemon.http.dashboard_backend import Backend
from tests.daemon.quality.reports import SILENT

pytestmark = pytest.mark.browser

QUICK = Policy(job_delay=0.0, cleanup_grace=0.0, quality=QualityPolicy(silence=Grades(skip=4.6)))


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend(policy=QUICK) as made:
        made.publish("alice", "bob", "carol")
        made.measured("alice")
        made.measured("bob", sound={**SILENT, "silent_seconds": 60.0})
        yield made


def row(page: Page, name: str) -> str:
    return f"#lineup li[data-key='{name}']"


def test_a_stream_that_is_measured_has_a_picture_a_meter_and_figures(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.until(lambda: page.find(f"{row(page, 'alice')} .probe-picture").is_displayed())
    text = page.text(f"{row(page, 'alice')} .probe-text")
    assert text == "\u221218.0 LUFS \u00b7 peak \u22126.0 dBTP \u00b7 1080p30 H264 \u00b7 3.0 Mbit/s"
    assert page.text("#onair-probe .probe-text") == text
    meter = page.find(f"{row(page, 'alice')} .meter")
    assert meter.get_attribute("aria-valuetext") == "-20 LUFS"
    assert not page.find(f"{row(page, 'carol')} .probe").is_displayed()
    page.until(lambda: any(asked.startswith("GET /preview/alice.jpg") for asked in backend.requests))


def test_what_is_wrong_is_said_and_who_is_passed_over_can_be_taken_all_the_same(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)

    def told() -> bool:
        backend.measured("bob", sound={**SILENT, "silent_seconds": 60.0})
        return "no sound" in page.text(f"{row(page, 'bob')} .row-state")

    page.until(told)
    assert page.find(f"{row(page, 'bob')} .meter").get_attribute("aria-valuetext") == "silent"
    page.click(f"{row(page, 'bob')} .tool-take")
    page.until(lambda: page.text("#onair-name") == "bob")
    assert "POST /queue/take?name=bob" in backend.requests


def test_on_a_phone_nothing_is_wider_than_it(page: Page, backend: Backend) -> None:
    page.open_live(backend.url, width=360, height=780)
    page.until(lambda: page.find(f"{row(page, 'alice')} .probe-text").is_displayed())
    assert page.js("return document.documentElement.scrollWidth") <= 360
