"""What a team puts right: two records of one person, a text that did not arrive; and three clicks on a pathway; who came, on a list."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from capacity.models import ServiceCapacity
from catalogue.models import User
from flow import operations as referrals
from flow.attendance import operations as attendance
from flow.models import PersonMessage, Referral
from tests.factories import PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import PathwayFactory
from tests.flow.helpers import send
from tests.flow.told import person
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, follow, press
from tests.journeys.steps import given_home, given_patient, given_preston, given_provider, given_referrer

ASKS = {"questions": [{"key": "stairs", "text": "Are there stairs at home?", "kind": "yes-no", "required": True, "shown": "before"}]}


@pytest.mark.req("R065")
def test_what_a_team_puts_right_and_what_is_sent_on_a_pathway_with_three_clicks(visit: Visit, stack, console: list[str]):
    console.append("status of 422")
    given_preston()
    nurse, home = given_referrer(), given_home("Fir Grove", free=9)
    named = {"organization": nurse.organization, "given_name": "Ada", "birth_date": "1941-05-17"}
    for family_name, more in (("Byrom", {"phone": "01772 900100"}), ("Byram", {"nhs_number": "9434765919"})):
        PatientFactory(family_name=family_name, **named, **more)
    # when a nurse compares two records and joins them, it can be undone there
    page = visit(nurse, "/patients/pairs/")
    assert_accessible(page)
    follow(page, re.compile("Ada Byr.m and Ada Byr.m"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Are these one person?")
    assert_accessible(page)
    press(page, "Merge")
    expect(page.get_by_text("The two records are one now.")).to_be_visible()
    assert_accessible(page)
    press(page, "Undo")
    expect(page.get_by_text("Undone")).to_be_visible()
    # when a text reaches nobody, then she and whoever runs the site read it, without the person
    task = send(nurse, [home], patient=person(nurse, given_name="Canary")).tasks.get()
    referrals.accept(task_id=task.pk, by=given_provider(home), at=timezone.now())
    PersonMessage.objects.update(state="failed", failed_because="It could not be handed over to the text or mail service (TimeoutError).")
    desk = visit(UserFactory(administrator=True), "/notices/failed/")
    expect(desk.get_by_text("No carrier took 1 text message to people")).to_be_visible()
    assert_accessible(desk)
    desk.goto("/caught/")
    assert_accessible(desk)
    page.goto("/notices/")
    follow(page, "Messages to people that did not arrive")
    expect(page.get_by_text("It could not be handed over to the text or mail service.")).to_be_visible()
    expect(page.get_by_text("Canary")).to_have_count(0)
    assert_accessible(page)
    press(page, re.compile("Give up"))
    expect(page.get_by_text("Given up. It is off this list.")).to_be_visible()
    expect(page.get_by_text("0 messages")).to_be_visible()
    three_clicks_on_a_pathway_and_a_list_that_is_marked(visit, nurse, home)


def three_clicks_on_a_pathway_and_a_list_that_is_marked(visit: Visit, nurse: User, home: ServiceCapacity) -> None:
    PathwayFactory(name="Winter discharge", for_whom="People who go home in winter", version=ASKS)
    patient = given_patient(nurse)
    # when a nurse names a pathway at the third click, its questions come first
    page = visit(nurse, f"/refer/?patient={patient.pk}")
    press(page.get_by_role("main"), "Care home: general residential")
    follow(page, re.compile("Ask this one"))
    page.get_by_label("On a pathway?").select_option("Winter discharge")
    assert_accessible(page)
    press(page, "They agree: send the referral")
    press(page, "They agree: send the referral")
    expect(page.get_by_role("alert").get_by_role("link", name="Answer this: Are there stairs at home?")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("group", name="Are there stairs at home?").get_by_label("No").check()
    press(page, "They agree: send the referral")
    expect(page.get_by_text("Fir Grove has been asked.")).to_be_visible()
    task = Referral.objects.get(pathway_answers={"stairs": "no"}).tasks.get()
    # when the home marks who came to a session of its own, a wrong number beside the list is told in words, in focus
    staff, began = given_provider(home), timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    session = PoolFactory(service=home.service, name="Tea", per="session", starts_at=began, ends_at=began + timedelta(hours=1), available=8)
    referrals.accept(task_id=task.pk, by=staff, at=timezone.now())
    attendance.book_session(task_id=task.pk, session_id=session.pk, by=staff, at=timezone.now())
    desk = visit(staff, f"/register/?day={timezone.localdate(began)}")
    desk.get_by_role("main").locator("h2 a").click()
    assert_accessible(desk)
    desk.locator("button[value=present]").first.click()
    expect(desk.get_by_text("1 expected, 1 came")).to_be_visible()
    desk.get_by_label("How many people?").fill("-4")
    press(desk, "Count them")
    expect(desk.locator(".nhsuk-error-summary")).to_be_focused()
    assert_accessible(desk)
    desk.goto("/register/figures/")
    expect(desk.get_by_text("100%")).to_be_visible()
    assert_accessible(desk)
