"""Adding people to the list of a session, and choosing what a report covers."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms

from capacity.models import ServiceCapacity
from core.clock import LONDON
from flow.models import Attendance

REASONS = [(code, label) for code, label in Attendance.Reason.choices]


def when(session: ServiceCapacity) -> str:
    """A session in a list: name, day and time."""
    assert session.starts_at is not None
    return f"{session.starts_at.astimezone(LONDON):%A %-d %B, %H:%M}, {session.name}"


class SessionsForm(forms.Form):
    """One or several coming sessions."""

    sessions = forms.MultipleChoiceField(
        label="At which sessions are they expected?",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one session.", "invalid_choice": "That session is no longer free. Look again."},
    )

    def __init__(self, *args: Any, coming: list[ServiceCapacity], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["sessions"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(each.pk), when(each)) for each in coming]


class AppointmentForm(forms.Form):
    """A time with a named worker."""

    worker = forms.CharField(label="With whom?", max_length=80, error_messages={"required": "Say with whom the appointment is."})
    starts_at = forms.DateTimeField(
        label="When?",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        error_messages={"required": "Say when.", "invalid": "Give day and time, like 27/03/2026 10:30."},
    )
    minutes = forms.IntegerField(
        label="How many minutes?",
        min_value=5,
        max_value=720,
        initial=45,
        error_messages={
            "required": "Say how long it takes.", "min_value": "An appointment takes from 5 to 720 minutes.",
            "max_value": "An appointment takes from 5 to 720 minutes.", "invalid": "Write the minutes in figures, for example 45.",
        },
    )  # fmt: skip


class CallOffForm(forms.Form):
    """Why a session does not take place, and which one is offered instead."""

    reason = forms.CharField(
        label="Why does it not take place?",
        help_text="The teams that referred people read this. The people themselves are told only that it is off.",
        max_length=200,
        error_messages={"required": "Say why it does not take place.", "max_length": "Say why in at most 200 letters."},
    )
    instead_id = forms.ChoiceField(
        label="Offer them another session?",
        required=False,
        error_messages={"invalid_choice": "That session is no longer free. Look again."},
    )

    def __init__(self, *args: Any, coming: list[ServiceCapacity], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["instead_id"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "No other session"), *((str(each.pk), when(each)) for each in coming)]

    def clean_instead_id(self) -> UUID | None:
        """The session, or none."""
        chosen = self.cleaned_data["instead_id"]
        return UUID(chosen) if chosen else None


class WalkInsForm(forms.Form):
    """How many came whom nobody had expected."""

    number = forms.IntegerField(
        label="How many people?",
        help_text="A number, no names. The last number counts.",
        min_value=0,
        max_value=2000,
        error_messages={
            "required": "Write a number; 0 for none.", "invalid": "Write the number in figures, for example 3.",
            "min_value": "Write how many people came, 0 or more.", "max_value": "Write how many people came, up to 2,000.",
        },
    )  # fmt: skip


class PeriodForm(forms.Form):
    """From when until when, both days counted."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    @staticmethod
    def usual(today: date) -> dict[str, str]:
        """The last four weeks."""
        return {"first": f"{today - timedelta(days=27):%Y-%m-%d}", "last": f"{today:%Y-%m-%d}"}
