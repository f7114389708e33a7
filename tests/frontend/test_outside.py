"""Pages for providers without an account: what they tell a browser to keep, what they say of bad links, and files that may be passed on."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from flow import operations
from flow.models import Booking, FollowUp, ReleaseCode, ReplyContact, TaskLink
from flow.outside import codes, links
from frontend.views import outside
from tests import factories
from tests.flow.helpers import send

pytestmark = pytest.mark.django_db
CANARY = ("Quillfeather", "Zebedee", "PR1 9ZQ", "07700900123", "Canary reason")


@pytest.fixture
def task():
    factories.OutcodeFactory()
    nurse = factories.UserFactory()
    patient = factories.PatientFactory(
        organization=nurse.organization, given_name="Zebedee", family_name="Quillfeather", postcode="PR1 9ZQ", phone="07700900123"
    )
    return send(nurse, [factories.PoolFactory()], patient=patient, reason="Canary reason").tasks.get()


@pytest.fixture
def token(task):
    contact = ReplyContact.objects.create(
        service=task.pool.service, name="The kitchen", email="desk@example.org", phone="+447700900555", check_made="met",
        created_at=timezone.now(),
    )  # fmt: skip
    return links.issue(task, contact, kind="sent", channel="email", at=timezone.now())


def named(answer) -> bool:
    return any(word in answer.content.decode() for word in CANARY)


def test_the_name_is_in_one_answer_that_nobody_keeps(client: Client, task, token):
    address = f"/reply/{token}/"
    looked = client.get(address)
    assert (looked.status_code, named(looked)) == (200, False)
    assert (looked["Cache-Control"], looked["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "noindex" in looked["X-Robots-Tag"]
    assert TaskLink.objects.get().used_at is None
    door = client.post(address, {"do": "accept", "version": task.version}).headers["Location"]
    assert named(client.get(door)) is False
    client.post(door, {"do": "code"})
    code = codes.make(ReleaseCode.objects.get(), at=timezone.now())
    wrong = client.post(door, {"do": "release", "code": "12"})
    assert (wrong.status_code, named(wrong)) == (422, False)
    shown = client.post(door, {"do": "release", "code": code})
    assert "Quillfeather" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    assert not shown.cookies
    assert named(client.get(door)) is False
    spent = client.get(address)
    assert (spent.status_code, named(spent)) == (410, False)
    assert "This link was used already." in spent.content.decode()


def test_where_there_is_one_address_the_code_is_read_out_by_telephone(client: Client, task, token):
    """What went to a mailbox would open everything to whoever reads it."""
    ReplyContact.objects.update(phone="")
    door = client.post(f"/reply/{token}/", {"do": "accept", "version": task.version}).headers["Location"]
    assert "reads you a code" in client.get(door).content.decode()
    door = client.post(door, {"do": "code"}).headers["Location"]
    client.post(door, {"do": "code"})
    assert not ReleaseCode.objects.exists(), "nothing goes to the address that has the link"
    nurse = task.referral.created_by
    asks = FollowUp.objects.get(kind="message")
    assert (asks.assigned_to, "read them a code" in asks.words) == (nurse, True)
    staff = Client()
    staff.force_login(nurse, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = reverse("referral-code", args=[task.referral_id, task.pk])
    assert page in staff.get(reverse("referral", args=[task.referral_id])).content.decode()
    assert not re.search(r"\d{3} \d{3}", staff.get(page).content.decode()), "looking makes none"
    code = re.search(r"(\d{3}) (\d{3})", staff.post(page).content.decode())
    assert staff.post(page).status_code == 409, "not twice in a minute"
    shown = client.post(door, {"do": "release", "code": "".join(code.groups())})
    assert "Quillfeather" in shown.content.decode()
    staff.force_login(factories.UserFactory(), backend="allauth.account.auth_backends.AuthenticationBackend")
    assert staff.post(page).status_code == 404


@pytest.mark.parametrize(
    "sent",
    [{}, {"do": "accept"}, {"do": "accept", "version": "9" * 40}, {"do": "withdraw", "version": "1"}, {"do": "release", "code": "\0"}],
)
def test_nonsense_by_a_good_link_changes_nothing(client: Client, task, token, sent):
    answer = client.post(f"/reply/{token}/", sent)
    assert answer.status_code in (400, 404, 422)
    assert named(answer) is False
    assert TaskLink.objects.get().used_at is None
    task.refresh_from_db()
    assert task.status == "requested"


def test_links_that_never_were_and_too_many_of_them(client: Client, monkeypatch):
    cache.clear()
    monkeypatch.setattr("frontend.limits.time.time", lambda: 1_000_000.0)
    assert client.get("/reply/never/").status_code == 404
    assert client.post("/reply/never/again/").status_code == 404
    monkeypatch.setattr(outside, "A_MINUTE", 0)
    assert client.get("/reply/never/").status_code == 429


def test_a_file_to_pass_on_has_no_small_number(client: Client, task):
    staff = factories.UserFactory(provider=True, organization=task.provider)
    client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
    booked = {"task": task, "service": task.pool.service, "booked_at": timezone.now()}
    at = timezone.now()
    operations.accept(task_id=task.pk, by=staff, at=at)
    Booking.objects.create(starts_at=at, ends_at=at + timedelta(hours=1), **booked)
    own, shared = (client.get(f"/register/figures.csv{query}").content.decode() for query in ("", "?shared=1"))
    assert ",1,1,1,0," in own
    assert "not told" in shared
    assert ",1,1,1,0," not in shared
    assert client.get("/register/figures.csv?first=2026-02-31").status_code == 404
    assert client.get("/register/?day=9999-12-31").status_code == 200
    for when in ("00010101T0000Z", "99991231T2300Z"):
        assert client.get(f"/register/{task.pool.service_id}/{when}/").status_code == 404
