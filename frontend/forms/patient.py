"""Recording a person and changing what is recorded; the stay or wait that they are in."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from catalogue.lexicon import Lexicon
from core.geo import normal_postcode
from flow.models import Episode, Patient
from flow.models.patient import validate_nhs_number


class DateInput(forms.DateInput):
    """The browser's own date field: works with keyboard, voice and screen reader, and needs no script."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class PatientForm(forms.Form):
    """A person. The NHS number may wait; name, birth date and postcode may not."""

    given_name = forms.CharField(label="First name", max_length=100, error_messages={"required": "Enter the first name"})
    family_name = forms.CharField(label="Last name", max_length=100, error_messages={"required": "Enter the last name"})
    nhs_number = forms.CharField(
        label="NHS number, if you have it",
        help_text="Ten digits, for example 999 123 4560.",
        required=False,
        max_length=14,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "spellcheck": "false"}),
    )
    nhs_checked_how = forms.ChoiceField(
        label="Did somebody make sure that the number is theirs?",
        choices=[("", "Not checked"), *Patient.NumberCheck.choices],
        required=False,
    )
    birth_date = forms.DateField(
        label="Date of birth",
        widget=DateInput(),
        error_messages={"required": "Enter the date of birth", "invalid": "Enter a real date of birth, such as 27 March 1941"},
    )
    sex = forms.ChoiceField(label="Sex", choices=Patient.Sex.choices, initial=Patient.Sex.UNKNOWN)
    address = forms.CharField(label="House and street, if letters are to be sent", max_length=200, required=False)
    postcode = forms.CharField(
        label="Home postcode",
        max_length=10,
        help_text="Where they live or will live. Distances are counted from it.",
        error_messages={"required": "Enter the postcode"},
    )
    phone = forms.CharField(
        label="Phone number, if there is one", max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    email = forms.EmailField(
        label="E-mail address, if there is one",
        required=False,
        error_messages={"invalid": "Enter an e-mail address, like name@example.org"},
    )
    preferred_contact = forms.ChoiceField(label="How would they rather be reached?", choices=Patient.Route.choices, required=False)
    contact_note = forms.CharField(
        label="Anything to know before getting in touch",
        help_text="When it is safe to call, and through whom if it is through somebody else.",
        max_length=300,
        required=False,
    )
    preferred_language = forms.ChoiceField(label="Language they prefer", choices=lambda: Lexicon.read().choices("language"), initial="en")
    needs_interpreter = forms.BooleanField(label="They need an interpreter", required=False)
    access_needs = forms.MultipleChoiceField(
        label="What they need to read, hear and be understood",
        choices=Patient.AccessNeed.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    @staticmethod
    def of(patient: Patient) -> dict[str, Any]:
        """What a record says, as the form begins with it."""
        return {name: getattr(patient, name) for name in PatientForm.base_fields}

    def clean_nhs_number(self) -> str:
        number = "".join(self.cleaned_data["nhs_number"].split()).replace("-", "")
        if number:
            validate_nhs_number(number)
        return number

    def clean_postcode(self) -> str:
        postcode = normal_postcode(self.cleaned_data["postcode"])
        if postcode is None:
            raise forms.ValidationError("Enter a full postcode, like PR1 2HE")
        return postcode

    def clean_birth_date(self):
        value = self.cleaned_data["birth_date"]
        if value > timezone.localdate():
            raise forms.ValidationError("The date of birth must be in the past")
        return value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        route = data.get("preferred_contact")
        if route in (Patient.Route.PHONE, Patient.Route.TEXT) and not data.get("phone"):
            self.add_error("phone", "Enter the phone number by which they would rather be reached")
        if route == Patient.Route.EMAIL and not data.get("email") and "email" not in self.errors:
            self.add_error("email", "Enter the e-mail address by which they would rather be reached")
        if route == Patient.Route.POST and not data.get("address"):
            self.add_error("address", "Enter the house and street, so that letters arrive")
        return data


class EpisodeForm(forms.Form):
    """The stay in hospital or the wait at home. Optional: a link worker may only want to find a service."""

    kind = forms.ChoiceField(label="Where are they now?", choices=[("", "Not recorded"), *Episode.Kind.choices], required=False)
    ward = forms.CharField(label="Ward, if in hospital", max_length=60, required=False)
    discharge_pathway = forms.ChoiceField(label="Pathway", choices=[("", "Not recorded"), *Episode.Pathway.choices], required=False)
    ready_on = forms.DateField(
        label="Ready to move on, or waiting, since",
        widget=DateInput(),
        required=False,
        error_messages={"invalid": "Enter a real date, such as 27 March 2026"},
    )
    delay_reason = forms.ChoiceField(label="What are they waiting for?", choices=Episode.DelayReason.choices, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") and not data.get("discharge_pathway"):
            self.add_error("discharge_pathway", "Choose the pathway")
        if data.get("ready_on") and data["ready_on"] > timezone.localdate():
            self.add_error("ready_on", "The day since when they wait cannot be in the future")
        return data

    def times(self, at: datetime) -> dict[str, datetime | None]:
        """`ready_at` and `started_at` for the operation: the start of the day that was given, never after `at`."""
        day = self.cleaned_data.get("ready_on")
        if day is None:
            return {"ready_at": None, "started_at": at}
        moment = min(timezone.make_aware(datetime.combine(day, time.min)), at)
        return {"ready_at": moment, "started_at": moment}
