"""Opening a record in an emergency: what it shows, for how long, to whom it is told, and that guesses teach nothing."""

import csv
from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalogue.models import User
from core import acting, audit
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import AuditEntry, Event
from flow.models import Document, GlassOpening, PatientMerge, ReplyContact
from flow.outside.operations import Reader
from flow.sight import all_looks, glass, looks
from tests.factories import EpisodeFactory, PatientFactory, PoolFactory, UserFactory

pytestmark = pytest.mark.django_db
BORN, NUMBER = date(1941, 5, 17), "9434765919"
WHY = {"reason": "danger", "words": "They fell and cannot say who they are"}


@pytest.fixture
def person(db):
    person = PatientFactory(family_name="Quillfeather", nhs_number=NUMBER, birth_date=BORN)
    EpisodeFactory(patient=person, organization=person.organization, ward="Ward 9")
    return person


def browser(user) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def open_it(by, **told) -> GlassOpening:
    return glass.open_record(**({"nhs_number": "943 476 5919", "birth_date": BORN, "by": by, "at": timezone.now()} | WHY | told))


@pytest.mark.req("R087")
def test_a_record_is_opened_for_an_hour_said_until_when_and_managers_of_both_sides_are_told(person, provider):
    theirs, ours = (
        UserFactory(manager=True, organization=person.organization),
        UserFactory(manager=True, organization=provider.organization),
    )
    client = browser(provider)
    sent = {"nhs_number": NUMBER, "birth_date": "1941-05-17", **WHY}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        answer = client.post(reverse("glass"), sent)
        assert (answer.status_code, "Quillfeather" in client.get(answer.url).content.decode()) == (302, True)
        page = client.get(answer.url).content.decode()
        assert "You may read this record until" in page
        assert "Ward 9" in page
        clock.shift(timedelta(minutes=61))
        closed = client.get(answer.url)
        assert (closed.status_code, "Quillfeather" in closed.content.decode()) == (409, False)
    event = Event.objects.get(type="breakglass.opened")
    assert set(event.data["to"]) == {str(theirs.pk), str(ours.pk)}
    assert {"Quillfeather", NUMBER, WHY["words"]}.isdisjoint(str(event.data))
    opening = GlassOpening.objects.get()
    assert AuditEntry.objects.filter(user_id=provider.pk, record_id=person.pk, purpose="break-glass").count() == 3
    assert browser(UserFactory(provider=True)).get(reverse("glass-record", args=[opening.pk])).status_code == 404
    assert client.get(reverse("patient", args=[person.pk])).status_code == 403, "only this page is open, and to read"


@pytest.mark.parametrize("told", [{"nhs_number": "9434765870"}, {"birth_date": date(1941, 5, 18)}, {"nhs_number": ""}])
def test_whoever_guesses_learns_nothing_is_written_down_and_soon_stopped(person, provider, told):
    said = set()
    for _ in range(glass.MOST_GUESSES):
        with pytest.raises(NotFound) as refused:
            open_it(provider, **told)
        said.add(refused.value.message)
    assert said == {glass.UNKNOWN}
    assert AuditEntry.objects.filter(user_id=provider.pk, action="guess").count() == glass.MOST_GUESSES
    with pytest.raises(Conflict):
        open_it(provider)
    assert not GlassOpening.objects.exists()


def test_a_try_is_written_down_before_anything_is_looked_up_and_what_was_opened_was_not_wrong(person, provider, monkeypatch):
    for _ in range(glass.MOST_GUESSES + 1):
        open_it(provider)
    monkeypatch.setattr(glass, "_open", lambda *told: 1 / 0)
    for _ in range(glass.MOST_GUESSES):  # as if they were all still looking
        with pytest.raises(ZeroDivisionError):
            open_it(provider)
    with pytest.raises(Conflict):
        open_it(provider)


def test_nobody_reviews_what_they_opened_themselves(person, provider):
    opening = open_it(provider)
    User.objects.filter(pk=provider.pk).update(role=User.Role.MANAGER)
    provider.refresh_from_db()
    with pytest.raises(NotAllowed, match="yourself"):
        glass.review(opening_id=opening.pk, verdict="justified", words="I was right", by=provider, at=timezone.now())
    told = {"verdict": "justified", "verdict_words": "I was right", "reviewed_by": provider, "reviewed_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        GlassOpening.objects.filter(pk=opening.pk).update(**told)


def test_it_is_for_those_who_care_and_needs_a_reason_in_words(person, provider, manager):
    with pytest.raises(NotAllowed):
        open_it(manager)
    for told in ({"reason": "curious"}, {"words": "short"}):
        with pytest.raises(Invalid):
            open_it(provider, **told)


def test_a_manager_of_either_side_reviews_it_once_with_words_and_late_ones_show(person, provider):
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        opening = open_it(provider)
    boss = UserFactory(manager=True, organization=person.organization)
    client, address = browser(boss), reverse("glass-review", args=[opening.pk])
    listed = client.get(reverse("glass-reviews")).content.decode()
    assert ("more than 7 days" in listed, "Quillfeather" in listed) == (True, False)
    assert client.post(address, {"verdict": "justified", "words": ""}).status_code == 422
    assert client.post(address, {"verdict": "justified", "words": "The ambulance rang us"}).status_code == 302
    assert client.post(address, {"verdict": "not-justified", "words": "Changed my mind"}).status_code == 422
    assert GlassOpening.objects.get().verdict == "justified"
    assert browser(UserFactory(manager=True)).get(address).status_code == 404


def test_a_manager_tells_a_person_who_has_looked_at_their_record_and_other_managers_do_not(person, provider):
    open_it(provider)
    boss = UserFactory(manager=True, organization=person.organization)
    client, sent = browser(boss), {"nhs_number": NUMBER, "birth_date": "1941-05-17"}
    address = client.post(reverse("looks"), sent).url
    assert address == f"{reverse('looks')}?record={person.pk}", "the number stands in no address"
    shown = client.get(address).content.decode()
    assert ("In an emergency" in shown, "Quillfeather" in shown) == (True, False)
    today, told = timezone.localdate().isoformat(), {"record": person.pk}
    file = client.get(reverse("looks-csv"), told | {"how": "break-glass", "since": today, "until": today}).content.decode().splitlines()
    assert file[0] == "When,Who,Organisation,Role,At what,How it was seen"
    assert len(file) == 2
    assert provider.organization.name in file[1]
    assert len(client.get(reverse("looks-csv"), told | {"until": "2020-01-01"}).content.decode().splitlines()) == 1
    assert len(client.get(reverse("looks-csv"), told | {"who": provider.email}).content.decode().splitlines()) == 2
    assert client.get(reverse("looks"), told | {"since": "soon"}).status_code == 422
    found = looks.at_record(record_id=person.pk, by=boss)
    assert [each.purpose for each in found].count(looks.HOW["privacy"]) == 6, "that somebody asked is a look, too"
    assert looks.whose(nhs_number=NUMBER, birth_date=BORN, by=boss) == person.pk
    assert AuditEntry.objects.filter(user_id=boss.pk, record_id=person.pk, record_type="audit").count() == 7, "nor is finding it untold"
    for stranger in (UserFactory(manager=True), UserFactory(role=User.Role.CURATOR)):
        with pytest.raises((NotFound, NotAllowed)):
            looks.whose(nhs_number=NUMBER, birth_date=BORN, by=stranger)
        with pytest.raises((NotFound, NotAllowed)):
            looks.at_record(record_id=person.pk, by=stranger)
    assert browser(UserFactory(manager=True)).get(address).status_code == 404


def test_looks_at_a_record_that_was_joined_are_told_and_by_whose_link_one_was(person):
    boss, pool = UserFactory(manager=True, organization=person.organization), PoolFactory()
    kitchen = ReplyContact.objects.create(
        service=pool.service, name="The kitchen", email="desk@sunny.example", check_made="published", created_at=timezone.now()
    )
    first, second = PatientFactory.create_batch(2, organization=person.organization)
    for gone, kept in ((first, second), (second, person)):
        PatientMerge.objects.create(organization=person.organization, kept=kept, gone=gone, merged_at=timezone.now())
    audit.record_read(user=UserFactory(first_name="Ann", last_name="Reed"), record_type="patient", record_id=first.pk)
    audit.record_read(user=Reader(pk=kitchen.pk, organization_id=pool.service.organization_id), record_type="patient", record_id=person.pk)
    with acting.for_user(boss):
        found = looks.at_record(record_id=looks.whose(nhs_number=NUMBER, birth_date=BORN, by=boss), by=boss)
    assert [(each.who, each.what) for each in found[2:]] == [
        ("The kitchen, by a signed link", "The person’s record"),
        ("Ann Reed", "A record that was joined with this one"),
    ]


@pytest.mark.req("R087")
def test_a_manager_lists_looks_at_all_their_records_by_days_names_roles_and_purpose_and_that_is_a_look(person, provider):
    open_it(provider)
    other, boss = PatientFactory(organization=person.organization), UserFactory(manager=True, organization=person.organization)
    nurse = UserFactory(organization=person.organization, first_name="Ann", last_name="Reed")
    stay = EpisodeFactory(patient=other)
    theirs = PatientFactory()
    document = Document.objects.create(
        patient=other, organization=other.organization, title="Scan", content_type="text/plain", size=1, sha256="0" * 64,
        added_at=timezone.now(),
    )  # fmt: skip
    for kind, record in (("patient", other.pk), ("document", document.pk), ("patient", theirs.pk), ("launch", stay.pk)):
        audit.record_read(user=nurse, record_type=kind, record_id=record)
    with time_machine.travel(timezone.now() - timedelta(days=40)):
        audit.record_read(user=nurse, record_type="patient", record_id=other.pk)
    client, address, file = browser(boss), reverse("looks-all"), reverse("looks-all-csv")

    def told(**filters) -> list[list[str]]:
        return list(csv.reader(client.get(file, filters).content.decode().splitlines()))[1:]

    page = client.get(address).content.decode()
    assert ("Quillfeather" in page, NUMBER in page, f"record={person.pk}" in page, "Ann Reed" in page) == (False, False, True, True)
    assert sorted((row[1], row[4], row[6]) for row in told(role="referrer")) == sorted(
        [("Ann Reed", "The person’s record", str(other.pk)), ("Ann Reed", "A document", str(other.pk))]
    )
    assert {row[5] for row in told(how="break-glass")} == {"In an emergency"}
    assert len(told(who="ann re", since=(timezone.localdate() - timedelta(days=60)).isoformat())) == 3
    before, week = (timezone.localdate() - timedelta(days=1)).isoformat(), (timezone.localdate() - timedelta(days=9)).isoformat()
    assert not told(until=before, since=week)
    # That this was read is a look at each record that stood in it, once in ten minutes, and at the list each time.
    asked = AuditEntry.objects.filter(user_id=boss.pk, record_type="audit", purpose="privacy")
    assert sorted(asked.exclude(record_id=boss.organization_id).values_list("record_id", flat=True)) == sorted([person.pk, other.pk])
    assert asked.filter(record_id=boss.organization_id).count() == 5
    assert len(told(how="privacy")) == 2
    for wrong in ({"since": "soon"}, {"since": "2026-01-02", "until": "2026-01-01"}, {"since": "2020-01-01"}, {"role": "nobody"}):
        assert client.get(address, wrong).status_code == 422
        assert client.get(file, wrong).status_code == 404


def test_looks_at_all_records_are_a_managers_of_that_organisation_and_come_in_pages(person, provider):
    boss = UserFactory(manager=True, organization=person.organization)
    for _ in range(3):
        audit.record_read(user=provider, record_type="patient", record_id=person.pk)
    today = timezone.localdate()
    wanted = all_looks.Wanted(since=today, until=today)
    with acting.for_user(boss):
        parts = [all_looks.of_organization(by=boss, wanted=wanted, page=number, size=2) for number in (1, 2, 9)]
    assert [(len(part.lines), part.count, part.page) for part in parts] == [(2, 3, 1), (1, 3, 2), (1, 3, 2)]
    assert all_looks.of_organization(by=UserFactory(manager=True), wanted=wanted).count == 0
    for stranger in (provider, UserFactory(role=User.Role.CURATOR), UserFactory(organization=person.organization)):
        with pytest.raises(NotAllowed):
            all_looks.of_organization(by=stranger, wanted=wanted)


def test_that_a_document_was_opened_stands_among_the_looks_at_a_record(person):
    boss = UserFactory(manager=True, organization=person.organization)
    document = Document.objects.create(
        patient=person, organization=person.organization, title="Scan", content_type="text/plain", size=1, sha256="0" * 64,
        added_at=timezone.now(),
    )  # fmt: skip
    audit.record_read(user=UserFactory(), record_type="document", record_id=document.pk, purpose="download")
    found = looks.at_record(record_id=person.pk, by=boss, wanted=looks.Wanted(how="download"))
    assert [each.what for each in found] == ["A document"]
