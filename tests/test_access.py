"""Who sees what: every role, in every relation to a record, and a person who must not be recognised too early."""

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.test import APIClient

from capacity.models import Reservation, ServiceCapacity
from catalogue.models import Service, User
from core.models import Event
from flow import operations
from flow.models import Episode, Patient, Referral, ReferralTask
from flow.workflow import Reason, Status
from matching.models import NeedProfile
from tests.factories import EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
API = "/api/v1"
ROLES = [*User.Role.values, "anonymous"]
RELATIONS = ["sender", "asked", "accepted", "unrelated"]

#: Who sees a person's records, by model: (role, relation). Everybody else sees nothing.
MAY_SEE: dict[type, set[tuple[str, str]]] = {
    Patient: {("referrer", "sender"), ("provider", "accepted")},
    Episode: {("referrer", "sender")},
    Referral: {("referrer", "sender")},
    NeedProfile: {("referrer", "sender")},
    ReferralTask: {("referrer", "sender"), ("provider", "asked"), ("provider", "accepted")},
    # Holds are about places: anybody of the two organisations may know.
    Reservation: {(role, relation) for role in User.Role.values for relation in ("sender", "asked", "accepted")},
}


class World:
    """One person, told by strings that occur nowhere else; two services asked; one has said yes."""

    def __init__(self) -> None:
        self.sender = UserFactory()
        self.patient = PatientFactory(
            organization=self.sender.organization, given_name="Zebedee", family_name="Quillfeather", nhs_number="9434765919",
            postcode="PR1 9ZQ", phone="07700900123",
        )  # fmt: skip
        self.episode = EpisodeFactory(patient=self.patient, ward="Canary Ward")
        self.profile = NeedProfileFactory(organization=self.sender.organization)
        self.pools = PoolFactory.create_batch(2)
        self.referral = self.send()
        self.asked, self.accepted = (self.referral.tasks.get(pool=pool) for pool in self.pools)

    def send(self) -> Referral:
        return operations.send(
            patient_id=self.patient.pk, profile_id=self.profile.pk, pool_ids=[pool.pk for pool in self.pools],
            hold_pool_ids=[pool.pk for pool in self.pools], episode_id=self.episode.pk, reason="Canary reason text",
            consent=True, by=self.sender, at=timezone.now(),
        )  # fmt: skip

    def say_yes(self) -> None:
        operations.accept(task_id=self.accepted.pk, by=UserFactory(provider=True, organization=self.accepted.provider), at=timezone.now())

    @property
    def canaries(self) -> list[str]:
        person = self.patient
        return [
            person.given_name, person.family_name, person.nhs_number, person.postcode, person.phone, str(person.birth_date),
            str(person.pk), "Canary",
        ]  # fmt: skip

    def found_in(self, text: str) -> list[str]:
        return [canary for canary in self.canaries if canary in text]


@pytest.fixture
def world() -> World:
    return World()


def somebody(role: str, relation: str, world: World):
    """A user of that role in the organisation that stands in that relation to the person."""
    if role == "anonymous":
        return AnonymousUser()
    if role == User.Role.ADMINISTRATOR:
        return UserFactory(administrator=True)
    homes = {"sender": world.sender.organization, "asked": world.asked.provider, "accepted": world.accepted.provider}
    return UserFactory(role=role, **({"organization": homes[relation]} if relation in homes else {}))


@pytest.mark.req("R087")
@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("role", ROLES)
def test_a_persons_records_are_seen_by_those_who_work_for_them_and_nobody_else(world, role, relation):
    world.say_yes()
    user = somebody(role, relation, world)
    at_home = getattr(user, "organization_id", None) is not None
    expected = {model for model, pairs in MAY_SEE.items() if at_home and (role, relation) in pairs}
    assert {model for model in MAY_SEE if model.objects.visible_to(user).exists()} == expected


@pytest.mark.parametrize("relation", RELATIONS)
def test_before_a_yes_no_provider_sees_the_person(world, relation):
    assert not Patient.objects.visible_to(somebody("provider", relation, world)).exists()


def test_when_a_yes_is_withdrawn_the_person_is_hidden_again(world):
    world.say_yes()
    provider = somebody("provider", "accepted", world)
    operations.withdraw(task_id=world.accepted.pk, by=world.sender, at=timezone.now(), reason=Reason.PATIENT_CHOICE)
    assert not Patient.objects.visible_to(provider).exists()
    answer = client(provider).get(f"{API}/tasks/{world.accepted.pk}/")
    assert (answer.json()["identity"], world.found_in(answer.content.decode())) == (None, [])


@pytest.mark.parametrize(
    ("fields", "seen_by"),
    [
        ({}, {*ROLES}),
        ({"is_confidential": True}, {*User.Role.values}),
        ({"is_internal": True}, {*User.Role.values}),
        ({"status": Service.Status.INACTIVE}, {"curator", "administrator"}),
    ],
    ids=["public", "confidential", "internal", "inactive"],
)
def test_services_and_their_places_are_public_unless_they_say_otherwise(world, fields, seen_by):
    pool = PoolFactory(service=ServiceFactory(**fields))
    for role in ROLES:
        user = somebody(role, "unrelated", world)
        assert Service.objects.visible_to(user).filter(pk=pool.service_id).exists() == (role in seen_by), role
        assert ServiceCapacity.objects.visible_to(user).filter(pk=pool.pk).exists() == (role in seen_by), role


def client(user) -> APIClient:
    api = APIClient()
    if user.is_authenticated:
        api.force_authenticate(user)
    return api


def addresses(world: World) -> list[str]:
    return [
        f"{API}/patients/", f"{API}/patients/{world.patient.pk}/", f"{API}/referrals/", f"{API}/referrals/{world.referral.pk}/",
        f"{API}/tasks/", f"{API}/tasks/{world.asked.pk}/", f"{API}/tasks/{world.accepted.pk}/", f"{API}/dashboard/",
        f"{API}/capacities/", f"{API}/capacities/{world.pools[0].pk}/",
    ]  # fmt: skip


@pytest.mark.parametrize("relation", ["asked", "accepted", "unrelated"])
@pytest.mark.parametrize("role", [role for role in ROLES if role != "referrer"])
def test_before_a_yes_no_answer_of_the_api_names_the_person(world, role, relation):
    api = client(somebody(role, relation, world))
    for address in addresses(world):
        answer = api.get(address)
        assert world.found_in(answer.content.decode()) == [], address
    for action in ("decline", "start", "withdraw", "nonsense"):
        answer = api.post(f"{API}/tasks/{world.asked.pk}/{action}/", {"reason": Reason.CAPACITY})
        assert world.found_in(answer.content.decode()) == [], action


def test_events_hold_ids_and_codes_and_are_for_the_two_organisations(world):
    world.say_yes()
    operations.end_episode(episode_id=world.episode.pk, by=world.sender, at=timezone.now())
    events = list(Event.objects.values("type", "topics", "data", "audience"))
    assert world.found_in(json.dumps(events, default=str)) == []
    for event in events:
        if event["type"] == "referral.changed":
            assert len(event["audience"]) == 2
            assert world.sender.organization_id in event["audience"]
        if event["type"] == "flow.changed":
            assert (event["topics"], event["data"]) == (["region"], {})


@pytest.mark.parametrize("role", User.Role.values)
def test_another_tenants_records_answer_404_and_cannot_be_changed(world, role):
    api = client(somebody(role, "unrelated", world))
    foreign = [
        f"{API}/patients/{world.patient.pk}/", f"{API}/referrals/{world.referral.pk}/", f"{API}/tasks/{world.asked.pk}/",
    ]  # fmt: skip
    assert [api.get(address).status_code for address in foreign] == [404, 404, 404]
    for action in ("accept", "decline", "withdraw", "start", "retract"):
        body = {"reason": Reason.OTHER, "reason_text": "x"}
        assert api.post(f"{API}/tasks/{world.asked.pk}/{action}/", body).status_code == 404, action
    world.asked.refresh_from_db()
    assert world.asked.status == Status.REQUESTED


@pytest.mark.req("R087")
def test_nobody_gets_in_without_signing_in(world):
    api = APIClient()
    assert {api.get(address).status_code for address in addresses(world)} == {403}
    assert api.post(f"{API}/referrals/", {}).status_code == 403


def test_a_persons_string_is_never_their_name(world):
    words = f"{world.patient!r} {world.referral} {world.asked} {world.episode}"
    assert world.found_in(words) == [str(world.patient.pk)]
