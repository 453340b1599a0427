"""What the people who run the channel do on the page."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from daemon.core.ports import Check
from statemachine.handover.states import State
from tests.browser.support import Page
from tests.daemon.http.dashboard_backend import Backend

pytestmark = pytest.mark.browser


@pytest.fixture
def guarded() -> Iterator[Backend]:
    """A daemon that asks for a token."""
    with Backend("correct horse") as made:
        made.publish("alice", "bob")
        yield made


def sign_in(page: Page, token: str) -> None:
    page.until(lambda: page.find("#token").is_displayed())
    page.find("#token").clear()
    page.find("#token").send_keys(token, Keys.ENTER)


# --- the account ---------------------------------------------------------------------------------------------


def test_the_right_token_lets_in_and_stays_known_over_a_reload(page: Page, guarded: Backend) -> None:
    page.open(guarded.url)
    sign_in(page, "correct horse")
    page.until_live()
    assert page.text("#onair-name") == "alice"
    page.driver.refresh()
    page.until_live()
    assert page.text("#onair-name") == "alice"


def test_a_wrong_token_is_told_and_shows_nothing(page: Page, guarded: Backend) -> None:
    page.open(guarded.url)
    sign_in(page, "guess")
    page.until(lambda: page.text("#sign-in-error") == "The token is wrong.")
    assert not page.find("#main").is_displayed()
    assert not any(request.startswith(("GET /status", "GET /events")) for request in guarded.requests)


def test_signing_out_asks_for_the_token_again(page: Page, guarded: Backend) -> None:
    page.open(guarded.url)
    sign_in(page, "correct horse")
    page.until_live()
    page.click("#sign-out")
    page.until(lambda: page.find("#token").is_displayed())
    page.driver.refresh()
    page.until(lambda: page.find("#token").is_displayed())


def test_a_sign_in_that_is_over_is_asked_for_anew_when_something_is_done(page: Page, guarded: Backend) -> None:
    page.open(guarded.url)
    sign_in(page, "correct horse")
    page.until_live()
    page.driver.delete_all_cookies()
    page.click("#hold")
    page.until(lambda: page.find("#token").is_displayed())
    sign_in(page, "correct horse")
    page.until_live()
    assert page.text("#onair-name") == "alice"


# --- the show ------------------------------------------------------------------------------------------------


def test_what_is_on_air_and_who_waits_is_shown(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    assert page.text("#onair-title").casefold() == "on air"
    assert page.text("#onair-name") == "alice"
    assert "GMOTHERSTREAM_1" in page.text("#onair-sub")
    assert page.text("#turn-clock").startswith(("59:", "1:00:00"))
    assert page.text("#standby-name") == "bob"
    assert page.text("#standby-state").startswith("Ready")
    assert page.names() == ["alice", "bob", "carol", "dave"]
    assert page.driver.title == "alice on air · Motherstream"


@pytest.mark.parametrize(
    ("channel", "head", "title"),
    [("gold", "Motherstream gold", "gold · Motherstream"), ("main", "Motherstream", "Motherstream")],
)
def test_a_channel_s_name_stands_in_the_head_and_in_the_title_but_not_the_first_one_s(
    page: Page, channel: str, head: str, title: str
) -> None:
    gold = Backend()
    gold.config = gold.config.model_copy(update={"channel": channel})
    with gold:
        gold.publish("alice")
        page.open_live(gold.url)
        page.until(lambda: page.driver.title == f"alice on air · {title}")
        assert page.text("h1").strip() == head


def test_skip_puts_the_next_one_on_air(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click("#skip")
    page.until(lambda: page.text("#onair-name") == "bob")
    page.until(lambda: page.names() == ["bob", "carol", "dave", "alice"])
    page.until(lambda: any("alice → bob in" in line for line in page.texts("#log li")))
    page.until(lambda: page.texts("#history .pair-names")[0].split() == ["alice", "to", "bob"])


def test_skip_cannot_be_pressed_while_nobody_waits(page: Page) -> None:
    with Backend() as backend:
        backend.publish("alice")
        page.open_live(backend.url)
        page.until(lambda: page.attribute("#skip", "aria-disabled") == "true")
        page.find("#skip").click()
        page.until(lambda: page.text("#onair-name") == "alice")
        assert not any("/queue/skip" in request for request in backend.requests)


def test_the_line_up_is_reordered_by_its_buttons_and_keeps_the_focus(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Move dave up"))
    page.until(lambda: page.names() == ["alice", "bob", "dave", "carol"])
    page.until(lambda: page.js("return document.activeElement.ariaLabel") == "Move dave up")
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    page.until(lambda: page.names() == ["alice", "dave", "bob", "carol"])
    assert backend.order() == ["alice", "dave", "bob", "carol"]
    # Above him is the one who has the turn.
    page.until(lambda: page.attribute(page.button("Move dave up"), "aria-disabled") == "true")
    page.click(page.button("Move dave down"))
    page.until(lambda: page.names() == ["alice", "bob", "dave", "carol"])


def test_one_at_the_end_gets_to_any_place_in_one_go_and_a_turn_of_its_own(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Change the place or turn of dave…"))
    page.until(lambda: page.text("#change-title") == "dave")
    assert page.attribute("#change-position", "min") == "1", "as for `motherstream move`: 0 has the turn, 1 is next"
    assert page.texts("#lineup .row-position") == ["0", "1", "2", "3"]
    for field, value in (("#change-position", "1"), ("#change-minutes", "7.5")):
        page.find(field).clear()
        page.find(field).send_keys(value)
    page.click("#change-confirm")
    page.until(lambda: page.names() == ["alice", "dave", "bob", "carol"])
    assert {place.streamer: place.turn_length for place in backend.view().queue}["dave"] == 450.0


def test_what_is_not_changed_is_not_asked_for(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Change the place or turn of alice…"))
    page.until(lambda: page.find("#change").is_displayed())
    assert not page.find("#change-position").is_enabled(), "she has the turn"
    page.find("#change-minutes").send_keys(Keys.BACKSPACE * 4, "90")
    page.click("#change-confirm")
    page.until(lambda: page.text("#turn-clock").startswith("1:29:"))
    page.click(page.button("Change the place or turn of bob…"))
    page.click("#change-confirm")
    page.until(lambda: not page.find("#change").is_displayed())
    page.click(page.button("Change the place or turn of carol…"))
    page.find("#change-position").clear()
    page.click("#change-cancel")
    page.until(lambda: not page.find("#change").is_displayed())
    asked = [request for request in backend.requests if request.startswith("POST")]
    assert asked == ["POST /update-timer/5400?streamer=alice"]


def test_a_kick_asks_back_and_keeps_the_streamer_out_for_as_long_as_chosen(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Kick carol…"))
    page.until(lambda: page.text("#kick-title") == "Kick carol?")
    page.click("#kick-cancel")
    page.until(lambda: not page.find("#kick").is_displayed())
    assert backend.order() == ["alice", "bob", "carol", "dave"]
    page.click(page.button("Kick carol…"))
    page.click('#kick input[value="3600"]')
    page.click("#kick-confirm")
    page.until(lambda: page.names() == ["alice", "bob", "dave"])
    page.until(lambda: page.texts("#blocked .row-name") == ["carol"])
    assert 3500 < backend.view().blocks["carol"] - backend.view().at <= 3600


def test_one_who_is_kept_out_is_let_in_again(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Kick bob…"))
    page.click("#kick-confirm")
    page.click(page.button("Unblock bob"))
    page.until(lambda: not page.find("#blocked-box").is_displayed())
    assert backend.view().blocks == {}


def test_a_removal_asks_back(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Remove dave from the line-up…"))
    page.click("#remove-confirm")
    page.until(lambda: page.names() == ["alice", "bob", "carol"])


def test_hold_and_release(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click("#hold")
    page.until(lambda: page.text("#hold") == "Release")
    assert backend.view().held
    assert page.attribute("#hold", "aria-pressed") == "true"
    page.until(lambda: "held" in page.text("#turn-label"))
    assert page.text("#held-tag") == "HELD"
    page.click("#hold")
    page.until(lambda: page.text("#hold") == "Hold")
    assert not backend.view().held


def test_a_turn_is_extended_and_shortened(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click("#extend")
    page.until(lambda: page.text("#turn-clock").startswith("1:04:"))
    page.click("#shorten")
    page.until(lambda: page.text("#turn-clock").startswith("59:"))
    assert backend.view().queue[0].turn_length == 3600.0


def test_one_who_fills_in_is_told_as_such_and_has_no_turn_to_extend(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    backend.unpublish("alice")
    page.until(lambda: page.text("#onair-name") == "bob")
    page.until(lambda: page.text("#turn-clock") == "Filling in")
    assert page.text("#turn-label") == "for alice"
    page.until(lambda: page.attribute("#extend", "aria-disabled") == "true")
    away = page.texts("#lineup .row-state")[0]
    assert away.startswith("Away, keeps the turn for 0:")
    backend.publish("alice")
    page.until(lambda: page.text("#onair-name") == "alice")
    page.until(lambda: page.attribute("#extend", "aria-disabled") == "false")


def test_the_settings_of_turns(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.until(lambda: page.attribute("#turn-minutes", "value") == "60")
    page.find("#turn-minutes").clear()
    page.find("#turn-minutes").send_keys("7.5", Keys.ENTER)
    page.until(lambda: page.text("#turn-clock").startswith("7:"))
    assert backend.do(lambda: backend.rules.director.policy.turn) == 450.0
    page.click("#block-last")
    page.until(lambda: page.find("#block-last").is_selected())
    assert backend.do(lambda: backend.rules.director.policy.block_last)


def test_a_refusal_is_told_in_the_daemons_words(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click(page.button("Remove dave from the line-up…"))
    backend.remove("dave")  # by somebody else, while the page asks back
    page.click("#remove-confirm")
    page.until(lambda: any("dave is not in the line-up" in text for text in page.texts(".toast.trouble")))


def test_an_input_that_buffers_is_shown_with_the_state_that_is_lit(page: Page) -> None:
    with Backend() as backend:
        backend.rules.slow.add("bob")
        backend.publish("alice")
        page.open_live(backend.url)
        backend.publish("bob")
        page.until(lambda: page.find("#buffering").is_displayed())
        page.until(lambda: page.texts(".node.lit text") == ["BUFFERING"])
        assert "Present state: BUFFERING" in str(page.attribute("#diagram svg", "aria-label"))
        assert page.js("return document.querySelector('.edge.taken').dataset.edge") == "CREATING BUFFERING"
        assert set(page.texts(".node text")) == {state.value for state in State}


def test_the_picture_is_shown_while_obs_gives_one(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.until(lambda: page.js("return document.querySelector('#picture').naturalWidth") == 32)
    backend.obs_lost()
    page.until(lambda: page.text("#picture-none") == "OBS is not connected")
    page.until(lambda: page.text("#health-chip") == "1 problem")
    page.until(lambda: page.texts(".node.lit text") == ["RECOVERING"])
    backend.obs_ready()
    page.until(lambda: page.find("#picture").is_displayed())
    page.until(lambda: page.text("#health-chip") == "All OK")


def test_trouble_says_what_it_means_for_the_show(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    assert "".join(page.texts("#checks .check-means")) == ""
    backend.checks[1] = Check("journal", False, "/var/lib/motherstream/motherstream.db: database or disk is full")
    page.until(lambda: page.text("#health-chip") == "1 problem")
    journal = page.text('#checks [data-level="trouble"]')
    assert "database or disk is full" in journal
    assert "The show goes on. A restart now would lose" in journal
    backend.checks[1] = Check("journal", True)
    page.until(lambda: page.text("#health-chip") == "All OK")
    assert "".join(page.texts("#checks .check-means")) == ""


def test_how_the_stream_plays_is_part_of_the_health(page: Page, backend: Backend) -> None:
    obs, ingest = {"fps": 29.97}, {"bitrate": 3020.0}
    backend.health.now = {"score": 97.5, "issues": [], "obs": obs, "ingest": ingest}
    page.open_live(backend.url)
    page.until(lambda: "97 of 100 · 3.0 Mbit/s · 30 fps" in page.texts("#checks .check-text"))
    assert page.text("#health-chip") == "All OK"
    backend.health.now = {"score": 40.0, "issues": ["low_bitrate", "render_lag"], "obs": obs, "ingest": ingest}
    page.until(lambda: "40 of 100 · low bitrate · render lag" in page.texts("#checks .check-text"))
    assert page.text("#health-chip") == "1 problem"


def test_a_score_that_something_costs_has_no_tick_and_nothing_says_that_all_is_well(
    page: Page, backend: Backend
) -> None:
    backend.health.now = {"score": 71.4, "issues": ["render_lag"], "obs": {"fps": 30.0}, "ingest": {"bitrate": 3020.0}}
    page.open_live(backend.url)
    page.until(lambda: page.text("#health-chip") == "1 warning")
    (row,) = page.texts('#checks [data-level="notice"]')
    assert "71 of 100 · render lag" in row
    assert "OBS renders too slowly." in row
    assert page.text("#health-word") == "1 warning"
    assert page.texts("#checks .check-row")[0] == row, "the worst first"
    ticks = "return document.querySelectorAll('#checks [data-level=notice] path[d^=\"M5 12.5\"]').length"
    assert page.js(ticks) == 0
    backend.checks[1] = Check("journal", False, "the disk is full")
    page.until(lambda: page.text("#health-chip") == "1 problem")
    assert "Journal" in page.texts("#checks .check-row")[0]


def test_that_nobody_is_on_air_is_no_fault_where_nobody_publishes(page: Page, backend: Backend) -> None:
    backend.health.now = {"score": 100.0, "issues": ["nobody_on_air"]}
    page.open_live(backend.url)
    page.until(lambda: "100 of 100 · nobody on air" in page.texts("#checks .check-text"))
    assert page.text("#health-chip") == "All OK"


def test_a_change_of_the_streams_health_is_told_in_words(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    backend.do(
        lambda: backend.rules.hub.publish("health_changed", {"at": 1.0, "score": 61.0, "issues": ["low_bitrate"]})
    )
    page.until(lambda: any("Health of the stream on air: low bitrate" in line for line in page.texts("#log li")))
    backend.do(lambda: backend.rules.hub.publish("health_changed", {"at": 2.0, "score": 99.0, "issues": []}))
    page.until(lambda: any("The stream on air has recovered" in line for line in page.texts("#log li")))


def test_state_steps_are_logged_for_those_who_want_them(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    page.click("#skip")
    page.until(lambda: any("bob is on air" in line for line in page.texts("#log li")))
    assert not any("SWAPPING → CLEANUP" in line for line in page.texts("#log li"))
    page.click("#show-steps")
    page.until(lambda: any("SWAPPING → CLEANUP, cut done" in line for line in page.texts("#log li")))


# --- the connection ------------------------------------------------------------------------------------------


def test_a_lost_daemon_is_said_and_found_again_by_itself(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    backend.stop()
    page.until(lambda: page.find("#lost").is_displayed())
    assert page.text("#connection-text") == "Retrying"
    assert page.text("#onair-name") == "alice"
    assert page.attribute("#skip", "aria-disabled") == "true"
    assert page.driver.title == "Connection lost · Motherstream"
    backend.publish("erin")
    backend.start()
    page.until(lambda: page.text("#connection-text") == "Connected")
    page.until(lambda: page.names() == ["alice", "bob", "carol", "dave", "erin"])
    assert not page.find("#lost").is_displayed()


def test_it_is_tried_again_at_once_where_somebody_asks_for_it(page: Page, backend: Backend) -> None:
    page.open_live(backend.url)
    backend.stop()
    page.until(lambda: page.find("#retry").is_displayed())
    backend.start()
    page.js("document.querySelector('#retry').click()")
    page.until(lambda: page.text("#connection-text") == "Connected")
