"""Those who run a service keep its entry: a volunteer on a phone, a curator who approves, a group without an account."""

import io
import re

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from catalogue.models import Organization, ProposedChange, Service
from tests.catalogue.test_attachments import picture
from tests.factories import AreaFactory, UserFactory
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import given_home, given_preston, given_provider


def given_lunch_club():
    given_preston()
    pool = given_home("Lunch Club")
    return pool.service, given_provider(pool)


def opened(page: Page, part: str) -> None:
    """Open a part of the entry."""
    follow(page, part)
    assert_accessible(page)


@pytest.mark.req("R056")
def test_a_volunteer_changes_the_entry_looks_at_it_and_publishes(visit: Visit, console: list[str]):
    console += ["status of 422"]
    service, user = given_lunch_club()
    AreaFactory(name="Ribbleton")
    page = visit(user, "/entries/")
    assert_accessible(page)
    follow(page, "Lunch Club")
    assert_accessible(page)
    # when a slip is made, it is told beside the field
    opened(page, "Name, contact and what it offers")
    page.get_by_label("Name of the service").fill("")
    press(page, re.compile("^Save$"))
    expect(page.get_by_role("alert")).to_contain_text("Say what the service is called.")
    assert_accessible(page)
    # when it is mended by keyboard alone
    page.get_by_role("link", name="Say what the service is called.").press("Enter")
    page.keyboard.type("Supper Club")
    page.get_by_label("Number").first.fill("01772 000000")
    page.get_by_label("Name of the service").press("Enter")
    expect(page.get_by_role("heading", name="Your draft")).to_be_visible()
    # and times: every Tuesday in school terms
    opened(page, "Days and times")
    page.get_by_role("checkbox", name="Tuesday").first.check()
    page.get_by_label("From").first.fill("10:00")
    page.get_by_label("To", exact=True).first.fill("12:00")
    press(page, "Show the dates of what I typed")
    expect(page.locator("#dates li").first).to_contain_text("Tuesday")
    expect(page.locator("#dates li").first).to_contain_text("10am to midday")
    assert_accessible(page)
    press(page, "Save and go on")
    # and who it is for
    expect(page.get_by_role("heading", level=1)).to_have_text("Who it is for")
    assert_accessible(page)
    page.get_by_label("Lowest age").fill("50")
    page.locator("summary").filter(has_text="Conditions").click()
    page.get_by_label("Dementia", exact=True).first.select_option("Can meet")
    press(page, "Save and go on")
    # and the area, picked and drawn
    page.get_by_label("Add an area").fill("ribble")
    press(page, "Find")
    page.get_by_role("checkbox", name="Ribbleton").check()
    expect(page.locator("[data-draw-map][data-ready]")).to_be_visible()
    add = page.get_by_role("button", name="Add the corner in the middle")
    box = page.locator("[data-draw-map]")
    add.press("Enter")
    box.click(position={"x": 60, "y": 60})
    box.click(position={"x": 60, "y": 160})
    expect(page.locator("[data-draw-says]")).to_contain_text("3 corners")
    page.get_by_label("What you call it").fill("Ashton")
    assert_accessible(page)
    press(page, "Save and go on")
    assert_accessible(page)
    page.get_by_label("For what").fill("Meal")
    page.get_by_label("Pounds").fill("4.50")
    press(page, "Save and go on")
    assert_accessible(page)
    page.locator("summary", has_text="Languages").click()
    page.get_by_label("Urdu").select_option("We work in it")
    press(page, re.compile("^Save$"))
    # then nobody else sees it until it is published
    assert Service.objects.get().name == "Lunch Club"
    assert_accessible(page)
    follow(page, "See it as the public will")
    expect(page.get_by_role("region", name="Preview")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Supper Club")
    assert_accessible(page)
    page.get_by_role("link", name="Back to the entry").click()
    press(page, "Publish")
    expect(page.get_by_role("alert")).to_contain_text("Published")
    public = visit(None, f"/directory/{service.pk}/")
    expect(public.get_by_role("heading", level=1)).to_have_text("Supper Club")
    # and a photo
    opened(page, "Photos and documents")
    page.locator("input[type=file]").set_input_files({"name": "hall.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    page.get_by_label("In words").fill("Our hall")
    press(page, "Add")
    expect(page.get_by_role("img", name="Our hall")).to_be_visible()
    assert_accessible(page)
    # and what was changed can be undone
    page.goto(f"/entries/{service.pk}/history/")
    assert_accessible(page)
    page.get_by_role("link", name=re.compile("Undo this")).first.click()
    assert_accessible(page)
    press(page, "Undo it")
    expect(page.get_by_text("Undid the change")).to_be_visible()
    assert Service.objects.get().name == "Lunch Club"


def test_two_at_once_and_a_curator_in_between(visit: Visit, console: list[str]):
    console += ["status of 409", "status of 422"]
    service, user = given_lunch_club()
    Organization.objects.filter(pk=user.organization_id).update(edits_need_approval=True)
    one = visit(user, f"/entries/{service.pk}/basics/")
    other = visit(UserFactory(provider=True, organization=user.organization), f"/entries/{service.pk}/basics/")
    one.get_by_label("Name of the service").fill("Supper Club")
    press(one, re.compile("^Save$"))
    other.get_by_label("Name of the service").fill("Tea Club")
    press(other, re.compile("^Save$"))
    expect(other.get_by_role("heading", name="Somebody else changed this while you were writing")).to_be_visible()
    expect(other.get_by_label("Name of the service")).to_have_value("Tea Club")
    assert_accessible(other)
    press(other, re.compile("^Save$"))
    press(other, "Send to a curator")
    expect(other.get_by_role("heading", name="Waiting for a curator")).to_be_visible()
    assert_accessible(other)
    curator = visit(UserFactory(curator=True), "/curate/proposals/")
    assert_accessible(curator)
    follow(curator, "Lunch Club")
    assert_accessible(curator)
    press(curator, "Refuse")
    expect(curator.get_by_role("alert")).to_contain_text("Say why")
    assert_accessible(curator)
    curator.get_by_label("If you refuse: why").fill("That is another club.")
    press(curator, "Refuse")
    other.reload()
    expect(other.get_by_text("That is another club.")).to_be_visible()
    press(other, "Take up that draft again")
    press(other, "Send to a curator")
    curator.goto(f"/curate/proposals/{ProposedChange.objects.get(status='waiting').pk}/")
    press(curator, "Approve")
    expect(curator.get_by_role("alert")).to_contain_text("Approved")
    assert Service.objects.get().name == "Tea Club"


@pytest.mark.req("R040")
def test_a_charity_sends_a_spreadsheet(visit: Visit):
    _, user = given_lunch_club()
    page = visit(user, "/entries/")
    follow(page, "All services as a spreadsheet")
    assert_accessible(page)
    with page.expect_download() as download:
        follow(page, "Download your services (Excel)")
    book = load_workbook(io.BytesIO(download.value.path().read_bytes()))
    book["Services"]["B2"] = "Supper Club"
    book["Services"]["B3"], book["Services"]["C3"] = "Quite new", "spaceship"
    out = io.BytesIO()
    book.save(out)
    page.locator("input[type=file]").set_input_files({"name": "services.xlsx", "mimeType": "application/zip", "buffer": out.getvalue()})
    press(page, "See what would change")
    expect(page.get_by_role("row").filter(has_text="Quite new")).to_contain_text("is not in the list")
    assert_accessible(page)
    press(page, "Apply the good row")
    expect(page.get_by_role("alert")).to_contain_text("1 service changed.")
    assert Service.objects.get().name == "Supper Club"
    assert_accessible(page)


@pytest.mark.req("R111")
def test_a_group_without_an_account_asks_to_be_added(visit: Visit, console: list[str]):
    console += ["status of 422"]
    page = visit(None, "/directory/", javascript=False)
    follow(page, "Add your group to the directory")
    press(page, "Send")
    expect(page.get_by_role("alert")).to_contain_text("Say what the group is called.")
    page = visit(None, "/directory/add/")
    assert_accessible(page)
    page.get_by_label("Name of your group").fill("Knit and natter")
    page.get_by_label("What you do").fill("We knit.")
    page.get_by_label("Where you meet").fill("The library")
    page.get_by_label("E-mail of the group").fill("knit@example.org")
    press(page, "Send")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert_accessible(page)
    curator = visit(UserFactory(curator=True), "/curate/proposals/")
    follow(curator, "Knit and natter")
    curator.get_by_label("Kind of service").select_option("Arts, crafts and nature")
    assert_accessible(curator)
    press(curator, "Approve")
    public = visit(None, "/directory/?q=knit")
    follow(public, "Knit and natter")
    expect(public.get_by_role("heading", level=1)).to_have_text("Knit and natter")
