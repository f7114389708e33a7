"""Whoever is shown a person is written down in the transaction that shows them; when that fails, nothing is shown."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEntry
from flow import operations
from matching.operations import match
from tests.factories import (
    EpisodeFactory,
    NeedProfileFactory,
    OutcodeFactory,
    PatientFactory,
    PoolFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NAME = "Quillfeather"


class Story:
    """Somebody who waits, has been searched for, and was accepted."""

    def __init__(self) -> None:
        OutcodeFactory()
        self.sender = UserFactory()
        self.patient = PatientFactory(organization=self.sender.organization, family_name=NAME)
        episode = EpisodeFactory(patient=self.patient)
        profile = NeedProfileFactory(organization=self.sender.organization)
        self.pool = PoolFactory()
        self.provider = UserFactory(provider=True, organization=self.pool.service.organization)
        self.run = match(profile, by=self.sender, at=timezone.now())
        self.referral = operations.send(
            patient_id=self.patient.pk, profile_id=profile.pk, pool_ids=[self.pool.pk], episode_id=episode.pk, consent=True,
            by=self.sender, at=timezone.now(),
        )  # fmt: skip
        self.task = self.referral.tasks.get()
        operations.accept(task_id=self.task.pk, by=self.provider, at=timezone.now())
        operations.hold_place(episode_id=episode.pk, pool_id=PoolFactory().pk, by=self.sender, at=timezone.now())

    def address(self, surface: str) -> str:
        run, patient, referral, task = self.run.pk, self.patient.pk, self.referral.pk, self.task.pk
        return {
            "worklist": reverse("worklist"),
            "worklist as a file": reverse("worklist-csv"),
            "held places": reverse("holds"),
            "held places over the API": reverse("api-holds"),
            "person": reverse("patient", args=[patient]),
            "details of a person": reverse("patient-edit", args=[patient]),
            "changes of a person": reverse("patient-changes", args=[patient]),
            "agreements of a person": reverse("patient-consent", args=[patient]),
            "search for a person": f"{reverse('find')}?patient={patient}",
            "ranking for a person": f"{reverse('match', args=[run])}?patient={patient}",
            "choice of a person": f"{reverse('send', args=[run])}?pools={self.pool.pk}",
            "sending for a person": f"{reverse('send', args=[run])}?pools={self.pool.pk}&patient={patient}",
            "letter": reverse("letter-new", args=[referral]),
            "need of a person": f"{reverse('refer')}?patient={patient}",
            "services for a person": f"{reverse('refer-choose', args=[run])}?patient={patient}",
            "asking for a person": f"{reverse('refer-send', args=[run, self.pool.pk])}?patient={patient}",
            "referral": reverse("referral", args=[referral]),
            "task": reverse("task", args=[task]),
            "people over the API": reverse("api-patients"),
            "person over the API": reverse("api-patient", args=[patient]),
            "task over the API": reverse("api-task", args=[task]),
            "referrals over the API": reverse("api-referrals"),
            "referral over the API": reverse("api-referral", args=[referral]),
            "tasks over the API": reverse("api-tasks"),
        }[surface]


@pytest.fixture
def story() -> Story:
    return Story()


SURFACES = [
    ("letter", "sender"), ("need of a person", "sender"), ("services for a person", "sender"), ("asking for a person", "sender"),
    ("worklist", "sender"), ("worklist as a file", "sender"), ("held places", "sender"),
    ("person", "sender"), ("search for a person", "sender"), ("details of a person", "sender"), ("changes of a person", "sender"),
    ("agreements of a person", "sender"),
    ("ranking for a person", "sender"), ("choice of a person", "sender"), ("sending for a person", "sender"), ("referral", "sender"),
    ("people over the API", "sender"), ("person over the API", "sender"), ("task", "provider"), ("task over the API", "provider"),
    ("people over the API", "provider"), ("person over the API", "provider"),
]  # fmt: skip
#: What tells of a referral by ids alone.
BY_ID = ["referrals over the API", "referral over the API", "tasks over the API", "task over the API"]


def browser(user, **options) -> Client:
    client = Client(**options)
    client.force_login(user, backend=BACKEND)
    return client


def looks(user, record) -> int:
    return AuditEntry.objects.filter(user_id=user.pk, record_id=record.pk, role=user.role, action="read").count()


@pytest.mark.parametrize(("surface", "side"), SURFACES)
def test_each_place_that_names_a_person_writes_who_looked(story, surface, side):
    user = getattr(story, side)
    before = looks(user, story.patient)
    answer = browser(user).get(story.address(surface))
    assert (answer.status_code, NAME in answer.content.decode()) == (200, True)
    assert looks(user, story.patient) == before + 1


@pytest.mark.parametrize("surface", BY_ID)
def test_a_referral_told_by_ids_is_a_look_at_the_referral(story, surface):
    assert browser(story.sender).get(story.address(surface)).status_code == 200
    assert looks(story.sender, story.referral) == 1


def test_a_hold_told_by_ids_is_a_look_at_the_person(story):
    assert browser(story.sender).get(story.address("held places over the API")).json()["count"] == 1
    assert looks(story.sender, story.patient) == 1


@pytest.mark.parametrize(("surface", "side"), SURFACES)
def test_when_the_audit_cannot_be_written_nothing_is_shown(story, surface, side, monkeypatch):
    def fails(*args, **kwargs):
        raise DatabaseError("the audit is full")

    monkeypatch.setattr(AuditEntry.objects, "bulk_create", fails)
    answer = browser(getattr(story, side), raise_request_exception=False).get(story.address(surface))
    assert (answer.status_code, NAME in answer.content.decode()) == (500, False)


@pytest.mark.parametrize("surface", ["worklist", "person", "referral"])
def test_a_part_that_renews_itself_is_one_look_for_ten_minutes(story, surface):
    client, part = browser(story.sender), {"HTTP_HX_REQUEST": "true"}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.get(story.address(surface))
        client.get(story.address(surface), **part)
        assert looks(story.sender, story.patient) == 1
        clock.shift(timedelta(minutes=11))
        client.get(story.address(surface), **part)
        assert looks(story.sender, story.patient) == 2
