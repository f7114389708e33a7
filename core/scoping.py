"""Who may see what: every model with tenants has a QuerySet with `visible_to(user)`."""

from typing import Any, Self

from django.db import models


class VisibleQuerySet(models.QuerySet):
    """A QuerySet that must say what a user may see. Without an override nobody sees anything."""

    def visible_to(self, user: Any) -> Self:
        """Rows that `user` may see: none unless the model says otherwise."""
        return self.none()
