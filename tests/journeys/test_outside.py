"""By a link from a message: a small provider answers without an account, and somebody reached by texts alone answers about their times."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from core import sms
from core.clock import local_date
from flow import consents
from flow import operations as referrals
from flow.attendance import operations as attendance
from flow.models import PersonMessage, ReferralTask, ReleaseCode, SessionCancellation
from flow.outside import messages
from flow.reminders import sending
from tests.factories import PoolFactory, UserFactory
from tests.flow.helpers import send
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_fits, follow, line, press
from tests.journeys.steps import (
    FAMILY_NAME,
    GIVEN_NAME,
    given_home,
    given_patient,
    given_preston,
    given_referrer,
    then_nothing_names_the_person,
)

EMAIL, PHONE = "kitchen@sunny.example", "+447700900555"


def link_for(task: ReferralTask) -> str:
    """The address in the e-mail that the registered contact gets."""
    assert messages.send_link(task_id=task.pk, at=timezone.now())
    return re.search(r"https?://\S+?(/reply/[\w-]+/)", mail.outbox[-1].body)[1]


def code_sent() -> str:
    """The code in the text message that the registered number gets."""
    assert messages.send_code(code_id=ReleaseCode.objects.latest("created_at").pk, at=timezone.now())
    _, to, text = sms.KeepingGateway.outbox[-1]
    assert to == PHONE
    return re.search(r"\b(\d{6})\b", text)[1]


@pytest.mark.req("R083")
@pytest.mark.on_a_phone
def test_a_provider_by_signed_link_on_a_phone(visit: Visit, console: list[str]):
    # given a lunch club where nobody signs in, whose kitchen a curator registers, and a nurse who asks it for somebody
    given_preston()
    club = given_home("Sunny Lunch Club")
    desk = visit(UserFactory(curator=True), f"/directory/{club.service_id}/replies/")
    for label, words in (("Who answers?", "The kitchen"), ("E-mail address", EMAIL), ("Mobile number", PHONE)):
        desk.get_by_label(label).fill(words)
    desk.get_by_role("radio", name="Rang the number that they publish").check()
    press(desk, "Save")
    expect(desk.get_by_role("button", name="Send no more links")).to_be_visible()
    assert_accessible(desk)
    nurse = given_referrer()
    task = send(nurse, [club], patient=given_patient(nurse, phone="07700 900123"), reason="Lonely").tasks.get()
    asks = visit(nurse, f"/referrals/{task.referral_id}/code/{task.pk}/")
    expect(asks.get_by_text("They have not said yes by their link")).to_be_visible()
    assert_accessible(asks)
    console += ["status of 410", "status of 422"]
    # when the kitchen opens the link, it reads what is needed and no name
    address = link_for(task)
    phone = visit(None, address)
    expect(phone.get_by_role("heading", level=1)).to_contain_text("near PR1")
    then_nothing_names_the_person(phone)
    assert_accessible(phone)
    # and looking, as programs that check mail do, changes nothing, nor does it need a script
    expect(visit(None, address, javascript=False).get_by_role("button", name="Yes, we’ll help")).to_be_visible()
    # when it says yes, types a wrong code and then the right one
    press(phone, "Yes, we’ll help")
    then_nothing_names_the_person(phone)
    press(phone, "Send me the code")
    expect(phone.get_by_text("the number that ends in 555")).to_be_visible()
    code = code_sent()
    phone.get_by_label("The code from the message").fill("nonsense")
    press(phone, "Show name and telephone")
    expect(phone.get_by_role("link", name="That is not the code.")).to_be_visible()
    phone.get_by_label("The code from the message").fill(code)
    press(phone, "Show name and telephone")
    # then it reads whom to ring, once
    expect(phone.get_by_role("heading", level=1)).to_have_text(f"{GIVEN_NAME} {FAMILY_NAME}")
    expect(phone.get_by_role("link", name="07700 900123")).to_be_visible()
    assert_accessible(phone)
    assert_fits(phone)
    press(phone, "Support has started")
    expect(phone.locator(".lune-status").first).to_have_text("Support started")
    then_nothing_names_the_person(phone)
    # and the link from the message says that it was used, and offers another to the registered address
    spent = visit(None, address)
    expect(spent.get_by_role("heading", level=1)).to_have_text("This link was used already.")
    # and the nurse reads who said it
    page = visit(nurse, f"/referrals/{task.referral_id}/")
    expect(line(page, "Sunny Lunch Club").locator(".lune-status")).to_have_text("Support started")
    expect(page.get_by_text("The kitchen, Sunny Lunch Club Ltd, by a signed link").first).to_be_visible()


@pytest.mark.req("R081")
def test_somebody_reached_by_texts_alone_says_that_they_cannot_come_and_takes_another_session(visit: Visit, console: list[str]):
    console += ["status of 422"]
    # given somebody with a mobile who agreed to texts, booked for a group in three days
    given_preston()
    group = given_home("Sunny Gentle Exercise")
    nurse, staff = given_referrer(), UserFactory(provider=True, organization=group.service.organization)
    patient = given_patient(nurse, phone="07700 900123", preferred_contact="text")
    said = {"decision": "given", "source": "said", "decided_on": local_date(timezone.now()), "by": nurse, "at": timezone.now()}
    consents.keep(patient, purpose="text", **said)
    task = send(nurse, [group], patient=patient).tasks.get()
    referrals.accept(task_id=task.pk, by=staff, at=timezone.now())
    first, later = (session(group, days=days) for days in (3, 10))
    attendance.book_session(task_id=task.pk, session_id=first.pk, by=staff, at=timezone.now())
    # when they open the link of the text and press a button
    phone = visit(None, link_of("booked"))
    then_nothing_names_the_person(phone)
    assert_accessible(phone)
    press(phone, "I cannot come")
    expect(phone.get_by_role("status")).to_contain_text("I cannot come")
    assert_accessible(phone)
    # then those who run the group see it on the list, call the session off and offer another one
    desk = visit(staff, f"/register/?day={first.starts_at:%Y-%m-%d}")
    assert_accessible(desk)
    follow(desk, "Sunny Gentle Exercise")
    expect(desk.get_by_text("They say they cannot come")).to_be_visible()
    assert_accessible(desk)
    desk.get_by_role("link", name="Cancel this session").click()
    assert_accessible(desk)
    press(desk, "Cancel the session")
    expect(desk.get_by_role("link", name="Say why it does not take place.")).to_be_visible()
    desk.get_by_label("Why does it not take place?").fill("No heating")
    desk.get_by_label("Offer them another session?").select_option(str(later.pk))
    press(desk, "Cancel the session")
    expect(desk.get_by_role("button", name="Undo: it takes place")).to_be_visible()
    assert_accessible(desk)
    # and the person is told, and takes it
    attendance.carry_out(cancellation_id=SessionCancellation.objects.get().pk, at=timezone.now() + timedelta(minutes=10))
    again = visit(None, link_of("called-off"))
    expect(again.get_by_text("We are sorry.")).to_be_visible()
    assert_accessible(again)
    press(again, "Yes, I will come then")
    expect(again.get_by_role("status")).to_contain_text("Yes, I will come then")
    # and whoever referred them reads all of it
    page = visit(nurse, f"/referrals/{task.referral_id}/")
    expect(page.get_by_text("Cancelled by the service").first).to_be_visible()
    expect(page.get_by_role("heading", name="Messages to them")).to_be_visible()
    assert_accessible(page)


def session(pool, *, days: int):
    """One session of a group at ten, so many days from now."""
    starts_at = timezone.now().replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=days)
    return PoolFactory(
        service=pool.service, name="Gentle exercise", per="session", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1),
        maximum=8, available=8,
    )  # fmt: skip


def link_of(kind: str) -> str:
    """The address in the text that the person gets; sent as if it were morning."""
    message = PersonMessage.objects.get(kind=kind)
    assert sending.send(message_id=message.pk, at=max(message.due_at, timezone.now())) == "sent"
    return re.search(r"(/t/\S+)", sms.KeepingGateway.outbox[-1][2])[1]


@pytest.mark.req("R083")
def test_a_provider_who_is_not_here_is_rung_twice(visit: Visit):
    # given a link worker who asks a club where nobody signs in
    given_preston()
    nurse, club = given_referrer(), given_home("Fir Lunch Club")
    club.service.phones.create(number="01772 555 0101")
    task = send(nurse, [club]).tasks.get()
    page = visit(nurse, f"/referrals/{task.referral_id}/")
    expect(page.get_by_role("link", name="01772 555 0101")).to_be_visible()
    # when nobody answers, the next try stands among what is to be done
    for rung, said in (("The desk", "Nobody answered"), ("Jo at the desk", "Yes, we’ll help")):
        follow(page, "Write down a call")
        page.get_by_label("Who did you ring?").fill(rung)
        page.get_by_role("radio", name=said).check()
        assert_accessible(page)
        press(page, "Write this down")
        page.goto("/follow-ups/?show=open")
        expect(page.get_by_text("Ring Fir Lunch Club again about this referral.")).to_have_count(int(said.startswith("Nobody")))
        page.goto(f"/referrals/{task.referral_id}/")
    # then it is done with the next call, by which they said yes
    task.refresh_from_db()
    assert task.status == "accepted"
