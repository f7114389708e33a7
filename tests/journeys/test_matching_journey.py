"""Step 3: a referrer says what somebody needs, and reads a ranked list that says why."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from catalogue.models import EligibilityCriterion
from matching import operations
from matching.models import MatchRun
from tests.factories import CriterionFactory, term
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_live, line, press, shows
from tests.journeys.steps import given_home, given_preston, given_referrer, when_somebody_reports


@pytest.fixture
def homes(stack):
    """Near and proved to take people with dementia; a mile off and not said; near and full."""
    given_preston()
    near = given_home("Fir Grove", metres=300)
    CriterionFactory(service=near.service, term=term("need", "dementia"), rule=EligibilityCriterion.Rule.ACCEPTS)
    return near, given_home("Otter House", metres=4_000), given_home("Larch House", free=0, metres=500)


def tab_to(page: Page, target: Locator, limit: int = 60) -> None:
    """Press Tab until the target has the focus, as somebody does who has no mouse."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"The keyboard does not reach {target}.")


def type_in(page: Page, label: str, text: str) -> None:
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def tick(page: Page, group: str, name: str) -> None:
    """Open a group and tick one of its boxes, by keyboard."""
    opener = page.locator("summary", has_text=group)
    tab_to(page, opener)
    page.keyboard.press("Enter")
    box = page.get_by_role("checkbox", name=name, exact=True)
    tab_to(page, box)
    page.keyboard.press("Space")
    expect(box).to_be_checked()


@pytest.mark.req("R001")
@pytest.mark.req("R010")
def test_what_is_needed_by_keyboard_alone_and_a_list_that_says_why(visit: Visit, homes):
    near, far, full = homes
    befriending = term("care-type", "befriending")
    friend = given_home("Otterwath Friends", metres=200, care_type=befriending, service__care_type=befriending)
    # given a referrer at the form, with her hands on the keyboard
    page = visit(given_referrer(), "/find/")
    assert_accessible(page)
    # when she says who, what and what they live with, and presses Enter
    type_in(page, "Age", "84")
    type_in(page, "Postcode", "PR1 2HE")
    type_in(page, "Shorten the list by typing, for example “debt” or “nursing”", "general residential")
    box = page.get_by_role("checkbox", name="Care home: general residential")
    tab_to(page, box)
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    tick(page, "Conditions", "Dementia")
    tick(page, "Circumstances", "Isolated or lonely")
    page.keyboard.press("Enter")
    # then the one that fits best is first, and each line says why, and what is free there
    expect(page.get_by_role("heading", level=1)).to_have_text("2 services near PR1")
    expect(page.locator("form .lune-line h3")).to_have_text([near.service.name, far.service.name, friend.service.name])
    # and what would help with the first step stands below, with the reason
    help_ = page.get_by_role("region", name="To help with the first step")
    expect(help_.get_by_text("Because the person is isolated or lonely.").first).to_be_visible()
    first, second = line(page, "Fir Grove"), line(page, "Otter House")
    shows(page, near, "3 free", "green")
    expect(first.locator(".lune-facts__met").first).to_be_visible()
    expect(second.locator(".lune-facts__unknown").filter(has_text="ask about Dementia").first).to_be_visible()
    first.get_by_text("Why it is number 1").click()
    expect(first.get_by_text(re.compile(r"\d+ of \d+ points"))).to_be_visible()
    assert_accessible(page)
    # and no full place is in the list
    expect(page.locator(f'[data-pool="{full.pk}"]')).to_have_count(0)
    # when she compares the two, then the page says in words what tells them apart, and its badges are live
    for each in (first, second):
        each.get_by_role("checkbox", name="Ask this service").check()
    press(page, "Compare up to four")
    expect(page.get_by_role("heading", level=1)).to_have_text("2 services side by side")
    expect(page.get_by_text("nearest", exact=True)).to_be_visible()
    assert_accessible(page)
    when_somebody_reports(far, 0)
    shows(page, far, "Full", "red")
    # and what she picks there goes on to the referral
    page.get_by_role("checkbox", name="Ask Fir Grove").check()
    press(page, "Continue to send")
    expect(page.get_by_role("heading", level=1)).to_have_text("Send one referral to 1 service")


@pytest.mark.req("R001")
def test_why_not_and_the_list_as_it_was(visit: Visit, homes):
    near, far, full = homes
    # given a list that a referrer has got
    page = visit(given_referrer(), "/find/")
    page.get_by_label("Age", exact=True).fill("84")
    page.get_by_label("Postcode", exact=True).fill("PR1 2HE")
    page.get_by_role("checkbox", name="Care home: general residential").check()
    press(page, "Show services")
    expect(page.locator("form .lune-line h3")).to_have_text([near.service.name, far.service.name])
    address = page.url
    # when she asks why a home that she knows is not in it
    page.get_by_label("Why is a service not in the list?").fill("Larch")
    press(page, "Look it up")
    assert_accessible(page)
    page.get_by_role("link", name="Larch House").click()
    # then she reads why, and what would change that
    expect(page.get_by_role("heading", level=1)).to_have_text("Why Larch House is not in the list")
    expect(page.locator(".lune-facts__failed")).to_contain_text("free", ignore_case=True)
    shows(page, full, "Full", "red")
    assert_accessible(page)
    # when the first of the list fills up meanwhile
    when_somebody_reports(near, 0)
    page.goto(address)
    # then the list is still the one that was stored, and says what has changed since
    expect(page.locator("form .lune-line h3")).to_have_text([near.service.name, far.service.name])
    expect(line(page, "Fir Grove").get_by_text("Changed since this list was made")).to_be_visible()
    shows(page, near, "Full", "red")
    run = MatchRun.objects.get()
    assert [found.pool_id for found in operations.replay(run)] == [near.pk, far.pk]
    # and ranking again leaves the full one out
    press(page, "Rank again now")
    expect(page.locator("form .lune-line h3")).to_have_text([far.service.name])
    assert_live(page)


def test_what_cannot_be_understood_is_said_beside_its_field(visit: Visit, homes, console: list[str]):
    console.append("422")
    # given a referrer who leaves out the age and types half a postcode wrong
    page = visit(given_referrer(), "/find/")
    page.get_by_label("Postcode", exact=True).fill("PRESTON")
    press(page, "Show services")
    # then all that is wrong is said at the top, each leading to its field
    summary = page.get_by_role("alert")
    expect(summary.get_by_role("link")).to_have_count(3)
    summary.get_by_role("link", name="Enter the age in years").click()
    expect(page.get_by_label("Age", exact=True)).to_be_focused()
    expect(page.get_by_label("Postcode", exact=True)).to_have_value("PRESTON")
    assert_accessible(page)
