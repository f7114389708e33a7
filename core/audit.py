"""The read audit: who looked at whose record, when and why. Screens never read it."""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from core import clock
from core.models import AuditEntry

#: A part of a page that refreshes itself shows what was just shown: within this time that is the same look.
SAME_LOOK = timedelta(minutes=10)


def record_read(*, user: Any, record_type: str, record_id: uuid.UUID, purpose: str = "direct-care", refresh: bool = False) -> None:
    """Write that `user` was shown a person's record. Call it in the transaction that reads; if it fails, show nothing."""
    record_reads(user=user, record_type=record_type, record_ids=[record_id], purpose=purpose, refresh=refresh)


def record_reads(
    *, user: Any, record_type: str, record_ids: Iterable[uuid.UUID], purpose: str = "direct-care", refresh: bool = False
) -> None:
    """The same for a list: one row for each record that was shown.

    With `refresh`, for the part of a page that renews itself: only records that this user was not already shown in the last ten minutes.
    """
    shown = set(record_ids)
    if refresh:
        since = clock.now() - SAME_LOOK
        looked = AuditEntry.objects.filter(user_id=user.pk, record_type=record_type, record_id__in=shown, purpose=purpose, at__gte=since)
        shown -= set(looked.values_list("record_id", flat=True))
    AuditEntry.objects.bulk_create(
        AuditEntry(
            user_id=user.pk,
            organization_id=user.organization_id,
            role=user.role,
            action="read",
            record_type=record_type,
            record_id=record_id,
            purpose=purpose,
        )
        for record_id in sorted(shown)
    )
