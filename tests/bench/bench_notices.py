"""What it costs that people are told: the reader of the journal beside a plain read of the same rows.

Capacity updates concern nobody and must cost next to nothing; answers to referrals become notices, messages and jobs.
"""

import time
from collections.abc import Callable

from django.db import connection, transaction
from django.utils import timezone

from core.events import drafted, publish_all
from core.models import Event
from notifications.models import Delivery, JournalPlace, Notice
from notifications.notices import operations
from tests.bench.harness import Measured, bench
from tests.factories import OrganizationFactory, PatientFactory, PoolFactory, ReferralFactory, ReferralTaskFactory, UserFactory

#: As many as come in a second at the rate of docs/requirements.csv.
UPDATES, ANSWERS = 52, 22
ROUNDS = 60


def _read() -> None:
    while operations.read_on(at=timezone.now()):
        pass


def _bare() -> None:
    """The rows after the place, as the relay reads them, and nothing done with them."""
    place = JournalPlace.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT xid::text, id, type, topics, audience FROM core_event AS row WHERE (xid, id) > (%s::xid8, %s) ORDER BY row.xid, row.id",
            [str(place.xid), place.event_id],
        )
        cursor.fetchall()


def _measured(make: Callable[[], list[Event]], note: str) -> Measured:
    """A second's events at a time: read bare, then told."""
    candidate, floor = [], []
    _read()
    for number in range(ROUNDS + 10):
        with transaction.atomic():
            publish_all(make())
        started = time.perf_counter()
        _bare()
        between = time.perf_counter()
        _read()
        if number >= 10:
            floor.append(between - started)
            candidate.append(time.perf_counter() - between)
    return Measured(candidate, floor, note)


@bench("notices-updates", goal="a second's 52 capacity updates are passed over in less than 20 ms")
def updates() -> Measured:
    """52 events that concern nobody."""
    return _measured(
        lambda: [drafted("capacity.changed", topics=["region"], data={"version": 1}) for _ in range(UPDATES)],
        "52 events that concern nobody",
    )


@bench("notices-answers", goal="a second's 22 answers become notices, messages and jobs in less than 300 ms")
def answers() -> Measured:
    """22 answers to referrals of ten people."""
    hospital = OrganizationFactory(hospital=True)
    senders = [UserFactory(organization=hospital, email=f"bench-{time.time_ns()}-{number}@example.org") for number in range(10)]
    tasks = [
        ReferralTaskFactory(
            referral=ReferralFactory(patient=PatientFactory(organization=hospital), created_by=senders[number % 10]), pool=PoolFactory()
        )
        for number in range(ANSWERS)
    ]

    def make() -> list[Event]:
        return [
            drafted(
                "referral.changed", topics=["region"], audience=[hospital.pk, task.provider_id],
                data={"task": str(task.pk), "referral": str(task.referral_id), "status": "accepted", "version": 1},
            )
            for task in tasks
        ]  # fmt: skip

    before = Notice.objects.count(), Delivery.objects.count()
    measured = _measured(make, "")
    made = Notice.objects.count() - before[0], Delivery.objects.count() - before[1]
    return Measured(measured.candidate, measured.floor, f"22 answers a round; {made[0]} notices in {made[1]} e-mails")
