"""Sending, answering and taking back: what happens to the people asked and to their places."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

import capacity.operations as places
from capacity.models import Reservation
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from core.models import Event
from flow import operations, steps
from flow.models import Episode, Patient, Referral
from flow.workflow import Reason, Status
from tests.factories import (
    EpisodeFactory,
    NeedProfileFactory,
    OutcodeFactory,
    PatientFactory,
    PoolFactory,
    PostcodeFactory,
    ServiceFactory,
    UserFactory,
)
from tests.flow.helpers import asked, provider_of, send

pytestmark = pytest.mark.django_db


def figures(pool) -> tuple[int, int]:
    pool.refresh_from_db()
    return pool.available, pool.held


@pytest.mark.req("R008")
def test_one_referral_asks_several_services_and_holds_where_told(referrer):
    first, second = PoolFactory(), PoolFactory()
    at = timezone.now()
    referral = send(referrer, [first, second], hold=[second], urgency="urgent", at=at)
    tasks = {task.pool_id: task for task in referral.tasks.all()}
    assert {task.status for task in tasks.values()} == {Status.REQUESTED}
    assert tasks[first.pk].reservation is None
    assert tasks[second.pk].reservation.state == Reservation.State.HELD
    assert tasks[first.pk].respond_by == at + timedelta(hours=2)
    assert [t.transitions.get().action for t in tasks.values()] == ["send", "send"]
    assert (figures(first), figures(second)) == ((3, 0), (3, 1))
    audiences = {frozenset(e.audience) for e in Event.objects.filter(type="referral.changed")}
    assert audiences == {frozenset({referrer.organization_id, p.service.organization_id}) for p in (first, second)}


@pytest.mark.req("R008")
def test_a_yes_takes_the_held_place_and_releases_the_others(referrer):
    first, second = PoolFactory(), PoolFactory()
    referral = send(referrer, [first, second], hold=[first, second])
    chosen = referral.tasks.get(pool=first)
    operations.accept(task_id=chosen.pk, by=provider_of(first), at=timezone.now())
    other = referral.tasks.get(pool=second)
    assert (other.status, other.status_reason_text) == (Status.CANCELLED, operations.ANOTHER_ACCEPTED)
    assert other.transitions.latest("id").by is None
    assert (figures(first), figures(second)) == ((2, 0), (3, 0))
    with pytest.raises(Conflict, match="Another service has said yes"):
        operations.accept(task_id=other.pk, by=provider_of(second), at=timezone.now())


def test_a_yes_without_a_hold_takes_a_free_place(referrer):
    pool = PoolFactory(available=1)
    task = send(referrer, [pool]).tasks.get()
    operations.accept(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    assert figures(pool) == (0, 0)


def test_a_yes_after_the_hold_ran_out_needs_a_free_place(referrer):
    pool = PoolFactory(available=1)
    task = send(referrer, [pool], hold=[pool]).tasks.get()
    later = timezone.now() + places.HOLD_FOR
    places.expire_due(at=later)
    task.refresh_from_db()
    assert task.status == Status.REQUESTED
    send(referrer, [pool], hold=[pool])
    with pytest.raises(Conflict, match="Your figures say that no place is free"):
        operations.accept(task_id=task.pk, by=provider_of(pool), at=later)
    assert figures(pool) == (1, 1)


def test_joining_a_waiting_list_takes_no_place_and_withdrawing_gives_none_back(referrer):
    pool = PoolFactory(status="waitlist", available=1)
    task = send(referrer, [pool]).tasks.get()
    operations.accept(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    operations.withdraw(task_id=task.pk, by=referrer, at=timezone.now(), reason_text="Went home")
    assert figures(pool) == (1, 0)


@pytest.mark.parametrize("action", ["decline", "withdraw", "retract"])
def test_a_request_that_ends_gives_its_held_place_back(referrer, action):
    pool = PoolFactory()
    task = send(referrer, [pool], hold=[pool]).tasks.get()
    by = provider_of(pool) if action == "decline" else referrer
    getattr(operations, action)(task_id=task.pk, by=by, at=timezone.now(), reason=Reason.PATIENT_CHOICE)
    assert figures(pool) == (3, 0)
    assert Reservation.objects.get().state == Reservation.State.RELEASED


@pytest.mark.parametrize("action", ["withdraw", "retract"])
@pytest.mark.parametrize("hold", [True, False])
def test_taking_back_a_yes_gives_the_place_back_once(referrer, action, hold):
    pool = PoolFactory()
    task = send(referrer, [pool], hold=[pool] if hold else []).tasks.get()
    operations.accept(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    assert figures(pool) == (2, 0)
    getattr(operations, action)(task_id=task.pk, by=referrer, at=timezone.now(), reason_text="Not now")
    assert figures(pool) == (3, 0)
    if action == "withdraw":
        operations.retract(task_id=task.pk, by=referrer, at=timezone.now(), reason_text="Wrong person")
        assert figures(pool) == (3, 0)


def test_nothing_is_sent_without_consent(referrer):
    with pytest.raises(Invalid, match="record that they agree"):
        send(referrer, [PoolFactory()], consent=False)
    assert not Referral.objects.exists()


@pytest.mark.parametrize("role", ["provider", "manager", "curator", "administrator"])
def test_only_a_referrer_sends_or_records(role):
    user = UserFactory(**{role: True})
    with pytest.raises(NotAllowed):
        operations.send(patient_id=uuid4(), profile_id=uuid4(), pool_ids=[uuid4()], by=user, at=timezone.now(), consent=True)
    with pytest.raises(NotAllowed):
        operations.add_patient(by=user, at=timezone.now(), given_name="A", family_name="B", birth_date=date(1950, 1, 1), postcode="PR1 2HE")


def test_another_tenants_records_are_not_found(referrer):
    own = {
        "patient_id": PatientFactory(organization=referrer.organization).pk,
        "profile_id": NeedProfileFactory(organization=referrer.organization).pk,
        "pool_ids": [PoolFactory().pk],
    }
    foreign = {
        "patient_id": PatientFactory().pk,
        "profile_id": NeedProfileFactory().pk,
        "pool_ids": [PoolFactory(service=ServiceFactory(status="inactive")).pk],
        "episode_id": EpisodeFactory().pk,
        "match_run_id": uuid4(),
    }
    for name, value in foreign.items():
        with pytest.raises(NotFound):
            operations.send(**(own | {name: value}), by=referrer, at=timezone.now(), consent=True)
    assert not Referral.objects.exists()


@pytest.mark.parametrize(
    ("choice", "words"),
    [({"pool_ids": []}, "Choose from one"), ({"hold_pool_ids": [uuid4()]}, "only at a service"), ({"urgency": "soon"}, "not an urgency")],
)
def test_a_choice_that_makes_no_sense_is_refused(referrer, choice, words):
    known = {"patient_id": uuid4(), "profile_id": uuid4(), "pool_ids": [uuid4()], "consent": True}
    with pytest.raises(Invalid, match=words):
        operations.send(**(known | choice), by=referrer, at=timezone.now())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"available": 0}, "has gone"),
        ({"status": "no-capacity"}, "not accepting anybody now"),
        ({"is_open": False}, "not accepting anybody now"),
    ],
)
def test_a_place_known_to_be_full_or_closed_is_not_asked_and_nothing_is_sent(referrer, fields, words):
    with pytest.raises(Conflict, match=words) as refused:
        send(referrer, [PoolFactory(), PoolFactory(**fields)])
    assert refused.value.code == "no-place"
    assert "Choose another service" in refused.value.message
    assert not Referral.objects.exists()
    assert not Event.objects.exists()


def test_a_full_place_with_a_waiting_list_and_one_not_known_can_be_asked(referrer):
    referral = send(referrer, [PoolFactory(full=True, status="waitlist"), PoolFactory(unknown=True)])
    assert referral.tasks.count() == 2


def test_the_team_that_loses_the_last_place_is_told_when_it_went(referrer):
    pool = PoolFactory(available=1)
    at = timezone.now().astimezone(UTC)
    send(UserFactory(), [pool], hold=[pool], at=at)
    with pytest.raises(Conflict, match=r"was taken at \d\d:\d\d. Choose another service") as refused:
        send(referrer, [pool], hold=[pool], at=at)
    assert datetime.fromisoformat(refused.value.details["taken_at"]) == at
    assert Referral.objects.count() == 1


def test_the_same_service_is_not_asked_twice_for_one_person(referrer):
    pool = PoolFactory()
    patient = PatientFactory(organization=referrer.organization)
    first = send(referrer, [pool], patient=patient)
    with pytest.raises(Conflict, match="already been asked"):
        send(referrer, [pool], patient=patient)
    operations.decline(task_id=first.tasks.get().pk, by=provider_of(pool), at=timezone.now(), reason=Reason.CAPACITY)
    assert send(referrer, [pool], patient=patient).tasks.count() == 1


@pytest.mark.parametrize(
    ("reason", "text", "words"),
    [
        ("", "", "Choose why"),
        ("", "no", "Choose why"),
        ("7", "", "not a reason"),
        ("99", " ", "other reason"),
        ("22", "x" * 301, "Shorten"),
    ],
)
def test_a_no_needs_a_reason(reason, text, words):
    task = asked()
    with pytest.raises(Invalid, match=words):
        operations.decline(task_id=task.pk, by=task.answerer, at=timezone.now(), reason=reason, reason_text=text)


def test_a_reasons_code_says_enough_by_itself():
    task = asked()
    done = operations.decline(task_id=task.pk, by=task.answerer, at=timezone.now(), reason=Reason.DISTANCE)
    assert (done.status_reason, done.status_reason_text, done.answered_at) == ("42", "Too far away", done.changed_at)


def test_an_answer_to_what_has_changed_is_refused():
    task = asked()
    with pytest.raises(Conflict, match="changed since you looked") as refused:
        operations.accept(task_id=task.pk, by=task.answerer, at=timezone.now(), expected_version=7)
    assert (refused.value.code, refused.value.details) == ("stale-version", {"version": 1})


@pytest.mark.parametrize(("steps", "ended"), [(["accept"], False), (["accept", "start"], True), (["accept", "complete"], True)])
def test_a_wait_ends_when_support_starts(referrer, steps, ended):
    pool = PoolFactory()
    patient = PatientFactory(organization=referrer.organization)
    episode = EpisodeFactory(patient=patient)
    task = send(referrer, [pool], patient=patient, episode_id=episode.pk).tasks.get()
    for step in steps:
        getattr(operations, step)(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    episode.refresh_from_db()
    assert (episode.ended_at is not None) == ended


def test_ending_a_stay_withdraws_what_nobody_answered(referrer):
    pool = PoolFactory()
    patient = PatientFactory(organization=referrer.organization)
    episode = EpisodeFactory(patient=patient)
    task = send(referrer, [pool], hold=[pool], patient=patient, episode_id=episode.pk).tasks.get()
    ended = operations.end_episode(episode_id=episode.pk, by=referrer, at=timezone.now())
    task.refresh_from_db()
    assert (task.status, figures(pool)) == (Status.CANCELLED, (3, 0))
    assert operations.end_episode(episode_id=episode.pk, by=referrer, at=timezone.now()).ended_at == ended.ended_at
    with pytest.raises(Conflict, match="has ended"):
        send(referrer, [pool], patient=patient, episode_id=episode.pk)
    with pytest.raises(NotFound):
        operations.end_episode(episode_id=episode.pk, by=UserFactory(), at=timezone.now())


PERSON = {"given_name": " Ada ", "family_name": "Byron", "birth_date": date(1945, 12, 10), "postcode": "pr12he"}


def test_a_person_is_recorded_with_a_checked_number_and_a_place(referrer):
    postcode = PostcodeFactory()
    patient = operations.add_patient(by=referrer, at=timezone.now(), nhs_number="943 476 5919", **PERSON)
    assert (patient.nhs_number, patient.postcode, patient.given_name) == ("9434765919", "PR1 2HE", "Ada")
    assert (patient.point, patient.organization, patient.created_by) == (postcode.point, referrer.organization, referrer)
    with pytest.raises(Conflict, match="already has a person"):
        operations.add_patient(by=referrer, at=timezone.now(), nhs_number="9434765919", **PERSON)
    assert operations.add_patient(by=UserFactory(), at=timezone.now(), nhs_number="9434765919", **PERSON).pk != patient.pk


@pytest.mark.parametrize(
    "wrong",
    [
        {"nhs_number": "9434765918"},
        {"postcode": "nowhere"},
        {"postcode": "ZZ9 9ZZ"},
        {"birth_date": date(2099, 1, 1)},
        {"birth_date": date(1850, 1, 1)},
        {"given_name": "  "},
        {"sex": "x"},
        {"phone": "0" * 41},
    ],
    ids=str,
)
def test_a_person_who_cannot_be_is_not_recorded_and_not_repeated_in_the_error(referrer, wrong):
    OutcodeFactory()
    with pytest.raises(LuneError) as refused:
        operations.add_patient(by=referrer, at=timezone.now(), **(PERSON | wrong))
    assert refused.value.http_status == 422
    assert "Byron" not in refused.value.message
    assert "9434765918" not in refused.value.message
    assert not Patient.objects.exists()


def test_a_stay_is_recorded_once_and_in_order(referrer):
    patient = PatientFactory(organization=referrer.organization)
    at = timezone.now()
    stay = {"patient_id": patient.pk, "by": referrer, "at": at, "kind": "hospital", "discharge_pathway": "P1"}
    with pytest.raises(Invalid, match="Check the times"):
        operations.start_episode(**stay, ready_at=at - timedelta(days=1))
    with pytest.raises(Invalid, match="Discharge pathway"):
        operations.start_episode(**(stay | {"discharge_pathway": "P9"}))
    with pytest.raises(NotFound):
        operations.start_episode(**(stay | {"by": UserFactory()}))
    operations.start_episode(**stay, started_at=at - timedelta(days=3), ready_at=at - timedelta(days=1), delay_reason="funding")
    with pytest.raises(Conflict, match="already has an open stay"):
        operations.start_episode(**stay)
    assert Episode.objects.waiting().get().delay_reason == "funding"


def test_colleagues_alone_hear_that_their_list_of_people_has_changed(referrer):
    at = timezone.now()
    PostcodeFactory(pk="PR1 2HE")
    patient = operations.add_patient(by=referrer, at=at, **PERSON)
    episode = operations.start_episode(patient_id=patient.pk, by=referrer, at=at, kind="community", discharge_pathway="C", ready_at=at)
    operations.end_episode(episode_id=episode.pk, by=referrer, at=at)
    told = list(Event.objects.filter(type="people.changed").values("topics", "audience", "data"))
    organization = referrer.organization_id
    assert told == [{"topics": [f"org:{organization}"], "audience": [organization], "data": {}}] * 3


def test_what_was_looked_for_is_noted_on_the_open_stay_alone(referrer):
    ended, waiting = (EpisodeFactory(patient__organization=referrer.organization, ended_at=end) for end in (timezone.now(), None))
    profile = NeedProfileFactory(organization=referrer.organization)
    assert operations.note_need(patient_id=waiting.patient_id, profile_id=profile.pk, by=referrer).profile_id == profile.pk
    assert operations.note_need(patient_id=ended.patient_id, profile_id=profile.pk, by=referrer) is None
    for person, need in ((EpisodeFactory().patient_id, profile.pk), (waiting.patient_id, NeedProfileFactory().pk)):
        with pytest.raises(NotFound):
            operations.note_need(patient_id=person, profile_id=need, by=referrer)


def test_a_failed_step_leaves_no_event_and_no_row(referrer, monkeypatch):
    pool = PoolFactory()
    task = send(referrer, [pool], hold=[pool]).tasks.get()
    before = Event.objects.count()
    monkeypatch.setattr(steps, "end_wait", lambda *_: 1 / 0)
    operations.accept(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    after_accept = Event.objects.count()
    assert after_accept > before
    with pytest.raises(ZeroDivisionError):
        operations.start(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    task.refresh_from_db()
    assert (task.status, task.transitions.count(), Event.objects.count()) == (Status.ACCEPTED, 2, after_accept)
