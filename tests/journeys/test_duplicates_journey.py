"""One service in two lists: a curator finds it, compares, merges, and takes it back."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from catalogue.dedupe.find import find_duplicates
from catalogue.models import Address, Phone, Service
from tests.factories import PatientFactory, UserFactory
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import FAMILY_NAME, GIVEN_NAME, given_home, given_patient, given_preston, given_referrer


def given_listed(name: str, publisher: str, phone: str, **fields: object) -> Service:
    """A home as one publisher lists it."""
    pool = given_home(name)
    Service.objects.filter(pk=pool.service_id).update(source=publisher, **fields)
    Address.objects.create(location=pool.location, address_1="1 High Street", city="Preston", postal_code="PR1 2HE")
    Phone.objects.create(service=pool.service, number=phone)
    return Service.objects.get(pk=pool.service_id)


@pytest.mark.req("R105")
def test_a_curator_merges_two_records_of_one_home_and_takes_it_back(visit: Visit):
    # given one home in two lists, and another that only sounds like it
    full = given_listed("Fir Grove", "County directory", "01772 555010", description="A quiet house by the park, with a garden.")
    given_listed("Fir Grove Care Home Ltd", "Charities' list", "+44 1772 555 010")
    given_listed("Fern Grove", "County directory", "01772 555099")
    find_duplicates(at=timezone.now())
    # when the curator opens the queue
    page = visit(UserFactory(curator=True), "/curate/imports/")
    follow(page, "Possible doubles")
    expect(page.locator(".lune-pair")).to_have_count(1)
    assert_accessible(page)
    page.locator(".lune-pair").get_by_role("link").click()
    # then both are side by side, with reasons and what differs
    expect(page.get_by_role("heading", level=1)).to_have_text("Are these two one service?")
    expect(page.get_by_text("The same telephone number.")).to_be_visible()
    expect(page.get_by_role("group", name="What it offers")).to_contain_text("A quiet house by the park")
    assert_accessible(page)
    # when the description is kept and the two are merged
    page.get_by_role("group", name="Which record stays?").get_by_role("radio", name="Care Home Ltd").check()
    page.get_by_role("group", name="What it offers").get_by_role("radio", name="A quiet house").check()
    press(page, "Merge")
    expect(page.get_by_text("is now part of")).to_be_visible()
    assert_accessible(page)
    # then the public finds one, and the old address leads to it
    public = visit(None, f"/directory/{full.pk}/")
    expect(public.get_by_role("heading", level=1)).to_have_text("Fir Grove Care Home Ltd")
    expect(public.get_by_text("A quiet house by the park")).to_be_visible()
    # when it is taken back
    follow(page, "What was merged")
    assert_accessible(page)
    press(page, "Undo")
    expect(page.get_by_text("are two records again")).to_be_visible()
    # then the public finds both
    public.goto(f"/directory/{full.pk}/")
    expect(public.get_by_role("heading", level=1)).to_have_text("Fir Grove")


def test_without_scripts_the_curator_says_that_they_are_two(visit: Visit, console: list[str]):
    console.append("status of 422")
    one = given_listed("Fir Grove", "County directory", "01772 555010")
    given_listed("Fir Grove", "Charities' list", "01772 555010")
    find_duplicates(at=timezone.now())
    page = visit(UserFactory(curator=True), "/curate/duplicates/", javascript=False)
    page.locator(".lune-pair").get_by_role("link").click()
    press(page, "Not the same")
    expect(page.get_by_text("marked as two services")).to_be_visible()
    expect(page.get_by_text("No pair answers these filters")).to_be_visible()
    follow(page, "two services")
    expect(page.locator(".lune-pair")).to_contain_text(one.name)


@pytest.mark.req("R213")
def test_a_person_who_is_recorded_twice_becomes_one_with_what_was_agreed(visit: Visit):
    # given somebody who waits, and whom the night team has recorded once more
    given_preston()
    nurse = given_referrer()
    patient = given_patient(nurse)
    PatientFactory(organization=nurse.organization, given_name=GIVEN_NAME, family_name=FAMILY_NAME[:-1], phone="01772 900100")
    page = visit(nurse, f"/patients/{patient.pk}/")
    assert_accessible(page)
    # when she notes what the person agreed to
    follow(page, "Record or take back an agreement, and see the history")
    page.get_by_label("What is it about?").select_option("direct-care")
    page.get_by_label("Agreed").check()
    page.get_by_label("They said so").check()
    press(page, "Record it")
    expect(page.get_by_text("Agreed", exact=True)).to_be_visible()
    # and puts the two records side by side, taking the telephone number of the other
    follow(page, "Compare them")
    assert_accessible(page)
    press(page, "Merge")
    # then it can be undone, and one record says both
    expect(page.get_by_role("button", name=f"Undo the merge of {GIVEN_NAME} {FAMILY_NAME[:-1]}")).to_be_visible()
    follow(page, f"{GIVEN_NAME} {FAMILY_NAME}")
    expect(page.get_by_role("heading", level=1, name=f"{GIVEN_NAME} {FAMILY_NAME}")).to_be_visible()
    expect(page.get_by_text("01772 900100")).to_be_visible()
    expect(page.get_by_text("Another record may be the same person")).to_be_hidden()
