"""The directory as a member of the public uses it: with and without script, at a desk and on a phone, in large print."""

from datetime import time

import pytest
from playwright.sync_api import Page, expect

from catalogue.models import MistakeReport, Schedule, Service
from tests.factories import AreaFactory, CriterionFactory, LocationFactory, ServiceFactory, UserFactory, near, term
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press, shows
from tests.journeys.steps import given_home, given_preston

EVERY_DAY = "MO,TU,WE,TH,FR,SA,SU"


def given_club(name: str, *, east: float = 500, kind: str = "befriending", **rule) -> Service:
    club = ServiceFactory(name=name, care_type=term("care-type", kind))
    club.service_at_locations.create(location=LocationFactory(point=near(east)))
    Schedule.objects.create(service=club, **{"byday": EVERY_DAY, "opens_at": time(10), "closes_at": time(12), **rule})
    return club


def choose(page: Page, label: str) -> None:
    page.get_by_label(label, exact=True).check()


@pytest.mark.req("R122")
@pytest.mark.req("R212")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_somebody_lonely_finds_company_and_goes_by_themselves(visit: Visit, javascript: bool):
    # given two groups, one of which lets people come by themselves
    given_preston()
    tea = given_club("Tea and Talk")
    CriterionFactory(service=tea, term=term("referral-source", "self"))
    given_club("By doctor only")
    public = visit(None, "/directory/", javascript=javascript)
    # when somebody types how they feel, and that they would like to go by themselves
    public.get_by_label("What do you need?").fill("lonely")
    public.get_by_label("Postcode or place").fill("Preston")
    public.locator("summary", has_text="More choices").click()
    choose(public, "You can contact them yourself")
    press(public, "Search")
    # then the list says what was asked for and holds what answers it
    expect(public.get_by_role("status")).to_contain_text("1 service")
    expect(public.get_by_role("list", name="Your choices")).to_contain_text("You can contact them yourself")
    if javascript:
        assert_accessible(public)
    # and one choice can be taken away again
    public.get_by_role("list", name="Your choices").get_by_role("link", name="You can contact them yourself").click()
    expect(public.get_by_role("status")).to_contain_text("2 services")
    follow(public, "Tea and Talk")
    expect(public.get_by_text("You can contact them yourself.")).to_be_visible()
    # and what is wrong is said in one step
    public.locator("summary", has_text="Report a mistake").click()
    public.get_by_label("Tell us more").fill("The door is at the back.")
    press(public, "Send")
    expect(public.get_by_role("heading", level=1)).to_have_text("Thank you for telling us")
    assert MistakeReport.objects.get().words == "The door is at the back."
    if javascript:
        assert_accessible(public)


@pytest.mark.req("R114")
@pytest.mark.req("R116")
def test_what_is_on_in_a_district_to_read_and_to_follow(visit: Visit):
    given_preston()
    AreaFactory(name="Ribble Bank")
    given_club("Tea and Talk")
    given_club("Far choir", east=90_000)
    public = visit(None, "/diary/")
    assert_accessible(public)
    follow(public, "Ribble Bank")
    expect(public.get_by_role("heading", level=1)).to_have_text("What is on in Ribble Bank")
    expect(public.get_by_role("link", name="Tea and Talk")).to_have_count(7)
    expect(public.get_by_role("link", name="Far choir")).to_have_count(0)
    assert_accessible(public)
    public.get_by_role("link", name="Seven days after").click()
    expect(public.get_by_role("link", name="Tea and Talk")).to_have_count(7)
    calendar = public.request.get(public.get_by_role("link", name="Add to your calendar").get_attribute("href") or "")
    assert calendar.text().count("BEGIN:VEVENT") == 56
    public.get_by_role("link", name="Large print").click()
    expect(public.locator(".lune-large")).to_be_visible()
    assert_accessible(public)


def test_a_provider_keeps_its_figure_from_the_public(visit: Visit):
    home = given_home("Fir Grove")
    provider = visit(UserFactory(provider=True, organization=home.service.organization), "/places/")
    public = visit(None, f"/directory/{home.service_id}/")
    shows(public, home, "3 free", "green")
    press(provider, "Hide from the public")
    expect(provider.get_by_text("professionals only")).to_be_visible()
    assert_accessible(provider)
    public.reload()
    expect(public.locator(".lune-rag")).to_have_count(0)
    expect(public.get_by_role("heading", level=1)).to_have_text("Fir Grove")
    assert_accessible(public)
