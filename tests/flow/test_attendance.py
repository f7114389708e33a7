"""The register: who is expected, who came, what follows from it, and figures that name nobody."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import AuditEntry, Event
from flow import operations as referrals
from flow.attendance import operations, queries, report
from flow.models import Attendance, Booking, FollowUp, WalkIns
from flow.workflow import Status
from tests import factories
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def pool():
    """A walking group without dated places, and its sessions beside it."""
    factories.OutcodeFactory()
    return factories.PoolFactory(service__name="Wednesday Walkers")


@pytest.fixture
def staff(pool):
    return provider_of(pool)


@pytest.fixture
def nurse():
    return factories.UserFactory()


def session(pool, *, days=1, places=2, hours=0):
    """One session of the group, so many days from now."""
    starts_at = NOW().replace(minute=0, second=0, microsecond=0) + timedelta(days=days, hours=hours)
    return factories.PoolFactory(
        service=pool.service, name=f"Walk {days} {hours}", per="session", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1),
        maximum=places, available=places,
    )  # fmt: skip


def joins(pool, nurse, staff, **fields):
    """Somebody who was referred to the group and taken on."""
    task = send(nurse, [pool], **fields).tasks.get()
    return referrals.accept(task_id=task.pk, by=staff, at=NOW())


def expected(task, staff, starts_at) -> Booking:
    """A session that has been, at which somebody was expected."""
    return Booking.objects.create(
        task=task, service=task.pool.service, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1), booked_by=staff, booked_at=NOW()
    )  # fmt: skip


def mark(booking, staff, word, reason="", **fields):
    given = {"task_id": booking.task_id, "service_id": booking.service_id, "starts_at": booking.starts_at} | fields
    return operations.mark(mark=word, reason=reason, by=staff, at=NOW(), **given)


@pytest.mark.req("R047")
@pytest.mark.req("R140")
def test_places_are_counted_and_nobody_is_in_two_places(pool, staff, nurse):
    tuesday, same_time = session(pool, places=1), session(pool, hours=0.5)
    task, other = joins(pool, nurse, staff), joins(pool, nurse, staff)
    booking = operations.book_session(task_id=task.pk, session_id=tuesday.pk, by=staff, at=NOW())
    tuesday.refresh_from_db()
    assert (booking.took_place, tuesday.available) == (True, 0)
    with pytest.raises(Conflict, match="expected at Wednesday Walkers"):
        operations.book_session(task_id=task.pk, session_id=same_time.pk, by=staff, at=NOW())
    with pytest.raises(Conflict):
        operations.book_session(task_id=other.pk, session_id=tuesday.pk, by=staff, at=NOW())
    assert Booking.objects.count() == 1
    operations.cancel(booking_id=booking.pk, by=staff, at=NOW())
    tuesday.refresh_from_db()
    assert tuesday.available == 1
    booked, refused = operations.book_coming(
        task_id=other.pk, session_ids=[tuesday.pk, same_time.pk], by=staff, at=NOW()
    )  # fmt: skip
    assert (len(booked), len(refused)) == (1, 1)
    with pytest.raises(NotFound):
        operations.book_session(task_id=task.pk, session_id=session(factories.PoolFactory()).pk, by=staff, at=NOW())


@pytest.mark.parametrize("end", [referrals.withdraw, referrals.retract])
def test_who_is_taken_back_is_expected_no_more_and_their_places_are_free(pool, staff, nurse, end):
    task, days = joins(pool, nurse, staff), [session(pool, days=day, places=1) for day in (1, 2)]
    for day in days:
        operations.book_session(task_id=task.pk, session_id=day.pk, by=staff, at=NOW())
    when = {"starts_at": NOW() + timedelta(days=3), "minutes": 30, "worker": "Jo Marsh", "by": staff}
    operations.book_appointment(task_id=task.pk, at=NOW(), **when)
    been = expected(task, staff, NOW() - timedelta(days=1))
    with acting.for_user(nurse):
        end(task_id=task.pk, by=nurse, at=NOW(), reason_text="They moved away")
    for day in days:
        day.refresh_from_db()
    assert [day.available for day in days] == [1, 1]
    assert list(Booking.objects.standing()) == [been], "what has been stays written down"
    operations.book_appointment(task_id=joins(pool, nurse, staff).pk, at=NOW(), **when)


@pytest.mark.req("R140")
def test_a_worker_meets_one_person_at_a_time(pool, staff, nurse):
    task, other = joins(pool, nurse, staff), joins(pool, nurse, staff)
    when = NOW() + timedelta(days=2)
    appointment = {"starts_at": when, "minutes": 45, "worker": "Jo Marsh", "by": staff, "at": NOW()}
    operations.book_appointment(task_id=task.pk, **appointment)
    with pytest.raises(Conflict, match="another appointment"):
        operations.book_appointment(task_id=other.pk, **(appointment | {"worker": "jo  marsh", "starts_at": when + timedelta(minutes=30)}))
    operations.book_appointment(task_id=other.pk, **(appointment | {"worker": "Ann Lee"}))
    for wrong in ({"worker": " "}, {"minutes": 0}, {"starts_at": NOW() - timedelta(hours=1)}, {"starts_at": NOW() + timedelta(days=400)}):
        with pytest.raises(Invalid):
            operations.book_appointment(task_id=task.pk, **(appointment | wrong))
    with pytest.raises(NotAllowed):
        operations.book_appointment(task_id=task.pk, **(appointment | {"by": nurse}))


@pytest.mark.req("R048")
def test_the_first_time_starts_the_support_and_corrections_keep_what_was_written(pool, staff, nurse):
    task = joins(pool, nurse, staff)
    booking = expected(task, staff, NOW() - timedelta(hours=2))
    mark(booking, staff, "absent", "ill")
    task.refresh_from_db()
    assert task.status == Status.ACCEPTED
    mark(booking, staff, "present")
    mark(booking, staff, "present")
    task.refresh_from_db()
    assert task.status == Status.IN_PROGRESS
    assert list(Attendance.objects.values_list("mark", "reason")) == [("absent", "ill"), ("present", "")]
    for wrong in (("absent", ""), ("absent", "nonsense"), ("maybe", "")):
        with pytest.raises(Invalid):
            mark(booking, staff, *wrong)
    with pytest.raises(Invalid, match="on the day"):
        mark(booking, staff, "present", starts_at=NOW() + timedelta(days=2))
    with pytest.raises(NotFound):
        mark(booking, provider_of(factories.PoolFactory()), "present")


@pytest.mark.req("R030")
@pytest.mark.req("R161")
def test_missed_twice_in_a_row_is_the_referrers_follow_up(pool, staff, nurse):
    task = joins(pool, nurse, staff)
    days = [expected(task, staff, NOW() - timedelta(days=ago)) for ago in (5, 4, 3, 2, 1)]
    mark(days[0], staff, "absent", "ill")
    mark(days[1], staff, "absent", "cancelled")
    assert not FollowUp.objects.filter(kind="missed").exists(), "what the service cancelled was not missed"
    mark(days[2], staff, "absent", "transport")
    made = FollowUp.objects.get(kind="missed")
    assert (made.organization, made.assigned_to, made.referral) == (nurse.organization, nurse, task.referral)
    told = Event.objects.get(type="session.missed")
    assert told.audience == [nurse.organization_id]
    assert told.data["to"] == [str(nurse.pk)]
    assert task.referral.patient.family_name not in str(told.data)
    mark(days[2], staff, "absent", "ill")  # another reason is no further miss
    mark(days[3], staff, "present")
    mark(days[4], staff, "absent", "ill")
    assert FollowUp.objects.filter(kind="missed").count() == 1
    seen = queries.visits_of(task.referral, user=nurse, at=NOW())
    assert [visit.words for visit in seen][:2] == ["Did not come: ill or in hospital", "Came"]
    assert queries.visits_of(task.referral, user=factories.UserFactory(), at=NOW()) == []


@pytest.mark.req("R047")
def test_the_list_of_a_session_names_those_expected_and_is_audited(pool, staff, nurse):
    meeting = session(pool, hours=1, places=3)
    by_referral = joins(meeting, nurse, staff)
    booked = joins(pool, nurse, staff)
    operations.book_session(task_id=booked.pk, session_id=meeting.pk, by=staff, at=NOW())
    gone = joins(meeting, nurse, staff)
    referrals.withdraw(task_id=gone.pk, by=nurse, at=NOW(), reason_text="Moved away")
    before = AuditEntry.objects.count()
    found = queries.register(staff, pool.service_id, meeting.starts_at)
    assert {line.task for line in found.lines} == {by_referral.pk, booked.pk}
    assert AuditEntry.objects.count() - before == 2
    day = timezone.localdate(meeting.starts_at)
    assert [(one.expected, one.takes_place) for one in queries.sessions_on(staff, day)] == [(2, True)]
    for stranger in (nurse, provider_of(factories.PoolFactory())):
        assert queries.sessions_on(stranger, day) == []
        with pytest.raises(NotFound):
            queries.register(stranger, pool.service_id, meeting.starts_at)


def test_walk_ins_are_a_number(pool, staff, nurse):
    when = NOW() - timedelta(hours=1)
    for number in (3, 6):
        operations.count_walk_ins(service_id=pool.service_id, starts_at=when, number=number, by=staff, at=NOW())
    assert list(WalkIns.objects.values_list("number", flat=True)) == [3, 6]
    with pytest.raises(Invalid):
        operations.count_walk_ins(service_id=pool.service_id, starts_at=when, number=-1, by=staff, at=NOW())
    for stranger in (nurse, provider_of(factories.PoolFactory())):
        with pytest.raises(NotFound):
            operations.count_walk_ins(service_id=pool.service_id, starts_at=when, number=1, by=stranger, at=NOW())


@pytest.mark.req("R048")
def test_figures_are_exact_for_the_provider_and_name_nobody_outside(pool, staff, nurse):
    today = timezone.localdate()
    pool.available, pool.maximum = 10, 20
    pool.save(update_fields=["available", "maximum"])
    tasks = [joins(pool, nurse, staff) for _ in range(5)]
    for number, task in enumerate(tasks):
        mark(expected(task, staff, NOW() - timedelta(hours=3)), staff, *(("present", "") if number else ("absent", "ill")))
    operations.count_walk_ins(service_id=pool.service_id, starts_at=NOW() - timedelta(hours=3), number=7, by=staff, at=NOW())
    own = report.rows(staff, today - timedelta(days=1), today)[0]
    assert (own.people, own.expected, own.present, own.absent["ill"], own.walk_ins, own.rate) == (5, 5, 4, 1, 7, 80)
    shared = report.rows(staff, today - timedelta(days=1), today, shared=True)[0]
    assert (shared.people, shared.expected, shared.walk_ins) == (5, 5, 7)
    assert (shared.present, shared.not_said, set(shared.absent.values()), shared.rate) == (None, None, {None}, None)
    assert report.rows(nurse, today, today) == []
    with pytest.raises(Invalid):
        report.rows(staff, today, today - timedelta(days=1))
