"""Which figures of use somebody wants to see. All of it is in the address."""

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.http import QueryDict

from catalogue.assurance_queue import districts

USUAL_DAYS = 28
PERIODS = ((7, "The last 7 days"), (USUAL_DAYS, "The last 4 weeks"), (91, "The last 3 months"), (365, "The last year"))
#: Longer periods are shown by weeks, unless days are asked for.
MOST_DAYS = 60


class UsageFilter(forms.Form):
    """A mistake in it shows the usual figures, with the mistake beside its box."""

    days = forms.TypedChoiceField(
        label="Period", required=False, coerce=int, empty_value=None, choices=[(str(days), words) for days, words in PERIODS]
    )
    by = forms.ChoiceField(label="Show", required=False, choices=(("", "As fits"), ("day", "Each day"), ("week", "Each week")))
    area = forms.ChoiceField(label="District", required=False)

    def __init__(self, data: QueryDict) -> None:
        meant = data.copy()
        if not meant.get("days"):
            meant["days"] = str(USUAL_DAYS)  # what is not asked for is shown as what is meant
        super().__init__(meant)
        cast(forms.ChoiceField, self.fields["area"]).choices = [("", "All districts"), *districts()]

    def chosen(self, today: date) -> dict[str, Any]:
        """Arguments for `catalogue.usage_figures.usage`."""
        self.is_valid()
        sent = self.cleaned_data
        days = sent.get("days") or USUAL_DAYS
        by = sent.get("by") or ("week" if days > MOST_DAYS else "day")
        return {"first": today - timedelta(days=days - 1), "last": today, "area": sent.get("area", ""), "weekly": by == "week"}

    def area_name(self) -> str:
        """The district that is shown alone; empty for all."""
        code = self.cleaned_data.get("area", "")
        return dict(districts()).get(code, "") if code else ""
