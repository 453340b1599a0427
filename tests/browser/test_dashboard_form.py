"""That the page can be used by everybody, and by nobody else."""

import itertools

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.support import Page
from tests.daemon.http.dashboard_backend import Backend

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    '" onmouseover="window.pwned=1',
    "' ; -- \\ $(window.pwned=1) %00 &amp; #?/..",
    "\u202egnp.evil\u202c",
    "\u05e9\u05dc\u05d5\u05dd (live)",
    "W" * 64,
)


def hostile_backend(backend: Backend) -> None:
    backend.rules.slow.add(HOSTILE[1])
    backend.publish(*HOSTILE)


def test_names_that_are_scripts_are_shown_as_text(page: Page) -> None:
    with Backend() as backend:
        hostile_backend(backend)
        page.open_live(backend.url)
        page.until(lambda: page.names() == list(HOSTILE))
        assert page.texts("#onair-name") == [HOSTILE[0]]
        # The one after the slow one has its chance a second later, and stands by from then on.
        page.until(lambda: page.texts("#standby-name") == [HOSTILE[2]])
        page.click(page.button(f"Kick {HOSTILE[2]}…"))
        page.until(lambda: page.texts("#kick-title") == [f"Kick {HOSTILE[2]}?"])
        page.click("#kick-confirm")
        page.until(lambda: page.texts("#blocked .row-name") == [HOSTILE[2]])
        page.until(lambda: any(f"{HOSTILE[2]} was kicked" in line for line in page.texts("#log li")))
        assert page.js(
            "return [window.pwned ?? null, document.querySelectorAll('#main img:not(.probe-picture)').length]"
        ) == [None, 1]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isprintable()])
def test_actions_reach_the_streamer_of_any_name(page: Page, name: str) -> None:
    with Backend() as backend:
        backend.publish("alice", "bob", name)
        page.open_live(backend.url)
        page.click(page.button(f"Move {name} up"))
        page.until(lambda: page.names() == ["alice", name, "bob"])
        assert backend.order() == ["alice", name, "bob"]


def test_a_name_that_runs_the_other_way_turns_nothing_else_around(page: Page) -> None:
    with Backend() as backend:
        backend.publish(*HOSTILE[4:6])
        page.open_live(backend.url)
        page.until(lambda: page.names() == list(HOSTILE[4:6]))
        page.until(lambda: page.texts("#history .pair-names") == [f"nobody to {HOSTILE[4]}"])
        apart = (
            "return [...document.querySelectorAll(arguments[0])].map((node) => node.querySelector('bdi')?.textContent)"
        )
        for place in ("#onair-name", "#standby-name", "#lineup .row-name", "#history .pair-names", "#log li"):
            assert set(page.js(apart, place)) <= set(HOSTILE[4:6]), place


def test_markup_cannot_be_made_of_text_even_by_mistake(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    said = page.js("try { document.body.innerHTML = '<b>'; return 'made'; } catch (error) { return error.name; }")
    assert said == "TypeError"
    inline = "const s = document.createElement('style'); s.textContent = 'body{}'; document.head.append(s)"
    page.js(inline)
    page.until(lambda: page.js("return window.violations.length") >= 2)
    violations = page.js("return window.violations.splice(0)")
    assert [text.split()[0] for text in violations] == ["require-trusted-types-for", "style-src-elem"]
    page.complaints()


def test_nothing_comes_from_another_host(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.until(lambda: page.find("#picture").is_displayed())
    hosts = page.js("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)")
    assert set(hosts) <= {backend.url, "null"}
    assert backend.url in hosts


# --- keyboard and screen reader ------------------------------------------------------------------------------


def focused(page: Page) -> str:
    return str(page.js("const n = document.activeElement; return n.ariaLabel ?? n.id"))


def press(page: Page, *keys: str) -> None:
    ActionChains(page.driver).send_keys(*keys).perform()


def test_everything_can_be_done_from_the_keyboard(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    reached = []
    for _ in range(60):
        press(page, Keys.TAB)
        reached.append(focused(page))
        if reached[-1] == "block-last":
            break
    for name in ("Wall layout", "skip", "hold", "Kick carol…", "log", "turn-minutes", "block-last"):
        assert name in reached
    page.js("document.querySelector('#skip').focus()")
    press(page, Keys.ENTER)
    page.until(lambda: page.text("#onair-name") == "bob")


def test_a_dialog_is_left_by_escape_and_gives_the_focus_back(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.js("document.querySelector('.tool-kick').focus()")
    press(page, Keys.ENTER)
    page.until(lambda: page.find("#kick").is_displayed())
    press(page, Keys.ESCAPE)
    page.until(lambda: not page.find("#kick").is_displayed())
    assert focused(page) == "Kick alice…"
    assert backend.order() == ["alice", "bob", "carol", "dave"]


def test_the_focus_can_be_seen(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.js("document.querySelector('#skip').focus()")
    press(page, Keys.TAB)
    width = page.js("return getComputedStyle(document.activeElement).outlineWidth")
    assert float(str(width).removesuffix("px")) >= 2


def test_every_control_has_a_name_and_every_part_a_landmark(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    backend.rules.slow.add("erin")
    assert page.nameless() == []
    page.click(page.button("Kick carol…"))
    assert page.nameless() == []
    page.click("#kick-cancel")
    assert page.js("return document.querySelectorAll('main:not([hidden])').length") == 1
    title_of = "(section) => document.getElementById(section.getAttribute('aria-labelledby'))?.textContent.trim()"
    assert page.js(f"return [...document.querySelectorAll('main section')].every({title_of})")
    assert page.js("return document.documentElement.lang") == "en"
    ids = page.js("return [...document.querySelectorAll('[id]')].map((n) => n.id)")
    assert len(ids) == len(set(ids))


def test_a_change_on_air_is_told_to_those_who_listen(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    assert page.attribute("#announcer", "aria-live") == "polite"
    page.js(
        "const region = document.querySelector('#announcer'); window.told = [];"
        "new MutationObserver(() => window.told.push(region.textContent))"
        ".observe(region, {childList: true, characterData: true, subtree: true})"
    )
    page.click("#skip")
    page.until(lambda: "bob is on air" in page.js("return window.told"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_that_is_written_can_be_read(page: Page, theme: str) -> None:
    with Backend() as backend:
        backend.rules.slow.add("bob")
        backend.publish("alice", "bob", "carol", "dave")
        backend.unpublish("dave")
        page.open_live(backend.url, theme=theme)
        backend.obs_lost()
        page.until(lambda: page.text("#health-chip") == "1 problem", 20.0)
        found = page.contrasts()
        assert len(found) > 40
        assert [row for row in found if row[2] < 4.5] == []
        page.click(page.button("Kick carol…"))
        assert [row for row in page.contrasts() if row[2] < 4.5] == []
        page.click("#kick-cancel")
        backend.stop()
        page.until(lambda: page.find("#lost").is_displayed())
        assert [row for row in page.contrasts() if row[2] < 4.5] == []


def test_nothing_moves_for_those_who_want_it_still(page: Page) -> None:
    with Backend() as backend:
        backend.rules.slow.add("bob")
        backend.publish("alice", "bob")
        page.open_live(backend.url, motion=False)
        page.until(lambda: page.find("#buffering").is_displayed())
        page.until(lambda: page.js("return document.getAnimations().length") == 0)


# --- sizes and colours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "layout"), list(itertools.product((320, 360, 390, 768, 1024, 1440, 1920, 2560), ("", "#wall")))
)
def test_nothing_has_to_be_scrolled_sideways(page: Page, width: int, layout: str) -> None:
    with Backend() as backend:
        hostile_backend(backend)
        page.open_live(f"{backend.url}/{layout}", width=width, height=900)
        assert page.js("return document.documentElement.scrollWidth") <= width
        # What is cut off with an ellipsis, or moves in a frame of its own, may be wider.
        wide = page.js(
            "return [...document.querySelectorAll('main *')].filter((n) => n.checkVisibility()"
            " && !n.closest('svg, .unseen, .row-name, .pair-names, .standby-name, .buffering')"
            " && n.getBoundingClientRect().right > innerWidth + 1).map((n) => n.className)"
        )
        assert wide == []


@pytest.mark.parametrize("width", [390, 640, 768, 1024, 1280, 1440, 1920, 2560])
def test_the_picture_fills_its_place_without_bars(page: Page, backend: Backend, width: int) -> None:
    page.open_live(backend.url, width=width, height=900)
    wide, high = page.js(
        "const b = document.querySelector('.stage').getBoundingClientRect(); return [b.width, b.height]"
    )
    assert abs(high - wide * 9 / 16) < 12


@pytest.mark.parametrize("width", [390, 768, 1280, 1440, 1920])
def test_usual_names_are_shown_whole(page: Page, width: int) -> None:
    with Backend() as backend:
        backend.publish("nightjar", "basement-tapes", "dj_okonkwo")
        page.open_live(backend.url, width=width, height=900)
        page.until(lambda: page.text("#standby-state").startswith("Ready"))
        cut = page.js(
            "return [...document.querySelectorAll('.row-name, .standby-name, #onair-name, .node text')]"
            ".filter((n) => n.scrollWidth > n.clientWidth + 1 && n.clientWidth > 0).map((n) => n.textContent)"
        )
        assert cut == []
        tight = page.js(
            "return [...document.querySelectorAll('.node')].filter((n) => n.querySelector('text').getBBox().width"
            " > n.querySelector('rect').getBBox().width - 6).map((n) => n.textContent)"
        )
        assert tight == []


def test_nothing_is_said_before_it_is_known(page: Page, backend: Backend) -> None:
    """A page that waits for its first answer neither says that nobody is on air nor offers buttons."""
    page.withhold("*/status")
    page.open(backend.url)
    page.until(lambda: page.text("#connection-text") == "Connected")
    page.until(lambda: any(request.startswith("GET /queue") for request in backend.requests))
    assert not page.find("#skip").is_displayed()
    assert not page.find("#onair-title").is_displayed()
    assert "Reading" in page.js("return getComputedStyle(document.querySelector('#main'), '::before').content")
    page.withhold()
    page.until(lambda: page.text("#onair-name") == "alice")
    assert page.attribute("#main", "aria-busy") == "false"


def test_fingers_find_the_buttons_on_a_phone(page: Page, backend: Backend) -> None:
    page.open_live(backend.url, width=390, height=844)
    small = page.js(
        "return [...document.querySelectorAll('button')].filter((n) => n.checkVisibility())"
        ".map((n) => [n.ariaLabel ?? n.textContent, n.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 40 || box.height < 40).map(([name]) => name)"
    )
    assert small == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (3840, 2160)])
def test_a_wall_screen_shows_it_all_without_scrolling(page: Page, backend: Backend, width: int, height: int) -> None:
    page.open_live(f"{backend.url}/#wall", width=width, height=height)
    assert page.js("return document.documentElement.scrollHeight") <= height
    assert not page.find("#skip").is_displayed()
    size = page.js("return parseFloat(getComputedStyle(document.querySelector('#onair-name')).fontSize)")
    assert size >= 0.04 * height
    box = page.js("const b = document.querySelector('#turn-clock').getBoundingClientRect(); return [b.bottom, b.right]")
    assert box[0] <= height
    assert box[1] <= width


def test_the_wall_layout_is_entered_and_left_by_its_button(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click("#wall-toggle")
    page.until(lambda: not page.find("#log").is_displayed())
    assert page.driver.current_url.endswith("#wall")
    page.click("#wall-toggle")
    page.until(lambda: page.find("#log").is_displayed())


def test_the_colours_follow_the_system_until_somebody_chooses(page: Page, backend: Backend) -> None:
    page.open_live(backend.url, theme="dark")
    assert page.attribute("html", "data-theme") == "dark"
    page.click("#theme-toggle")
    assert page.attribute("html", "data-theme") == "light"
    page.driver.refresh()
    page.until_live()
    assert page.attribute("html", "data-theme") == "light"
    page.click("#theme-toggle")
    page.click("#theme-toggle")
    assert page.attribute("html", "data-theme") == "dark"


def test_a_thousand_in_the_line_up_leave_the_page_usable(page: Page) -> None:
    with Backend() as backend:
        backend.publish(*(f"streamer-{number}" for number in range(1000)))
        page.open_live(backend.url)
        page.until(lambda: page.text("#lineup-count") == "1000")
        assert page.js("return document.documentElement.scrollHeight") < 2500
        page.click("#skip")
        page.until(lambda: page.text("#onair-name") == "streamer-1")
