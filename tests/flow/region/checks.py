"""A check that the demonstration region obeys every rule that real records obey."""

from django.db.models import Count

from capacity.models import CapacityReport, Reservation, ServiceCapacity
from core import clock
from flow.models import Episode, ReferralTask
from flow.workflow import BY_ACTION, Status

AT = clock.now()


def check_demo() -> list[str]:
    """Every rule that the region breaks, in words. The simulator's tests use it too."""
    wrong = []
    held = dict(Reservation.objects.filter(state="held").values_list("pool").annotate(n=Count("pk")))
    for pool in ServiceCapacity.objects.all():
        if pool.held != held.get(pool.pk, 0):
            wrong.append(f"{pool.pk}: {pool.held} held, {held.get(pool.pk, 0)} reservations")
        if pool.available is not None and not 0 <= pool.held <= pool.available <= (pool.maximum or pool.available):
            wrong.append(f"{pool.pk}: {pool.held} held of {pool.available} of {pool.maximum}")
    last = {r.pool_id: r for r in CapacityReport.objects.order_by("pool", "version")}
    for pool in ServiceCapacity.objects.filter(pk__in=last):
        report = last[pool.pk]
        if (pool.version, pool.available, pool.held) != (report.version, report.available, report.held):
            wrong.append(f"{pool.pk}: history ends elsewhere than the present")
    for task in ReferralTask.objects.prefetch_related("transitions").select_related("reservation", "referral"):
        status = Status.DRAFT
        at = task.referral.created_at
        for step in task.transitions.all():
            allowed = BY_ACTION[step.action]
            if step.from_status != status or status not in allowed.sources or step.to_status != allowed.target or step.at < at:
                wrong.append(f"{task.pk}: {step.action} from {status}")
            status, at = step.to_status, step.at
        if status != task.status:
            wrong.append(f"{task.pk}: {task.status}, but its steps end in {status}")
        if task.status != Status.REQUESTED and task.reservation and task.reservation.state == Reservation.State.HELD:
            wrong.append(f"{task.pk}: {task.status} and still held")
        if task.took_place and task.status not in Status.known_to_provider():
            wrong.append(f"{task.pk}: {task.status} and has a place")
    several = ReferralTask.objects.filter(status__in=["accepted", "in-progress", "on-hold", "completed"]).values("referral")
    wrong += [f"{row['referral']}: accepted twice" for row in several.annotate(n=Count("pk")).filter(n__gt=1)]
    waits = Episode.objects.filter(ended_at__isnull=True, referrals__tasks__status__in=[Status.IN_PROGRESS, Status.COMPLETED])
    wrong += [f"{pk}: still waits although support began" for pk in waits.values_list("pk", flat=True)]
    return wrong
