"""What the manager's map shows."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from capacity.models import ServiceCapacity
from frontend.forms.directory import care_types
from frontend.presenters.dashboard import GROUP


class MapForm(forms.Form):
    """One kind of care, or a whole group of kinds."""

    kind = forms.ChoiceField(label="Kind of service", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = [(group, [(GROUP + group, f"All of: {group}"), *choices]) for group, choices in care_types()]
        cast(forms.ChoiceField, self.fields["kind"]).choices = self.groups

    def chosen(self) -> str:
        """The choice in the address, or else the first kind of care: a map of everything shows nothing."""
        return (self.is_valid() and self.cleaned_data["kind"]) or self.groups[0][1][1][0]

    def pools(self, visible: QuerySet[ServiceCapacity]) -> QuerySet[ServiceCapacity]:
        """Of the pools that a user may see, those to show; nothing that stands at a confidential place."""
        kind = self.chosen()
        wanted = {"care_type__group": kind.removeprefix(GROUP)} if kind.startswith(GROUP) else {"care_type__code": kind}
        return (
            visible.filter(**wanted, service__is_confidential=False, service__organization__is_confidential=False)
            .exclude(location__is_confidential=True)
            .order_by("service__name", "service_id", "name")
        )
