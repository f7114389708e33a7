"""The loop from end to end: a discharge that two homes decline, a surgery's three clicks, and a package of three services."""

from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from flow.launch import operations as launches
from flow.launch import tokens
from flow.models import Patient, Referral, ReferralTask
from flow.workflow import Status
from tests.factories import UserFactory, term
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_fits, line, press
from tests.journeys.steps import (
    NHS_NUMBER,
    given_home,
    given_patient,
    given_preston,
    given_provider,
    given_referrer,
    then_nothing_names_the_person,
    when_chosen,
    when_sent,
    when_services_are_found_for,
)

desktop = pytest.mark.parametrize("width", [1280], indirect=True, ids=["desktop"])
phone = pytest.mark.parametrize("width", [390], indirect=True, ids=["phone"])
#: Counts what the hand does, over all pages of one browser.
COUNT = "addEventListener('click', (e) => e.isTrusted && sessionStorage.setItem('clicks', 1 + Number(sessionStorage.clicks || 0)), true)"


def clicks(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.clicks || 0)"))


def when_declined(home: Page) -> None:
    home.get_by_role("link", name="near PR1").click()
    then_nothing_names_the_person(home)
    home.get_by_role("button", name="No, we can’t").click()
    home.get_by_role("radio", name="No place").check()
    press(home, "No, we can’t")
    expect(home.get_by_text("You said no.")).to_be_visible()


@desktop
def test_a_discharge_to_a_care_home_after_two_declines_with_a_place_held(visit: Visit, stack):
    given_preston()
    fir, otter = given_home("Fir Grove", metres=300), given_home("Otter House", metres=900)
    nurse = given_referrer()
    patient = given_patient(nurse)
    # given a nurse who asks two homes and keeps a place at one
    page = visit(nurse, "/")
    when_services_are_found_for(page, patient)
    when_chosen(page, "Fir Grove", "Otter House")
    when_sent(page, hold="Fir Grove")
    expect(line(page, "Fir Grove").get_by_text("held until")).to_be_visible()
    # when both say no
    for pool in (fir, otter):
        when_declined(visit(given_provider(pool), "/inbox/"))
    # then her list says that it is her move, and the place is given back
    page.goto("/worklist/?move=ours")
    row = page.get_by_role("row").filter(has_text=patient.full_name)
    expect(row.get_by_text("2 declined")).to_be_visible()
    expect(row.get_by_role("cell", name="Yours")).to_be_visible()
    assert_accessible(page)
    fir.refresh_from_db()
    assert fir.held == 0
    # when a third home is asked, says yes and takes the person in
    elm = given_home("Elm Court", metres=600)
    when_services_are_found_for(page, patient)
    when_chosen(page, "Elm Court")
    when_sent(page, hold="Elm Court")
    home = visit(given_provider(elm), "/inbox/")
    home.get_by_role("link", name="near PR1").click()
    press(home, "Yes, we’ll help")
    expect(home.get_by_role("heading", level=1)).to_have_text(patient.full_name)
    press(home, "Support has started")
    expect(home.get_by_text("Support has started. The team has been told.")).to_be_visible()
    # then nobody waits any more, and the person gets a letter
    page.goto("/worklist/?show=waiting")
    expect(page.get_by_text("Nobody here fits these filters")).to_be_visible()
    page.goto(f"/referrals/{ReferralTask.objects.get(pool=elm).referral_id}/letter/")
    page.get_by_label("Whom can they call?").fill("The ward, 01772 000 000")
    press(page, "Keep and print")
    expect(page.get_by_text("Elm Court has begun to help you.")).to_be_visible()
    assert_accessible(page)
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="As plain text")).to_be_hidden()
    expect(page.get_by_text("You can say no at any time.")).to_be_visible()


@phone
@pytest.mark.req("R045")
def test_a_receptionist_refers_in_three_clicks_from_a_record(visit: Visit, stack):
    given_preston()
    given_home("Tea and talk", service__care_type=term("care-type", "befriending"), unit="place")
    receptionist = UserFactory(organization__kind="practice", organization__ods_code="P81001", job_title="Receptionist")
    key, secret = launches.make_key(organization=receptionist.organization, name="Records", days=1, by=None, at=timezone.now())
    at = int(timezone.now().timestamp())
    told = {
        "aud": tokens.audience(), "jti": str(uuid4()), "nbf": at, "exp": at + 300, "location": "P81001", "given": "Canary", "family": "Lee",
        "patient": f"{tokens.NHS_NUMBER}|{NHS_NUMBER}", "birthdate": "1941-05-17", "postcode": "PR1 2HE",
        "practitioner": receptionist.email,
    }  # fmt: skip
    # given a record system of another site, whose button sends the browser here with what it signed
    page = visit(receptionist, "/")
    home = page.url
    page.goto("about:blank")
    signed = tokens.sign(told, key_id=key.pk, secret=secret)
    page.set_content(f'<form method="post" action="{home}launch/"><input type="hidden" name="token" value="{signed}"></form>')
    page.context.add_init_script(COUNT)
    page.locator("form").evaluate("form => form.submit()")
    # then it opens at the person, and no address names them
    expect(page.get_by_role("heading", name="What is needed?")).to_be_visible()
    expect(page.get_by_text("Canary Lee")).to_be_visible()
    assert NHS_NUMBER not in page.url
    assert_accessible(page)
    # when she chooses the need, the service, and sends
    page.get_by_role("button", name="Befriending").first.click()
    page.get_by_role("link", name="Ask this one").click()
    page.get_by_role("button", name="They agree: send the referral").click()
    # then that was all, and nothing was typed
    expect(page.get_by_text("Tea and talk has been asked.")).to_be_visible()
    assert clicks(page) == 3
    assert Patient.objects.get().nhs_number == NHS_NUMBER
    assert ReferralTask.objects.get().status == Status.REQUESTED
    assert_fits(page)


@phone
def test_a_link_workers_package_of_three_services(visit: Visit, stack):
    given_preston()
    kinds = {"Tea and talk": "befriending", "Money help": "debt-advice", "Walks": "physical-activity"}
    pools = {name: given_home(name, service__care_type=term("care-type", code), unit="place") for name, code in kinds.items()}
    worker = UserFactory(organization__kind="charity", job_title="Link worker")
    patient = given_patient(worker, nhs_number="")
    page = visit(worker, f"/find/?patient={patient.pk}")
    # when she wants all of three kinds
    while page.get_by_role("checkbox", checked=True).count():
        page.get_by_role("checkbox", checked=True).first.uncheck()
    for code in kinds.values():
        page.locator(f'input[name=care_types][value="{code}"]').evaluate("box => box.checked = true")
    page.locator('input[name=all_wanted][value="yes"]').evaluate("choice => choice.checked = true")
    press(page, "Show services")
    page.get_by_role("link", name="Send to these").click()
    page.get_by_role("checkbox", name="agrees to this referral").check()
    press(page, "Send the referrals")
    expect(page.get_by_text("3 referrals are sent.")).to_be_visible()
    # and each is answered by itself
    assert {referral.package for referral in Referral.objects.all()} == {Referral.objects.first().package}
    home = visit(given_provider(pools["Walks"]), "/inbox/")
    home.get_by_role("link", name="near PR1").click()
    press(home, "Yes, we’ll help")
    # then her list tells of each: as cards on a phone
    page.goto("/worklist/?show=sent")
    for name, words in (("Walks", "Accepted"), ("Tea and talk", "Waiting for an answer"), ("Money help", "Waiting for an answer")):
        expect(page.get_by_role("row").filter(has_text=name).get_by_text(words)).to_be_visible()
    assert_accessible(page)
    # when she takes back what nobody has answered, and changes her mind
    for name in ("Walks", "Money help"):
        page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
    expect(page.get_by_text("2 ticked")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("No request waits for an answer: this is “Accepted”.")).to_be_visible()
    page.get_by_label("Why are they withdrawn?").fill("They have paid it off")
    assert_accessible(page)
    press(page, "Do this for 1 line")
    press(page, "Undo all of it")
    # then that part of the package is asked again, for nothing else has happened to it since
    expect(page.get_by_text("Undone", exact=True)).to_be_visible()
    assert ReferralTask.objects.filter(pool=pools["Money help"], status=Status.REQUESTED).count() == 1
