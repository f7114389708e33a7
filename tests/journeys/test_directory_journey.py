"""The directory as a member of the public uses it: with and without script, at a desk and on a phone, in large print."""

import re
from datetime import time, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from catalogue.models import MistakeReport, Schedule, Service
from tests.factories import AreaFactory, CriterionFactory, LocationFactory, PoolFactory, ServiceFactory, UserFactory, near, term
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press, shows
from tests.journeys.steps import given_home, given_preston

EVERY_DAY = "MO,TU,WE,TH,FR,SA,SU"


def given_club(name: str, *, east: float = 500, kind: str = "befriending", **rule) -> Service:
    club = ServiceFactory(name=name, care_type=term("care-type", kind))
    club.service_at_locations.create(location=LocationFactory(point=near(east)))
    Schedule.objects.create(service=club, **{"byday": EVERY_DAY, "opens_at": time(10), "closes_at": time(12), **rule})
    return club


def choose(page: Page | Locator, label: str) -> None:
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


@pytest.mark.req("R155")
@pytest.mark.req("R159")
def test_somebody_asks_for_themselves_and_follows_it_to_the_first_day(visit: Visit, console: list[str]):
    # given a group to which people may come by themselves, and who runs it
    given_preston()
    tea = given_club("Tea and Talk")
    for code in ("self", "carer"):
        CriterionFactory(service=tea, term=term("referral-source", code))
    staff = UserFactory(provider=True, organization=tea.organization)
    at = timezone.localtime()
    starts_at = min(at + timedelta(minutes=10), at.replace(hour=23, minute=59)).replace(second=0, microsecond=0)
    PoolFactory(service=tea, name="Today’s table", per="session", starts_at=starts_at, ends_at=starts_at + timedelta(hours=2))
    # when somebody without script forgets the postcode, and puts it right
    console.append("status of 422")
    public = visit(None, f"/directory/{tea.pk}/", javascript=False)
    follow(public, "Ask for this service")
    choose(public, "Me")
    public.get_by_label("First name").fill("Zebedee")
    public.get_by_label("Last name").fill("Quillfeather")
    public.get_by_label("Date of birth, or age").fill("27/3/1958")
    public.get_by_label("Phone number").fill("07700 900123")
    public.get_by_label("What do you need?").fill("I see nobody all week.")
    choose(public, "Wants company and somebody to talk to")
    choose(public, "They may have what I wrote here")
    press(public, "Send to this service")
    public.get_by_role("link", name="Enter the postcode").click()
    public.get_by_label("Postcode").fill("PR1 2HE")
    press(public, "Send to this service")
    # then they have a page of their own, which does not say who they are
    expect(public.get_by_role("heading", level=1)).to_have_text("They have your request")
    expect(public.get_by_text("Quillfeather")).to_have_count(0)
    # and those who run the group read it, ask, and say yes
    provider = visit(staff, "/requests/")
    assert_accessible(provider)
    follow(provider, re.compile("Zebedee Quillfeather"))
    assert_accessible(provider)
    provider.locator("summary", has_text="Ask them for more").click()
    provider.get_by_label("What do you want to know?").fill("Can you climb stairs?")
    press(provider, "Send the question")
    follower = visit(None, public.url)
    expect(follower.get_by_text("Can you climb stairs?")).to_be_visible()
    assert_accessible(follower)
    follower.get_by_label("Your answer").fill("Only a few.")
    press(follower, "Send the answer")
    provider.reload()
    expect(provider.get_by_text("Only a few.")).to_be_visible()
    provider.locator("summary", has_text="Yes, we’ll help").click()
    choose(provider.locator("#accept"), "We spoke to them, and what they said agrees")
    assert_accessible(provider)
    press(provider, "Say yes")
    # then they are expected at the session, and with one tap they are there
    provider.goto(re.sub(r"/requests/.*", "/register/", provider.url))
    provider.get_by_role("listitem").filter(has_text="1 expected").get_by_role("link").click()
    expect(provider.get_by_text("1 expected")).to_be_visible()
    assert_accessible(provider)
    press(provider, re.compile("^Came"))
    expect(provider.get_by_text("1 expected, 1 came, 0 did not")).to_be_visible()
    follower.reload()
    expect(follower.get_by_role("heading", level=1)).to_have_text("Your help has started")
    # and a form can be left and taken up again
    other = visit(None, f"/directory/{tea.pk}/ask/")
    other.get_by_label("First name").fill("Zoe")
    press(other, "Save and finish later")
    assert_accessible(other)
    again = visit(None, other.url)
    expect(again.get_by_label("First name")).to_have_value("Zoe")
