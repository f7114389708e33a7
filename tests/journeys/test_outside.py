"""A small provider without an account answers on a telephone: asked, yes, code, name, started; and who sent the request reads it."""

import re

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from core import sms
from flow.models import ReferralTask, ReleaseCode
from flow.outside import contacts, messages
from tests.factories import UserFactory
from tests.flow.helpers import send
from tests.journeys.conftest import Visit
from tests.journeys.pages import assert_accessible, assert_fits, line, press
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
    # given a lunch club where nobody signs in, whose kitchen is registered, and a nurse who asks it for somebody
    given_preston()
    club = given_home("Sunny Lunch Club")
    registered = {"name": "The kitchen", "email": EMAIL, "phone": PHONE, "check_made": "published"}
    contacts.register(service_id=club.service_id, by=UserFactory(curator=True), at=timezone.now(), **registered)
    nurse = given_referrer()
    task = send(nurse, [club], patient=given_patient(nurse, phone="07700 900123"), reason="Lonely").tasks.get()
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
