"""Which part of the ledger of unmet need somebody wants to see. All of it is in the address."""

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict

from catalogue.assurance_queue import districts
from catalogue.models import User
from frontend.forms.directory import care_types
from matching import unmet
from matching.operations import reason_words

USUAL_DAYS = 28
PERIODS = ((USUAL_DAYS, "The last 4 weeks"), (91, "The last 3 months"), (365, "The last year"))


class UnmetFilter(forms.Form):
    """A mistake in it shows the usual figures, with the mistake beside its box."""

    days = forms.TypedChoiceField(
        label="Period", required=False, coerce=int, empty_value=None, choices=[(str(days), words) for days, words in PERIODS]
    )
    care = forms.ChoiceField(label="Kind of service", required=False)
    area = forms.ChoiceField(label="District", required=False)
    reason = forms.ChoiceField(label="Reason", required=False)

    def __init__(self, data: QueryDict, *, user: User) -> None:
        meant = data.copy()
        if not meant.get("days"):
            meant["days"] = str(USUAL_DAYS)
        super().__init__(meant)
        found: dict[str, list[tuple[str, Any]]] = {
            "care": [("", "All kinds"), *care_types()],
            "area": [("", "All districts"), *districts()],
            "reason": [("", "All reasons"), *((code, reason_words(code).capitalize()) for code in unmet.reasons(user))],
        }
        for name, choices in found.items():
            cast(forms.ChoiceField, self.fields[name]).choices = choices

    def chosen(self, today: date) -> dict[str, Any]:
        """Arguments for `matching.unmet.ledger`."""
        self.is_valid()
        sent = self.cleaned_data
        days = sent.get("days") or USUAL_DAYS
        return {
            "first": today - timedelta(days=days - 1),
            "last": today,
            "care_type": sent.get("care", ""),
            "district": sent.get("area", ""),
            "reason": sent.get("reason", ""),
        }
