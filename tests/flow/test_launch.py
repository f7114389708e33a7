"""Coming here from a record system: who is believed, what is shown, and a referral in three steps with nothing typed."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.errors import Invalid, NotAllowed
from core.models import AuditEntry
from flow.launch import operations as launches
from flow.launch import tokens
from flow.models import Launch, LaunchKey, Patient, Referral, ReferralOrigin
from tests.factories import OutcodeFactory, PatientFactory, PoolFactory, PostcodeFactory, UserFactory, term

pytestmark = pytest.mark.django_db
NUMBER, BORN = "9434765919", "1941-05-17"


@pytest.fixture
def receptionist():
    user = UserFactory(organization__kind="practice", organization__ods_code="P81001", job_title="Receptionist")
    OutcodeFactory()
    PostcodeFactory()
    return user


@pytest.fixture
def key(receptionist) -> tuple[LaunchKey, str]:
    return launches.make_key(organization=receptionist.organization, name="Record system", days=90, by=None, at=timezone.now())


def claims(**changed: Any) -> dict[str, Any]:
    at = int(timezone.now().timestamp())
    told = {
        "aud": tokens.audience(), "jti": str(uuid4()), "nbf": at, "exp": at + 300, "location": "P81001", "given": "Ann", "family": "Lee",
        "patient": f"{tokens.NHS_NUMBER}|{NUMBER}", "birthdate": BORN, "postcode": "PR1 2HE", "sex": "female", "phone": "07700900123",
    }  # fmt: skip
    return {name: value for name, value in (told | changed).items() if value is not None}


def launch(client: Client, key: tuple[LaunchKey, str], **changed: Any):
    return client.post(reverse("launch"), {"token": tokens.sign(claims(**changed), key_id=key[0].pk, secret=key[1])})


@pytest.mark.req("R045")
@pytest.mark.req("R145")
@pytest.mark.req("R169")
def test_three_steps_with_nothing_typed(client, receptionist, key):
    pool = PoolFactory(service__care_type=term("care-type", "befriending"), service__name="Tea and talk", unit="place")
    opened = launch(client, key)
    assert opened.status_code == 302
    assert NUMBER not in opened["Location"]
    assert client.get(opened["Location"]).status_code == 302  # nobody is signed in
    client.force_login(receptionist)
    page = client.get(opened["Location"]).content.decode()
    assert "Ann Lee" in page
    assert "943 476 5919" in page
    assert not Patient.objects.exists()
    chosen = client.post(opened["Location"], {"care": "befriending"})  # 1
    choose = client.get(chosen["Location"]).content.decode()
    address = f"{reverse('refer-send', args=[chosen['Location'].split('/')[2], pool.pk])}?patient={Patient.objects.get().pk}"
    assert address in choose  # 2
    assert "Tea and talk" in client.get(address).content.decode()
    sent = client.post(address, {"urgency": "routine", "reason": ""})  # 3
    referral = Referral.objects.get()
    assert sent["Location"] == reverse("referral", args=[referral.pk])
    assert (referral.tasks.get().pool, referral.consent, referral.created_by) == (pool, True, receptionist)
    assert (referral.origin.channel, referral.origin.sector) == (ReferralOrigin.Channel.RECORD, ReferralOrigin.Sector.PRACTICE)
    person = Patient.objects.get()
    assert (person.nhs_number, person.birth_date.isoformat(), person.postcode, person.phone) == (NUMBER, BORN, "PR1 2HE", "07700900123")
    # what the record system told is wiped, and each look was written down
    assert Launch.objects.get().told == {}
    assert AuditEntry.objects.filter(record_type="patient", record_id=person.pk).exists()
    assert client.get(opened["Location"])["Location"].endswith(str(person.pk))


@pytest.mark.parametrize("says", ["the record", "another"])
def test_whom_a_launch_is_about_is_asked_where_a_record_has_the_name_and_no_number(client, receptionist, key, says):
    record = PatientFactory(organization=receptionist.organization, given_name="Ann", family_name="Lee", birth_date=BORN)
    PoolFactory(service__care_type=term("care-type", "befriending"), unit="place")
    client.force_login(receptionist)
    address = launch(client, key)["Location"]
    asked = client.post(address, {"care": "befriending"})
    assert asked.status_code == 409
    assert f'name="is" value="{record.pk}"' in asked.content.decode()
    assert Patient.objects.get() == record
    chosen = client.post(address, {"care": "befriending", "is": str(record.pk) if says == "the record" else "another"})
    about = Patient.objects.get(nhs_number=NUMBER)
    assert chosen["Location"].endswith(f"?patient={about.pk}")
    assert (about == record) == (says == "the record")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"exp": 1_000_000_300, "nbf": 1_000_000_000}, "expired"),
        ({"exp": 4_000_000_300, "nbf": 4_000_000_000}, "wrong-times"),
        ({"exp": None}, "no-times"),
        ({"aud": "https://elsewhere.example/launch/"}, "other-site"),
        ({"location": "P81002"}, "other-organisation"),
        ({"jti": ""}, "no-number"),
        ({"patient": f"{tokens.NHS_NUMBER}|9434765918"}, "no-person"),
        ({"birthdate": "1941-13-17"}, "no-person"),
        ({"family": " "}, "no-person"),
    ],
)
def test_what_a_token_must_say(client, key, changed, code):
    token = tokens.sign(claims(**changed), key_id=key[0].pk, secret=key[1])
    answer = client.post(reverse("launch"), {"token": token}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert NUMBER not in answer.content.decode()
    assert not Launch.objects.exists()


def test_who_is_not_believed(client, key):
    at = timezone.now()
    other, secret = launches.make_key(organization=key[0].organization, name="Other", days=1, by=None, at=at)

    def refused(token: str) -> str:
        return str(client.post(reverse("launch"), {"token": token}, content_type="application/json").json()["code"])

    good = tokens.sign(claims(), key_id=key[0].pk, secret=key[1])
    head, said, signature = good.split(".")
    forged = tokens._text(b'{"alg":"none","kid":"' + str(key[0].pk).encode() + b'"}')
    deep = tokens._text(b"[" * 1_900)
    assert refused(tokens.sign(claims(), key_id=key[0].pk, secret=secret)) == "wrong-signature"
    assert refused(f"{forged}.{said}.{signature}") == "wrong-signature"
    assert refused(f"{head}.{said}.") == "wrong-signature"
    assert {
        refused(text)
        for text in ("", "a.b", f"{deep}.{deep}.{deep}", "x" * 9_000, good[:-40] + "é" * 40, f"{head}.{head[:-3]}.{signature}")
    } == {"unreadable"}
    assert client.post(reverse("launch"), "[" * 9_000, content_type="application/json").json()["code"] == "unreadable"
    LaunchKey.objects.filter(pk=other.pk).update(revoked_at=at)
    assert refused(tokens.sign(claims(), key_id=other.pk, secret=secret)) == "key-ended"
    LaunchKey.objects.filter(pk=key[0].pk).update(created_at=at - timedelta(days=2), expires_at=at - timedelta(days=1))
    assert refused(good) == "key-ended"
    assert not Launch.objects.exists()


def test_it_is_taken_once_opened_by_one_and_for_a_quarter_of_an_hour(client, receptionist, key, time_machine):
    at = timezone.now()
    told = claims()
    token = tokens.sign(told, key_id=key[0].pk, secret=key[1])
    first = client.post(reverse("launch"), {"token": token})
    again = client.post(reverse("launch"), {"token": token})
    assert again.status_code == 409
    assert "used already" in again.content.decode()
    colleague = UserFactory(organization=receptionist.organization)
    client.force_login(UserFactory())
    assert client.get(first["Location"]).status_code == 403
    client.force_login(receptionist)
    assert client.get(first["Location"]).status_code == 200
    client.force_login(colleague)
    page = client.get(first["Location"])
    assert page.status_code == 403
    assert "Ann Lee" not in page.content.decode()
    named = launch(client, key, practitioner=receptionist.email.upper())
    assert client.get(named["Location"]).status_code == 403
    client.force_login(receptionist)
    assert client.get(named["Location"]).status_code == 200
    time_machine.move_to(at + launches.LASTS + timedelta(minutes=1))
    assert client.get(named["Location"]).status_code == 403
    assert launches.forget(at=timezone.now()) == 0
    assert list(Launch.objects.values_list("told", flat=True)) == [{}, {}]
    assert launches.forget(at=at + timedelta(days=2)) == 2


def test_a_number_of_somebody_born_on_another_day_shows_nothing(client, receptionist, key):
    PatientFactory(organization=receptionist.organization, nhs_number=NUMBER, birth_date="1950-01-01", given_name="Zebedee")
    client.force_login(receptionist)
    page = client.get(launch(client, key)["Location"])
    assert page.status_code == 409
    assert [word for word in ("Zebedee", "Ann Lee", NUMBER, "943 476") if word in page.content.decode()] == []


def test_a_system_that_cannot_send_a_form_gets_the_address_to_open(client, key):
    answer = client.post(
        reverse("launch"), {"token": tokens.sign(claims(), key_id=key[0].pk, secret=key[1])}, content_type="application/json"
    )
    assert answer.status_code == 201
    assert answer.json()["url"].startswith("http://testserver/launch/")
    assert client.get(reverse("launch")).status_code == 405


def test_keys_are_made_for_organisations_with_a_code_and_their_secret_is_kept_nowhere(receptionist, key, capsys):
    at = timezone.now()
    with pytest.raises(Invalid, match="ODS code"):
        launches.make_key(organization=UserFactory().organization, name="x", days=1, by=None, at=at)
    with pytest.raises(NotAllowed):
        launches.make_key(organization=receptionist.organization, name="x", days=1, by=receptionist, at=at)
    assert key[1] == tokens.secret_of(key[0].pk)
    assert key[1] not in str(LaunchKey.objects.values().get())
    call_command("launch_key", "P81001", "--name", "Surgery system", "--days", "30")
    said = capsys.readouterr().out
    made = LaunchKey.objects.get(name="Surgery system")
    assert str(made.pk) in said
    assert tokens.secret_of(made.pk) in said
    call_command("launch_key", "P81001", "--revoke", str(made.pk))
    made.refresh_from_db()
    assert made.revoked_at is not None
    assert settings.SECRET_KEY not in said
