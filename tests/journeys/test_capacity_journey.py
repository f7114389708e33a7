"""Step 2: a provider says what is free, on a phone, in one tap."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect

from capacity.models import ServiceCapacity
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_live, place, press, shows
from tests.journeys.steps import given_home, given_provider, when_somebody_reports

DAY = timedelta(days=1)


@pytest.fixture
def home(stack) -> ServiceCapacity:
    return given_home("Fir Grove", free=3)


@pytest.mark.req("R024")
@pytest.mark.req("R028")
def test_one_tap_says_what_is_free(visit: Visit, home: ServiceCapacity):
    # given a provider at her places
    page = visit(given_provider(home), "/places/")
    card = place(page, home)
    shows(page, home, "3 free", "green")
    assert_accessible(page)
    # when she taps +1, then one more is free
    press(card, "One more empty: Beds")
    shows(page, home, "4 free", "green")
    expect(page.locator("#places-said")).to_have_text("Saved. Fir Grove, Beds: 4 free.")
    # when she taps −1 three times, then few are left of the ten
    for left in (3, 2, 1):
        press(card, "One fewer empty: Beds")
        expect(card.locator(".lune-place__figure")).to_contain_text(f"{left} empty of 10 beds")
    shows(page, home, "1 free, few left", "amber")
    # when she taps Full, then it is full, and there is nothing to take away
    press(card, re.compile("^Full"))
    shows(page, home, "Full", "red")
    expect(card.get_by_role("button", name="One fewer empty: Beds")).to_be_disabled()
    home.refresh_from_db()
    assert home.available == 0
    assert_accessible(page)


def test_still_correct_makes_an_old_figure_fresh(visit: Visit, home: ServiceCapacity):
    # given a figure that was told three months ago, so that nobody believes it any more
    home.reported_at -= 90 * DAY
    home.save()
    page = visit(given_provider(home), "/places/")
    shows(page, home, "Not known", "grey")
    # when she says that it is still correct
    press(place(page, home), re.compile("^Still correct"))
    # then it is green again, and told now
    shows(page, home, "3 free", "green")
    expect(place(page, home).locator(".lune-rag__told")).to_have_text("told just now")


def test_an_exact_number_with_a_note(visit: Visit, home: ServiceCapacity):
    page = visit(given_provider(home), "/places/")
    card = place(page, home)
    # when she opens the whole form and says seven, with a waiting list
    card.get_by_text("Type a number, waiting list or note").click()
    card.get_by_label("Empty now").fill("7")
    card.get_by_label("Note for those who refer").fill("Ground floor only")
    assert_accessible(page)
    press(card, "Save all of this")
    # then that is what everybody reads
    shows(page, home, "7 free", "green")
    expect(card.get_by_text("Note: Ground floor only")).to_be_visible()
    public = visit(None, f"/directory/{home.service_id}/")
    shows(public, home, "7 free", "green")
    expect(public.get_by_text("Ground floor only")).to_be_visible()


def test_what_a_colleague_changed_meanwhile_is_not_overwritten(visit: Visit, home: ServiceCapacity):
    # given a provider who is typing, while her colleague says five
    page = visit(given_provider(home), "/places/")
    assert_live(page)
    card = place(page, home)
    card.get_by_text("Type a number, waiting list or note").click()
    card.get_by_label("Empty now").fill("9")
    when_somebody_reports(home, 5)
    shows(page, home, "5 free", "green")
    # when she saves hers
    press(card, "Save all of this")
    # then she is told, and nothing is overwritten
    expect(card.get_by_text("Somebody changed this figure before you. It now says 5 free.")).to_be_visible()
    home.refresh_from_db()
    assert home.available == 5
    assert_accessible(page)
    # and what she typed still stands there: when she has looked again and saves, hers counts
    expect(card.get_by_label("Empty now")).to_have_value("9")
    press(card, "Save all of this")
    shows(page, home, "9 free", "green")


def test_a_tap_is_answered_although_the_card_was_being_fetched_anew(visit: Visit, home: ServiceCapacity):
    # given a card that fetches itself, with a slow answer
    page = visit(given_provider(home), "/directory/")
    held: dict[str, Route] = {}
    page.route(f"**/places/{home.pk}/", lambda route: held.update({route.request.method: route}))
    with page.expect_request(lambda request: str(home.pk) in request.url and request.method == "GET"):
        page.goto("/places/")
    # when she taps meanwhile, and the card comes before the answer to her tap
    with page.expect_request(lambda request: request.method == "POST"):
        press(place(page, home), "One more empty: Beds")
    with page.expect_response(lambda response: response.request.method == "GET"):
        held.pop("GET").continue_()
    held.pop("POST").continue_()
    # then she is told what was saved
    expect(page.locator("#places-said")).to_have_text("Saved. Fir Grove, Beds: 4 free.")
    page.unroute_all()
