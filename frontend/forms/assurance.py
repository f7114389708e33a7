"""A curator's filters over the records that may no longer hold, and what they choose to do with them."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict

from catalogue import assurance_queue
from catalogue.assurance_queue import LATE, Show
from catalogue.models.taxonomy import CARE_TYPE
from catalogue.queries import terms_in_use


class QueueFilter(forms.Form):
    """All of it is in the address, so that a list can be kept as a bookmark."""

    show = forms.ChoiceField(label="Show", required=False, choices=Show.choices)
    area = forms.ChoiceField(label="District", required=False)
    source = forms.ChoiceField(label="Source", required=False)
    kind = forms.ChoiceField(label="Kind of service", required=False)
    late = forms.TypedChoiceField(
        label="Overdue for",
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "Any time"), *((str(days), words) for days, words in LATE)],
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        groups: dict[str, list[tuple[str, str]]] = {}
        for term in terms_in_use(CARE_TYPE):
            groups.setdefault(term.group or "Other", []).append((term.code, term.name))
        self.groups = list(groups.items())
        cast(forms.ChoiceField, self.fields["area"]).choices = [("", "All districts"), *assurance_queue.districts()]
        cast(forms.ChoiceField, self.fields["source"]).choices = [
            ("", "All sources"),
            *((name, name) for name in assurance_queue.sources()),
        ]
        cast(forms.ChoiceField, self.fields["kind"]).choices = [("", "All kinds"), *self.groups]

    def chosen(self) -> dict[str, Any]:
        """Arguments for `catalogue.assurance_queue.queue`; what there is not is left out."""
        self.is_valid()
        sent = self.cleaned_data
        return {
            "show": sent.get("show") or Show.OVERDUE.value,
            "area": sent.get("area", ""),
            "source": sent.get("source", ""),
            "kind": sent.get("kind", ""),
            "late_days": sent.get("late") or 0,
        }


class DoForm(forms.Form):
    """One press on the list: a button of one record, or of all that were ticked or found."""

    chosen = forms.TypedMultipleChoiceField(coerce=UUID, required=False)
    send = forms.ChoiceField(choices=[("chosen", ""), ("found", "")], required=False)
    resend = forms.UUIDField(required=False)
    assure = forms.UUIDField(required=False)
    revoke = forms.UUIDField(required=False)
    came_back = forms.UUIDField(required=False)
    works = forms.UUIDField(required=False)
    mended = forms.UUIDField(required=False)
    dismissed = forms.UUIDField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        ticked = [(value, value) for value in data.getlist("chosen") if _is_id(value)]
        cast(forms.MultipleChoiceField, self.fields["chosen"]).choices = ticked


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
