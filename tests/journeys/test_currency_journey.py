"""Records that stay true: an owner answers from a letter on a phone, a curator works through the list, everybody sees how good it is."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from catalogue.assurance import issue_links, report_mistake
from catalogue.models import AssuranceLink, AssuranceRound, Phone, ProposedChange, Service, UsageCount
from tests.factories import ServiceFactory, UserFactory, term
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import given_home, given_provider


def given_late(name: str, **fields) -> Service:
    """A service that nobody has checked for half a year."""
    late = timezone.localdate() - timedelta(days=190)
    service = ServiceFactory(
        **{
            "name": name, "organization__name": f"{name} Ltd", "assured_date": late, "email": "owner@example.org",
            "care_type": term("care-type", "befriending"), "description": "Tea, cake and company.", **fields,
        }
    )  # fmt: skip
    Phone.objects.create(service=service, number="01772 123456")
    return service


def link_to(service: Service) -> str:
    (_, token), *_ = issue_links(services=[service], sent_to="owner@example.org", at=timezone.now())
    return f"/still-correct/{token}/"


@pytest.mark.req("R239")
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_an_owner_answers_from_a_letter_without_an_account(visit: Visit, console: list[str], javascript: bool):
    console.append("status of 4(10|22)")
    right, wrong, over = (given_late(name) for name in ("Right Club", "Wrong Club", "Over Club"))
    # when the record is right, one press is all
    address = link_to(right)
    page = visit(None, address, javascript=javascript)
    assert_accessible(page) if javascript else None
    press(page, "Still correct")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert_accessible(page) if javascript else None
    assert Service.objects.get(pk=right.pk).assured_date == timezone.localdate()
    # then the link is spent, and says what to do
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("This link cannot be used")
    assert_accessible(page) if javascript else None
    # when there are too many letters, one press stops them, and one starts them again
    page.goto(f"{address}letters/")
    press(page, "Stop all letters to this address")
    expect(page.get_by_role("status")).to_contain_text("All letters are stopped.")
    assert_accessible(page) if javascript else None
    press(page, "Start letters again")
    expect(page.get_by_role("button", name="Stop letters about this service")).to_be_visible()
    # when something has changed
    page.goto(link_to(wrong))
    page.get_by_role("button", name="Change something").or_(page.get_by_role("link", name="Change something")).click()
    assert_accessible(page) if javascript else None
    page.get_by_label("E-mail").fill("nonsense")
    press(page, "Send these changes")
    expect(page.get_by_text("There is a problem")).to_be_visible()
    assert_accessible(page) if javascript else None
    page.get_by_label("E-mail").fill("new@example.org")
    press(page, "Send these changes")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert ProposedChange.objects.get(service=wrong).content == {"email": "new@example.org"}
    # when it has closed, it is asked once more
    page.goto(link_to(over))
    page.get_by_role("button", name="Closed").or_(page.get_by_role("link", name="Closed")).click()
    assert_accessible(page) if javascript else None
    press(page, "Yes, it has closed")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    # then the public is told that we are checking
    page.goto(f"/directory/{over.pk}/")
    expect(page.get_by_text("We were told that this service has closed")).to_be_visible()


@pytest.mark.req("R103")
def test_a_curator_works_through_the_list(visit: Visit):
    late, asked = given_late("Late Club"), given_late("Asked Club")
    link_to(asked)
    report_mistake(service_id=late.pk, what="phone", words="It rings out.", reply_to="", at=timezone.now())
    page = visit(UserFactory(curator=True), "/curate/assurance/")
    expect(page.get_by_role("link", name="Late Club")).to_be_visible()
    assert_accessible(page)
    # a report is read and dealt with
    page.get_by_role("navigation", name="Reasons to check").get_by_role("link", name="Reported mistakes").click()
    expect(page.get_by_text("It rings out.")).to_be_visible()
    assert_accessible(page)
    press(page, "Mended at Late Club")
    expect(page.get_by_text("dealt with")).to_be_visible()
    # somebody was rung up
    page.goto("/curate/assurance/")
    press(page, "It is right (Late Club)")
    expect(page.get_by_text("Late Club is marked as checked today.")).to_be_visible()
    assert Service.objects.get(pk=late.pk).assured_date == timezone.localdate()
    # a letter is taken back, and others are written to
    press(page, "Take link back of Asked Club")
    expect(page.get_by_text("1 link taken back.")).to_be_visible()
    assert AssuranceLink.objects.get().revoked_at is not None
    third = given_late("Third Club", email="third@example.org")
    page.goto("/curate/assurance/")
    page.get_by_label(f"Tick {third.name}").check()
    press(page, "Write to the owners of those ticked")
    expect(page.get_by_role("heading", level=1)).to_have_text("Letters to owners")
    assert_accessible(page)
    # the page says how far the letters have gone
    AssuranceRound.objects.update(sent=1)
    expect(page.get_by_text("All letters are dealt with.")).to_be_visible()
    # and how much of it is read stands beside, as a chart and as a table
    UsageCount.objects.create(day=timezone.localdate(), kind=UsageCount.Kind.VISIT, count=12)
    page.goto("/curate/usage/")
    expect(page.get_by_role("img", name="Visitors and visits, each day")).to_be_visible()
    assert_accessible(page)


@pytest.mark.req("R126")
def test_everybody_sees_how_good_the_directory_is(visit: Visit):
    given_late("Late Club", source="County list")
    given_late("Fresh Club", assured_date=timezone.localdate())
    page = visit(None, "/quality/")
    expect(page.get_by_text("1 of 2 records have been checked in the last three months.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="County list")).to_contain_text("0%")
    assert_accessible(page)


def test_a_provider_says_beside_its_places_that_its_entry_is_right(visit: Visit):
    pool = given_home("Oak House")
    page = visit(given_provider(pool), "/places/")
    assert_accessible(page)
    press(page, "Our entry is right (Oak House)")
    expect(page.get_by_text("marked as checked today")).to_be_visible()
    assert_accessible(page)


@pytest.mark.req("R096")
def test_a_curator_merges_two_words_and_takes_them_apart_again(visit: Visit, console: list[str]):
    console.append("status of 422")
    page = visit(UserFactory(curator=True), "/curate/terms/")
    assert_accessible(page)
    page.get_by_label("Word, code or synonym").fill("music")
    press(page, "Filter")
    follow(page, "Music and singing")
    assert_accessible(page)
    press(page, "Retire")
    expect(page.get_by_text("There is a problem")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Which term is kept?").select_option(label="Arts and crafts")
    press(page, "Merge")
    expect(page.get_by_text("Merged into “Arts and crafts”. You can undo that below.")).to_be_visible()
    assert_accessible(page)
    press(page, "Undo the merge of Music and singing")
    expect(page.get_by_text("The merge is undone.")).to_be_visible()
    page.goto("/curate/terms/new/")
    assert_accessible(page)
