"""Which part of the history of places somebody wants to see. All of it is in the address."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from django import forms
from django.http import QueryDict

from catalogue.assurance_queue import districts
from frontend.forms.directory import care_types
from frontend.presenters.dashboard import GROUP

USUAL_DAYS = 28
PERIODS = ((USUAL_DAYS, "The last 4 weeks"), (91, "The last 3 months"), (182, "The last half year"), (365, "The last year"))
_UNKNOWN = {"invalid_choice": "We do not know that choice, so what is usual is shown."}
#: Longer periods are shown by weeks, unless days are asked for.
MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What to show. `area` is a district's code; `kind` a care type's code, `group` a whole group of them."""

    first: date
    last: date
    weekly: bool
    area: str = ""
    kind: str = ""
    group: str = ""

    @property
    def narrowed(self) -> bool:
        """Not of all together: small numbers could point at a person."""
        return bool(self.area or self.kind or self.group)


class PeriodFilter(forms.Form):
    """How far back. A mistake in it shows the usual period, with the mistake beside its box."""

    days = forms.TypedChoiceField(
        label="Period", required=False, coerce=int, empty_value=None, choices=[(str(days), words) for days, words in PERIODS],
        error_messages=_UNKNOWN,
    )  # fmt: skip
    by = forms.ChoiceField(
        label="Show", required=False, choices=(("", "As fits"), ("day", "Each day"), ("week", "Each week")), error_messages=_UNKNOWN
    )

    def __init__(self, data: QueryDict) -> None:
        meant = data.copy()
        if not meant.get("days"):
            meant["days"] = str(USUAL_DAYS)  # what is not asked for is shown as what is meant
        super().__init__(meant)

    def chosen(self, today: date) -> Asked:
        """Whole days, up to yesterday."""
        self.is_valid()
        sent = self.cleaned_data
        days = sent.get("days") or USUAL_DAYS
        by = sent.get("by") or ("week" if days > MOST_DAYS else "day")
        kind = sent.get("kind", "")
        return Asked(
            first=today - timedelta(days=days),
            last=today - timedelta(days=1),
            weekly=by == "week",
            area=sent.get("area", ""),
            kind="" if kind.startswith(GROUP) else kind,
            group=kind.removeprefix(GROUP) if kind.startswith(GROUP) else "",
        )


class HistoryFilter(PeriodFilter):
    """A district, and a kind of care or a whole group of kinds."""

    area = forms.ChoiceField(label="District", required=False, error_messages=_UNKNOWN)
    kind = forms.ChoiceField(label="Kind of service", required=False, error_messages=_UNKNOWN)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.groups = [(group, [(GROUP + group, f"All of: {group}"), *choices]) for group, choices in care_types()]
        cast(forms.ChoiceField, self.fields["area"]).choices = [("", "All districts"), *districts()]
        cast(forms.ChoiceField, self.fields["kind"]).choices = [("", "All kinds"), *self.groups]

    def words(self) -> str:
        """What is shown alone, in words; empty for everything."""
        area = dict(districts()).get(self.cleaned_data.get("area", ""), "")
        kind = self.cleaned_data.get("kind", "")
        named = {code: name for _, choices in self.groups for code, name in choices}.get(kind, "")
        return ", ".join(filter(None, (named.removeprefix("All of: "), area)))
