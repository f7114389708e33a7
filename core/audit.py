"""The read audit: who looked at whose record, when and why. Screens never read it."""

import uuid
from collections.abc import Iterable
from typing import Any

from core.models import AuditEntry


def record_read(*, user: Any, record_type: str, record_id: uuid.UUID, purpose: str = "direct-care") -> None:
    """Write that `user` was shown a person's record. Call it in the transaction that reads; if it fails, show nothing."""
    record_reads(user=user, record_type=record_type, record_ids=[record_id], purpose=purpose)


def record_reads(*, user: Any, record_type: str, record_ids: Iterable[uuid.UUID], purpose: str = "direct-care") -> None:
    """The same for a list: one row for each record that was shown."""
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
        for record_id in record_ids
    )
