"""Which services the public feed has told of, and when it last had something new to tell. Kept by triggers of the database."""

from django.db import models

from core.models import Xid8Field


class PublicationChange(models.Model):
    """One service that was public at some time: its last change, or that it is gone.

    Written by triggers (migration `0007_publication_changes`), so that no way of writing the catalogue escapes it. A service that never was
    public has no row. Rows outlive their service: that is how a deletion is told.
    """

    service = models.OneToOneField(
        "catalogue.Service",
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_constraint=False,
        related_name="publication",
    )
    xid = Xid8Field(editable=False, help_text="Transaction of the last change.")
    first_xid = Xid8Field(editable=False, help_text="Transaction in which it became public.")
    changed_at = models.DateTimeField()
    is_public = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(fields=["xid", "service"], name="publication_cursor"),
            models.Index(fields=["changed_at"], name="publication_changed_at"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} {'changed' if self.is_public else 'gone'}"
