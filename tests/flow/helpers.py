"""What flow tests share: a referral sent as people send it, and a task put where a test needs it."""

from django.utils import timezone

from flow import operations
from flow.models import Referral, ReferralTask
from flow.workflow import Status
from tests.factories import NeedProfileFactory, PatientFactory, PoolFactory, ReferralTaskFactory, UserFactory


def send(by, pools, *, hold=(), **fields) -> Referral:
    """One referral from `by` to `pools`, with consent, for a new person unless `patient` is given."""
    patient = fields.pop("patient", None) or PatientFactory(organization=by.organization)
    return operations.send(
        patient_id=patient.pk,
        profile_id=NeedProfileFactory(organization=by.organization).pk,
        pool_ids=[pool.pk for pool in pools],
        hold_pool_ids=[pool.pk for pool in hold],
        by=by,
        at=fields.pop("at", None) or timezone.now(),
        **({"consent": True} | fields),
    )


def provider_of(pool):
    """Somebody who answers for that pool's organisation."""
    return UserFactory(provider=True, organization=pool.service.organization)


def asked(status: str = Status.REQUESTED, **fields) -> ReferralTask:
    """A task in any status, with a known sender (`task.sender`) and provider (`task.answerer`)."""
    if status in (Status.REJECTED, Status.FAILED):
        fields.setdefault("status_reason_text", "Words")
    task = ReferralTaskFactory(status=status, pool=fields.pop("pool", None) or PoolFactory(), **fields)
    task.sender = UserFactory(organization=task.referral.organization)
    task.answerer = provider_of(task.pool)
    return task
