"""A stay changed, what a person agreed to, who is around them."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from catalogue.models import Organization
from core import clock
from flow.models import Consent, Episode, RelatedPerson

from .patient import DateInput

_REAL_DATE = {"invalid": "Enter a real date, such as 27 March 2026"}


class VersionField(forms.IntegerField):
    """The version that was looked at, carried along unseen."""

    widget = forms.HiddenInput

    def __init__(self, **how: Any) -> None:
        super().__init__(required=False, min_value=0, max_value=2**31 - 1, **how)

    def clean(self, value: Any) -> int:
        """Whatever is not a version is none that is current."""
        try:
            return super().clean(value) or 0
        except forms.ValidationError:
            return 0


class StayForm(forms.Form):
    """A stay in hospital or a wait in the community."""

    kind = forms.ChoiceField(label="Where are they?", choices=Episode.Kind.choices, error_messages={"required": "Choose where they are"})
    ward = forms.CharField(label="Ward", max_length=60, required=False)
    started_on = forms.DateField(
        label="Since when", widget=DateInput(), error_messages=_REAL_DATE | {"required": "Enter the day on which it began"}
    )
    discharge_pathway = forms.ChoiceField(
        label="Pathway", choices=[("", "Choose"), *Episode.Pathway.choices], error_messages={"required": "Choose the pathway"}
    )
    expected_on = forms.DateField(label="When are they expected to leave?", widget=DateInput(), required=False, error_messages=_REAL_DATE)
    criteria_to_reside = forms.ChoiceField(label="Criteria to reside", choices=Episode.Reside.choices, required=False)
    reside_reviewed_on = forms.DateField(
        label="When were the criteria to reside last looked at?", widget=DateInput(), required=False, error_messages=_REAL_DATE
    )
    ready_on = forms.DateField(
        label="Ready to move on, or waiting, since",
        help_text="The discharge-ready date. Leave it empty while they are not ready.",
        widget=DateInput(),
        required=False,
        error_messages=_REAL_DATE,
    )
    delay_reason = forms.ChoiceField(label="What are they waiting for?", choices=Episode.DelayReason.choices, required=False)
    version = VersionField()

    def __init__(self, *args: Any, stay: Episode | None = None, **kwargs: Any) -> None:
        self.stay = stay
        if stay is not None:
            kwargs["initial"] = {
                **{name: getattr(stay, name) for name in self.base_fields if hasattr(stay, name)},
                "started_on": clock.local_date(stay.started_at),
                "ready_on": clock.local_date(stay.ready_at) if stay.ready_at else None,
            }
        super().__init__(*args, **kwargs)
        if stay is not None:
            del self.fields["kind"]
        else:
            del self.fields["version"]
        if stay is not None and stay.kind == Episode.Kind.COMMUNITY:
            for name in ("ward", "criteria_to_reside", "reside_reviewed_on"):
                del self.fields[name]

    def told(self, at: datetime) -> dict[str, Any]:
        """What the operation takes. A day that did not change keeps its time of day."""
        data = dict(self.cleaned_data)
        version = data.pop("version", None)
        stay = self.stay
        data["started_at"] = self._moment(data.pop("started_on"), stay.started_at if stay else None, at)
        ready = data.pop("ready_on")
        data["ready_at"] = self._moment(ready, stay.ready_at if stay else None, at) if ready else None
        if data["ready_at"] and clock.local_date(data["ready_at"]) == clock.local_date(data["started_at"]):
            data["ready_at"] = max(data["ready_at"], data["started_at"])
        return data | ({"version": version} if stay else {})

    @staticmethod
    def _moment(day: date, before: datetime | None, at: datetime) -> datetime:
        if before is not None and clock.local_date(before) == day:
            return before
        moment = timezone.make_aware(datetime.combine(day, time.min))
        return min(moment, at) if day == clock.local_date(at) else moment


class ConsentForm(forms.Form):
    """One decision about one purpose."""

    purpose = forms.ChoiceField(
        label="What is it about?",
        choices=[("", "Choose"), *Consent.Purpose.choices],
        error_messages={"required": "Choose what it is about"},
    )
    kind = forms.ChoiceField(
        label="With which kind of organisation, if it is about sharing", choices=[("", "Not about sharing"), *Organization.Kind.choices],
        required=False,
    )  # fmt: skip
    decision = forms.ChoiceField(
        label="What did they decide?",
        choices=Consent.Decision.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what they decided"},
    )
    source = forms.ChoiceField(
        label="How do you know?",
        choices=Consent.Source.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how you know"},
    )
    decided_by = forms.CharField(
        label="Who decided in their best interests, and as what", max_length=200, required=False,
        help_text="Only for a decision in their best interests: for example, their daughter as attorney.",
    )  # fmt: skip
    basis = forms.CharField(label="The legal basis, or a note", max_length=300, required=False)
    decided_on = forms.DateField(
        label="On which day?", widget=DateInput(), error_messages=_REAL_DATE | {"required": "Enter the day of the decision"}
    )


class RelatedForm(forms.Form):
    """Somebody around a person."""

    name = forms.CharField(
        label="Their name, or their NHS number if they are on your records",
        max_length=200,
        error_messages={"required": "Enter the name"},
    )
    relation = forms.ChoiceField(
        label="What are they to this person?",
        choices=[("", "Choose"), *RelatedPerson.Relation.choices],
        error_messages={"required": "Choose what they are to this person"},
    )
    care = forms.ChoiceField(label="Does one care for the other?", choices=RelatedPerson.Care.choices, required=False)
    is_next_of_kin = forms.BooleanField(label="They are the next of kin", required=False)
    may_be_told = forms.BooleanField(label="The person agrees that we speak to them", required=False)
    phone = forms.CharField(label="Phone number", max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"}))
    email = forms.EmailField(
        label="E-mail address", required=False, error_messages={"invalid": "Enter an e-mail address, like name@example.org"}
    )
    note = forms.CharField(label="Note", max_length=300, required=False)
    version = VersionField()

    def __init__(self, *args: Any, row: RelatedPerson | None = None, **kwargs: Any) -> None:
        if row is not None:
            kwargs["initial"] = {name: getattr(row, name) for name in self.base_fields}
        super().__init__(*args, **kwargs)
        if row is None:
            del self.fields["version"]
        elif row.person_id:
            del self.fields["name"]


class PairForm(forms.Form):
    """Which of two records stays, and whose value in each field that differs. `rows` are names of `flow.merging.fields.CHOICES`."""

    stays = forms.ChoiceField(choices=[("one", "A"), ("other", "B")], error_messages={"required": "Choose which record stays"})

    def __init__(self, *args: Any, rows: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows
        for name in rows:
            self.fields[f"keep_{name}"] = forms.ChoiceField(
                choices=[("one", "A"), ("other", "B")], required=False, error_messages={"invalid_choice": "Choose A or B"}
            )

    def chosen(self) -> list[str]:
        """What is taken from the record that goes."""
        stays = self.cleaned_data["stays"]
        return [name for name in self.rows if self.cleaned_data.get(f"keep_{name}") not in ("", None, stays)]
