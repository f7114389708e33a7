"""So that whoever opens the demonstration finds notices: what happened last to the referrals of those who sign in there."""

from datetime import datetime

from django.db import transaction

from catalogue.models import User
from flow.demo.logins import DOMAIN
from flow.models import ReferralTask
from flow.workflow import Status
from notifications.models import Notice, Webhook
from notifications.notices import operations, preferences, webhooks
from notifications.notices.hearing import Happened, Telling
from notifications.notices.kinds import BY_CODE

#: Who signs in, and what they are told of the newest requests in which state.
TOLD = (
    ("discharge", "referral-answered", Status.ACCEPTED), ("discharge", "referral-answered", Status.REJECTED),
    ("linkworker", "referral-answered", Status.ACCEPTED), ("gp", "referral-moved", Status.IN_PROGRESS),
    ("home", "referral-new", Status.REQUESTED), ("homecare", "referral-new", Status.REQUESTED),
    ("charity", "referral-new", Status.REQUESTED),
)  # fmt: skip
EACH = 2
SYSTEM = ("Data warehouse", "https://warehouse.example/lune")


@transaction.atomic
def load(*, at: datetime) -> int:
    """Tell them, once. Returns how many notices there are now; on a database that has some, nothing is done."""
    if Notice.objects.exists() or Webhook.objects.exists():
        return Notice.objects.count()
    users = {user.email.split("@")[0]: user for user in User.objects.filter(email__endswith=f"@{DOMAIN}")}
    tellings = [
        Telling(
            Happened(id=0, type="referral.changed", audience=(), at=at,
                     data={"task": str(task.pk), "referral": str(task.referral_id), "status": str(task.status)}),
            BY_CODE[kind], users[name], urgent=False,
        )
        for name, kind, status in TOLD if name in users
        for task in ReferralTask.objects.visible_to(users[name]).filter(status=status).order_by("-changed_at", "pk")[:EACH]
    ]  # fmt: skip
    operations.tell(tellings, preferences.of_users(users.values()), at=at)
    if "manager" in users:
        made, _ = webhooks.make(name=SYSTEM[0], url=SYSTEM[1], types=[], by=users["manager"], at=at)
        webhooks.send_trial(webhook_id=made.pk, by=users["manager"], at=at)
    return len(tellings)
