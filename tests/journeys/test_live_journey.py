"""Step 5: one tap changes every page that shows the service, and the pages come back by themselves when something dies."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from capacity.models import ServiceCapacity
from tests.factories import UserFactory
from tests.journeys.conftest import SERVER_GONE, Visit
from tests.journeys.pages import assert_accessible, assert_live, place, press, shows
from tests.journeys.steps import (
    given_home,
    given_patient,
    given_preston,
    given_provider,
    given_referrer,
    when_services_are_found_for,
    when_somebody_reports,
)
from tests.stack.live import Stack
from tests.stack.proxy import NoUpgrade

#: Every service that a figure is told of here keeps it for a day as fresh and for three as ageing (capacity.reference, care homes).
AGEING, OLD = timedelta(hours=24), timedelta(hours=72)


@pytest.fixture
def home(stack) -> ServiceCapacity:
    given_preston()
    return given_home("Fir Grove", free=3)


@pytest.fixture
def proxy(stack: Stack) -> Iterator[NoUpgrade]:
    with NoUpgrade(stack.port) as one:
        yield one


def assert_not_live(page: Page) -> None:
    """The page says since when it may be out of date."""
    expect(page.locator("#live-status")).to_contain_text("Not live since")


@pytest.mark.req("R003")
@pytest.mark.req("R028")
def test_a_tap_changes_every_page_that_shows_the_service(proxy: NoUpgrade, visit: Visit, home: ServiceCapacity, console: list[str]):
    # given a ranked list, the public's directory and a service's page, and a manager's dashboard, all showing one home
    nurse = given_referrer()
    ranked = visit(nurse, "/")
    when_services_are_found_for(ranked, given_patient(nurse))
    directory = visit(None, "/directory/?q=Fir+Grove")
    service = visit(None, f"/directory/{home.service_id}/")
    manager = visit(UserFactory(manager=True), "/dashboard/?kind=home-general-residential")
    manager.get_by_text("The same as a list").click()
    # and a board on a ward's wall, behind a proxy that lets no socket through
    console.append(SERVER_GONE)
    board = visit(UserFactory(), "/board/?kind=home-general-residential", port=proxy.port)
    pages = [ranked, directory, service, manager, board]
    for page in pages:
        shows(page, home, "3 free", "green")
        assert_accessible(page)
    for page in (ranked, manager, board):
        assert_live(page)
    # when the home says Full
    provider = visit(given_provider(home), "/places/")
    provider.locator(f"#full-{home.pk}").click()
    # then all of them say so, where they are
    for page in pages:
        shows(page, home, "Full", "red")
    # and when a place is free again, they say that
    press(place(provider, home), "One more empty")
    for page in pages:
        shows(page, home, "1 free, few left", "amber")
    # and the manager's figures, too, counted it anew
    expect(manager.get_by_role("region", name="Groups of places, by what is free now")).to_contain_text("1 place free")


@pytest.mark.req("R003")
@pytest.mark.parametrize(("width", "victims"), [(1280, ["web"]), (390, ["redis"]), (1280, ["relay"]), (390, ["web", "redis", "relay"])])
def test_a_page_says_that_it_is_not_live_and_comes_back(
    visit: Visit, stack: Stack, home: ServiceCapacity, victims: list[str], console: list[str]
):
    console.append(SERVER_GONE)
    # given a nurse who watches a list
    nurse = given_referrer()
    page = visit(nurse, "/")
    when_services_are_found_for(page, given_patient(nurse))
    assert_live(page)
    # when a part of the system dies
    for victim in victims:
        getattr(stack, victim).kill()
    # then she can see that the page may be out of date
    assert_not_live(page)
    assert_accessible(page)
    # and when it is there again, after the home has told another figure, then the page knows it, by itself
    when_somebody_reports(home, 7)
    stack.start()
    shows(page, home, "7 free", "green")
    assert_live(page)
    # and goes on being told
    when_somebody_reports(home, 0)
    shows(page, home, "Full", "red")


def test_a_figure_ages_on_the_screen_while_nobody_answers(visit: Visit, stack: Stack, home: ServiceCapacity, console: list[str]):
    console.append(SERVER_GONE)
    # given the public's page of a home, open while the server is gone
    page = visit(None, "/directory/")
    page.clock.install()
    page.goto(f"/directory/{home.service_id}/")
    shows(page, home, "3 free", "green")
    stack.web.kill()
    # when a day has gone by, then the figure is to be checked; after three it is not known; and never is it green by itself
    page.clock.fast_forward(int(AGEING.total_seconds()) * 1000)
    shows(page, home, "3 free, check first", "amber")
    expect(page.locator(".lune-rag__told").first).to_contain_text("told 1 day ago")
    page.clock.fast_forward(int((OLD - AGEING).total_seconds()) * 1000)
    shows(page, home, "Not known", "grey")
    page.clock.fast_forward(int(OLD.total_seconds()) * 1000)
    shows(page, home, "Not known", "grey")
    assert_accessible(page)
    # and when the server is there again, the page goes by its clock
    stack.start()
    page.clock.fast_forward(60_000)  # the page tries again at least every half minute
    shows(page, home, "3 free", "green")
    home.refresh_from_db()
    assert home.reported_at < timezone.now()
