"""What shows that small providers need no account: two services that answer by link, and the register of a group that meets today."""

from datetime import datetime, time, timedelta

from django.db.models import Count

from capacity.models import Per, ServiceCapacity
from catalogue.models import Service, User
from core.clock import LONDON, local_date
from flow.attendance import operations as attendance
from flow.demo.logins import CHARITY, DOMAIN
from flow.demo.world import SOURCE
from flow.models import Booking, ReferralTask
from flow.outside import operations
from flow.workflow import Status

#: Who answers for the two services. The numbers belong to nobody (Ofcom keeps them for drama).
CONTACTS = (("The kitchen", "kitchen@sunny.example", "07700 900551"), ("Mrs Bell", "bell@quiet.example", "07700 900552"))
MOST_EXPECTED = 6
CAME = 1


def load(*, seed: int, at: datetime) -> int:
    """Set these up. Returns how many services answer by link. The region must be there."""
    _today(at)
    return sum(_without_account(number, contact, at) for number, contact in enumerate(CONTACTS))


def _without_account(number: int, contact: tuple[str, str, str], at: datetime) -> bool:
    """Nobody signs in for this charity any more; what it is asked goes to its contact."""
    by = User.objects.filter(email=f"curator@{DOMAIN}").first()
    waiting = Service.objects.public().filter(
        source=SOURCE, organization__kind="charity", capacities__referral_tasks__status=Status.REQUESTED
    )
    waiting = waiting.exclude(organization__name=CHARITY).exclude(reply_contacts__ended_at=None, reply_contacts__isnull=False)
    service = waiting.order_by("pk").first()
    if by is None or service is None:
        return False
    User.objects.filter(organization=service.organization_id, role=User.Role.PROVIDER).update(is_active=False)
    name, email, phone = contact
    operations.register_contact(
        service_id=service.pk, name=name, email=email, phone=phone if number == 0 else "", check_made="published", by=by, at=at
    )
    return True


def _today(at: datetime) -> None:
    """The group of the charity that most people have joined meets today: some of them have been marked already."""
    by = User.objects.filter(email=f"charity@{DOMAIN}").first()
    taken_on = ReferralTask.objects.filter(provider__name=CHARITY, status__in=[Status.ACCEPTED, Status.IN_PROGRESS])
    most = taken_on.values("pool__service").annotate(many=Count("pk")).order_by("-many", "pool__service").first()
    if by is None or most is None:
        return
    starts_at = datetime.combine(local_date(at), time(10), tzinfo=LONDON)
    ends_at = starts_at + timedelta(hours=2)
    tasks = list(taken_on.filter(pool__service=most["pool__service"]).select_related("pool").order_by("pk")[:MOST_EXPECTED])
    pool = tasks[0].pool
    session = ServiceCapacity.objects.create(
        service_id=pool.service_id, care_type_id=pool.care_type_id, name="Today’s meeting", unit="place", per=Per.SESSION,
        starts_at=starts_at, ends_at=ends_at, maximum=12, available=12 - len(tasks), reported_at=at,
    )  # fmt: skip
    Booking.objects.bulk_create(
        Booking(task=task, service_id=pool.service_id, session=session, starts_at=starts_at, ends_at=ends_at, booked_by=by, booked_at=at)
        for task in tasks
    )
    for task in tasks[:CAME]:
        attendance.mark(task_id=task.pk, service_id=pool.service_id, starts_at=starts_at, mark="present", by=by, at=at)
