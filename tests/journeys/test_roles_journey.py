"""Each role signs in, lands where its work is, and sees no page and no record that is not its own."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from capacity.models import FreshnessPolicy
from tests.factories import PASSWORD, UserFactory
from tests.flow.answers import a_version
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, press
from tests.journeys.steps import given_patient, given_referrer, then_nothing_names_the_person

#: Trait of the factory, what its menu offers beside Home and Directory, and an address that is not for this role.
ROLES = [
    ({}, ["People waiting", "Plan", "Held places", "Hub", "Find a service"], "/inbox/"),
    ({"provider": True}, ["Our places", "Referrals to us", "Register", "People asking", "Our services"], "/worklist/"),
    (
        {"manager": True},
        ["Dashboard", "Plan", "What if", "Unmet need", "History", "Use", "Likely yes", "Sharing", "Rules", "Letters"],
        "/inbox/",
    ),
    (
        {"curator": True},
        ["Entries", "Proposals", "People asking", "Records to check", "Not reached", "Answers", "Words", "Doubles", "Imports", "Use"],
        "/dashboard/",
    ),
    ({"administrator": True}, ["Sources", "Pathways", "Likely yes", "Rules", "Users and settings"], "/worklist/"),
]


@pytest.mark.req("R046")
@pytest.mark.req("R087")
@pytest.mark.parametrize(("trait", "menu", "barred"), ROLES, ids=["referrer", "provider", "manager", "curator", "administrator"])
def test_each_role_signs_in_and_sees_its_own_work(visit: Visit, console: list[str], trait: dict, menu: list[str], barred: str):
    console.append("status of (40[034]|422)")
    # given somebody of that role, and a person of another organisation
    user, stranger = UserFactory(**trait), given_patient(given_referrer())
    page = visit(None, "/account/login/")
    # when they sign in
    page.get_by_label("E-mail address").fill(user.email)
    page.locator("input[type=password]").fill(PASSWORD)
    press(page, "Sign in")
    # then the home page greets them, and the menu has what is theirs and nothing else
    expect(page.get_by_role("heading", level=1)).to_contain_text("Test")
    # (a phone folds what does not fit into a menu)
    links = page.get_by_label("Menu", exact=True).locator("a").all_text_contents()
    assert {"Home", "Directory"} | set(menu) == {text.strip() for text in links}
    assert_accessible(page)
    # and neither another role's page nor another organisation's record is there
    assert page.goto(barred).status == 403
    if not trait:  # these pages are everybody's: looked at once
        assert_accessible(page)
    assert page.goto(f"/patients/{stranger.pk}/").status in (403, 404)
    then_nothing_names_the_person(page)
    if not trait:
        assert_accessible(page)
    if trait == {"administrator": True}:
        an_administrator_switches_on_what_was_learned(page)
    # when they sign out, then their pages ask to sign in
    page.goto("/")
    press(page, "Sign out")
    page.goto("/worklist/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sign in")


def an_administrator_switches_on_what_was_learned(page: Page) -> None:
    # given a version that was better than a guess
    a_version()
    page.goto("/acceptance/")
    expect(page.get_by_role("img", name="What was said, and what came")).to_be_visible()
    # when it is switched on without having read the figures, then that is asked for, and what was typed is kept
    page.get_by_label("Why").fill("Tried for a month.")
    press(page, "Switch on")
    expect(page.get_by_role("alert").first).to_contain_text("Read the figures first")
    assert_accessible(page)
    page.get_by_label("I have read the figures").check()
    press(page, "Switch on")
    # then it is on, and the page says who did it and why
    expect(page.get_by_role("main")).to_contain_text("Version 1 is switched on")
    expect(page.get_by_role("row").filter(has_text="on, up to 60 points")).to_contain_text("Tried for a month.")


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(visit: Visit):
    page = visit(None, "/account/login/")
    for email in (UserFactory().email, "nobody@example.org"):
        page.get_by_label("E-mail address").fill(email)
        page.locator("input[type=password]").fill("not the password")
        press(page, "Sign in")
        expect(page.get_by_role("alert").first).to_contain_text("not correct")
    assert_accessible(page)


@pytest.mark.req("R087")
def test_another_hospitals_person_is_not_there(visit: Visit, console: list[str]):
    console.append("status of 404")
    person = given_patient(given_referrer())
    page = visit(given_referrer())
    assert page.goto(f"/patients/{person.pk}/").status == 404
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    then_nothing_names_the_person(page)
    assert_accessible(page)


def test_an_administrator_says_how_long_a_figure_stays_fresh(visit: Visit):
    # given how long care homes' figures are believed today
    policy = FreshnessPolicy.objects.select_related("care_type").get(care_type__code="home-general-nursing")
    page = visit(UserFactory(administrator=True), f"/admin/capacity/freshnesspolicy/{policy.pk}/change/")
    # when the administrator shortens it
    page.locator("#id_fresh_for").fill("06:00:00")
    page.locator("input[name=_save]").click()
    # then the rule is another from now on
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    policy.refresh_from_db()
    assert policy.fresh_for == timedelta(hours=6)
