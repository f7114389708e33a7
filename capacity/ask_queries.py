"""Questions about asking: whom our messages do not reach, for those who answer the telephone."""

from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from capacity.models import Ask, AskingPreference
from catalogue.models import User

#: So many messages in a row without an answer: somebody should ring.
SILENT_AFTER = 3
_TROUBLE: dict[str, Q] = {
    "failed": Q(last_failed_at__isnull=False, stopped_at=None),
    "silent": Q(unanswered__gte=SILENT_AFTER, stopped_at=None),
    "unconfirmed": Q(confirmed_at=None, stopped_at=None),
    "stopped": Q(stopped_at__isnull=False),
}


def asked(user: User, *, trouble: str = "") -> QuerySet[Any]:
    """How services are asked, of those that the user may see, with what became of the last messages.

    `trouble` is one of failed, silent, unconfirmed and stopped, or empty for all of the first three. Each row has `last_asked_at`,
    `last_failed_at`, `failed_because` and `unanswered`.
    """
    last = Ask.objects.filter(service=OuterRef("pk")).order_by("-created_at")
    unanswered = Ask.objects.filter(service=OuterRef("pk"), sent_at__isnull=False, answered_at=None).order_by().values("service")
    rows = AskingPreference.objects.visible_to(user).annotate(
        last_asked_at=Subquery(last.values("created_at")[:1]),
        last_failed_at=Subquery(last.values("failed_at")[:1]),
        failed_because=Subquery(last.values("failed_because")[:1]),
        unanswered=Coalesce(Subquery(unanswered.annotate(n=Count("pk")).values("n")), 0),
    )
    wanted = _TROUBLE.get(trouble, _TROUBLE["failed"] | _TROUBLE["silent"] | _TROUBLE["unconfirmed"])
    return rows.filter(wanted).select_related("service__organization").order_by(F("last_asked_at").desc(nulls_last=True), "pk")
