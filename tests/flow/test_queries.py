"""What each side is shown: a provider no person before its yes, a manager no person at all."""

import dataclasses
import json
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone

from core.clock import LONDON
from core.errors import NotAllowed, NotFound
from core.models import AuditEntry
from flow import operations, queries
from flow.models import Episode
from flow.workflow import Reason, Status
from tests.factories import (
    EpisodeFactory,
    NeedProfileFactory,
    OrganizationFactory,
    PatientFactory,
    PoolFactory,
    ReferralFactory,
    UserFactory,
)
from tests.flow.helpers import asked, provider_of, send

pytestmark = pytest.mark.django_db

BEFORE_A_YES = [Status.REQUESTED, Status.REJECTED, Status.CANCELLED, Status.ENTERED_IN_ERROR]


def canary_task(status=Status.REQUESTED):
    """A task whose person is told by strings that occur nowhere else."""
    patient = PatientFactory(
        given_name="Zebedee", family_name="Quillfeather", nhs_number="9434765919", postcode="PR1 9ZQ", phone="07700900123",
    )  # fmt: skip
    profile = NeedProfileFactory(organization=patient.organization, needs=["dementia"], must_haves=["wheelchair"], funding=["council"],
                                 conditions=["nice|NG28", "snomed|0"])  # fmt: skip
    return asked(status, referral=ReferralFactory(patient=patient, profile=profile, reason="Canary reason text"))


def canaries(task) -> list[str]:
    patient = task.referral.patient
    return [
        patient.given_name, patient.family_name, patient.nhs_number, patient.postcode, patient.phone, str(patient.birth_date),
        str(patient.pk), task.referral.reason,
    ]  # fmt: skip


def test_a_profile_holds_the_allow_list_and_nothing_else():
    names = {field.name for field in dataclasses.fields(queries.AnonymisedProfile)}
    assert names == {
        "task", "pool", "service_name", "pool_name", "status", "status_words", "version", "requested_at", "respond_by", "held_until",
        "urgency", "sender_name", "sender_kind", "age_band", "sex", "outcode", "care_types", "needs", "must_haves", "conditions", "funding",
        "needed_by", "pathway", "answers",
    }  # fmt: skip


@pytest.mark.parametrize("status", BEFORE_A_YES)
def test_before_a_yes_nobody_can_be_recognised_and_no_read_is_recorded(status):
    task = canary_task(status)
    view = queries.provider_view(task, task.answerer)
    assert view.identity is None
    shown = json.dumps(dataclasses.asdict(view), default=str)
    assert [canary for canary in canaries(task) if canary in shown] == []
    assert (view.profile.age_band, view.profile.outcode, view.profile.sex) == ("80–84", "PR1", "")
    assert view.profile.conditions == ("Type 2 diabetes (NICE NG28)", "snomed|0")
    assert (view.profile.needs, view.profile.must_haves, view.profile.funding) == (
        ("Dementia",),
        ("Wheelchair access",),
        ("Council funded",),
    )
    assert view.profile.care_types == ("Care home: general residential",)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("status", Status.known_to_provider())
def test_after_a_yes_the_provider_sees_who_it_is_and_that_is_recorded(status):
    task = canary_task(status)
    view = queries.provider_view(task, task.answerer)
    assert view.identity.family_name == "Quillfeather"
    entry = AuditEntry.objects.get()
    assert (entry.user_id, entry.record_id, entry.action) == (task.answerer.pk, task.referral.patient_id, "read")


def test_when_the_audit_fails_nothing_is_shown(monkeypatch):
    task = canary_task(Status.ACCEPTED)
    monkeypatch.setattr("core.audit.AuditEntry.objects.bulk_create", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        queries.provider_view(task, task.answerer)


def test_a_provider_view_is_for_that_provider_alone():
    task = canary_task(Status.ACCEPTED)
    for stranger in (UserFactory(provider=True), UserFactory(manager=True, organization=task.provider), task.sender):
        with pytest.raises(NotFound):
            queries.provider_view(task, stranger)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("age", "band"), [(0, "Under 18"), (18, "18–19"), (20, "20–24"), (84, "80–84"), (89, "85–89"), (104, "90 or over")]
)
def test_ages_are_shown_in_bands(age, band):
    assert queries.age_band(age) == band


def test_the_inbox_puts_what_must_be_answered_first(referrer, django_assert_num_queries):
    pool = PoolFactory()
    at = timezone.now()
    routine = send(referrer, [pool], at=at - timedelta(hours=1)).tasks.get()
    urgent = send(referrer, [pool], at=at, urgency="urgent").tasks.get()
    taken = send(referrer, [pool], at=at, hold=[pool]).tasks.get()
    answerer = provider_of(pool)
    operations.accept(task_id=taken.pk, by=answerer, at=at)
    with django_assert_num_queries(1):
        lines = queries.inbox(answerer)
    assert [line.task for line in lines] == [urgent.pk, routine.pk, taken.pk]
    assert [line.task for line in queries.inbox(answerer, statuses=[Status.ACCEPTED])] == [taken.pk]
    assert queries.inbox(UserFactory(provider=True)) == []
    assert queries.inbox(referrer) == []


def test_a_hold_is_shown_while_it_lasts(referrer):
    pool = PoolFactory()
    task = send(referrer, [pool], hold=[pool]).tasks.get()
    assert queries.anonymised(task).held_until == task.reservation.expires_at
    operations.decline(task_id=task.pk, by=provider_of(pool), at=timezone.now(), reason=Reason.CAPACITY)
    assert queries.inbox(provider_of(pool), statuses=[Status.REJECTED])[0].held_until is None


@pytest.mark.req("R004")
def test_the_timeline_tells_every_step_in_words(referrer):
    pools = PoolFactory.create_batch(2)
    at = timezone.now()
    referral = send(referrer, pools, at=at - timedelta(hours=1))
    operations.accept(task_id=referral.tasks.get(pool=pools[0]).pk, by=provider_of(pools[0]), at=at)
    entries = queries.timeline(referral)
    assert [entry.action for entry in entries] == ["send", "send", "accept", "withdraw"]
    assert (entries[2].who, entries[2].status_words) == (pools[0].service.organization.name, "Accepted")
    assert (entries[3].who, entries[3].reason) == ("Lune", operations.ANOTHER_ACCEPTED)


def test_one_status_speaks_for_a_referral():
    assert queries.summary_status([Status.CANCELLED, Status.ACCEPTED]) == Status.ACCEPTED
    assert queries.summary_status([Status.REJECTED, Status.REQUESTED]) == Status.REQUESTED
    assert queries.summary_status([]) == ""


@pytest.fixture
def region():
    """Two hospitals; four people waiting; three answered referrals; one waiting beyond its time."""
    at = timezone.now()
    one, two = UserFactory(), UserFactory()
    for user, days, pathway, reason in (
        (one, 1, "P1", ""), (one, 9, "P3", "funding"), (one, 30, "P3", "funding"), (two, 3, "P2", "awaiting-bed"),
    ):  # fmt: skip
        EpisodeFactory(
            patient=PatientFactory(organization=user.organization), discharge_pathway=pathway, delay_reason=reason,
            started_at=at - timedelta(days=40), ready_at=at - timedelta(days=days),
        )  # fmt: skip
    EpisodeFactory(
        patient=PatientFactory(organization=one.organization), started_at=at - timedelta(days=40), ready_at=at - timedelta(days=6),
        ended_at=at - timedelta(days=2),
    )  # fmt: skip
    pool = PoolFactory(available=9)
    for user, hours in ((one, 2), (one, 4), (two, 9)):
        task = send(user, [pool], at=at - timedelta(days=2)).tasks.get()
        operations.decline(
            task_id=task.pk, by=provider_of(pool), at=at - timedelta(days=2) + timedelta(hours=hours), reason=Reason.CAPACITY
        )
    send(one, [pool], at=at - timedelta(days=3))
    return at, one, two, pool


@pytest.mark.req("R028")
def test_a_regional_manager_sees_the_region_in_numbers(region, manager, django_assert_num_queries):
    at = region[0]
    manager.organization  # noqa: B018  as a request has it
    with django_assert_num_queries(7):
        board = queries.dashboard(manager, at)
    assert (board.scope, board.waiting, board.overdue) == ("region", 4, 1)
    pathways = {row.code: row.bands for row in board.by_pathway}
    assert (pathways["P1"], pathways["P2"], pathways["P3"]) == ((1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 1))
    assert {row.label: row.total for row in board.by_delay if row.total} == {
        "No delay recorded": 1, "Waiting for a bed": 1, "Waiting for funding": 2,
    }  # fmt: skip
    assert {row.status: row.count for row in board.referrals if row.count} == {"requested": 1, "rejected": 3}
    assert (board.first_answer.answered, board.first_answer.median, board.first_answer.p90) == (3, timedelta(hours=4), timedelta(hours=8))
    assert [count.free for count in board.capacity] == [9]


def test_the_trend_is_what_counting_each_day_by_hand_gives(region, manager):
    at = region[0]
    board = queries.dashboard(manager, at)
    assert len(board.trend) == 28
    assert board.trend[-1].waiting == board.waiting
    for point in board.trend[:-1]:
        evening = datetime.combine(point.on + timedelta(days=1), time(), LONDON)
        by_hand = Episode.objects.filter(ready_at__lt=evening).exclude(ended_at__lt=evening).count()
        assert point.waiting == by_hand, point.on


def test_another_manager_sees_only_the_figures_of_their_own(region):
    at, one, _two, pool = region
    hospital = queries.dashboard(UserFactory(manager=True, organization=one.organization), at)
    assert (hospital.scope, hospital.waiting) == (str(one.organization_id), 3)
    assert (hospital.first_answer.answered, hospital.first_answer.median) == (2, timedelta(hours=3))
    home = queries.dashboard(UserFactory(manager=True, organization=pool.service.organization), at)
    assert (home.waiting, home.overdue, home.first_answer.answered) == (0, 1, 3)
    nobody = queries.dashboard(UserFactory(manager=True, organization=OrganizationFactory()), at)
    assert (nobody.waiting, nobody.first_answer.median, sum(row.count for row in nobody.referrals)) == (0, None, 0)


def test_figures_name_nobody(region, manager):
    assert "Featherstonehaugh" not in repr(queries.dashboard(manager, region[0]))


def test_somebody_without_an_organisation_has_no_figures(administrator):
    with pytest.raises(NotAllowed):
        queries.dashboard(administrator, timezone.now())
