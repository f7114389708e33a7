"""What arrived on paper, by e-mail or by phone, typed on one page."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone

from catalogue.lexicon import Lexicon
from flow.intake.operations import Origin
from flow.models import PathwayVersion, ReferralOrigin
from frontend.forms.pathway_questions import add_pathway, pathway_field
from frontend.forms.patient import DateInput, PatientForm

#: Of a person, as far as a letter usually says.
PERSON = ("given_name", "family_name", "birth_date", "postcode", "nhs_number", "sex", "phone")
_FIELDS = PatientForm.base_fields


class PaperForm(forms.Form):
    """Who it is, what is needed, and where it came from; then, of the services that fit, which is asked."""

    given_name = _FIELDS["given_name"]
    family_name = _FIELDS["family_name"]
    birth_date = _FIELDS["birth_date"]
    postcode = _FIELDS["postcode"]
    nhs_number = _FIELDS["nhs_number"]
    sex = _FIELDS["sex"]
    phone = _FIELDS["phone"]
    care = forms.ChoiceField(label="What is asked for?", error_messages={"required": "Choose what is asked for"})
    service = forms.CharField(label="Service that it names, if it names one", max_length=120, required=False)
    reason = forms.CharField(
        label="What should the service know?",
        help_text="Read only by a service that has said yes.",
        required=False,
        max_length=4000,
        widget=forms.Textarea,
    )
    channel = forms.ChoiceField(
        label="How did it come?",
        choices=[choice for choice in ReferralOrigin.Channel.choices if choice[0] != ReferralOrigin.Channel.RECORD],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how it came"},
    )
    sector = forms.ChoiceField(
        label="Who made it?",
        choices=[("", "Choose"), *ReferralOrigin.Sector.choices],
        error_messages={"required": "Choose who made it"},
    )
    sender = forms.CharField(label="Their name, or that of the team", max_length=120, required=False)
    received_on = forms.DateField(
        label="On which day did it arrive?",
        help_text="Their wait began then.",
        widget=DateInput(),
        initial=timezone.localdate,
        error_messages={"required": "Enter the day", "invalid": "Enter a real date, such as 27 March 2027"},
    )
    consent = forms.BooleanField(
        label="The person, or somebody who may decide for them, agrees to this referral",
        error_messages={"required": "It must say that they agree. Ask them if it does not, and tick the box when they do"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["care"].choices = [("", "Choose"), *Lexicon.read().choices("care-type")]  # type: ignore[attr-defined]

    clean_nhs_number = PatientForm.clean_nhs_number
    clean_postcode = PatientForm.clean_postcode
    clean_birth_date = PatientForm.clean_birth_date

    def clean_received_on(self) -> Any:
        value = self.cleaned_data["received_on"]
        if value > timezone.localdate():
            raise forms.ValidationError("It cannot have arrived in the future")
        return value

    def person(self) -> dict[str, Any]:
        """What `flow.operations.add_patient` takes."""
        return {name: self.cleaned_data[name] for name in PERSON}

    def origin(self) -> Origin:
        """Where it came from."""
        said = self.cleaned_data
        return Origin(channel=said["channel"], sector=said["sector"], sender=said["sender"], received_on=said["received_on"])


class ChosenForm(forms.Form):
    """Which of the services that fit, and on which pathway; and the letter itself, if somebody scanned it."""

    run = forms.UUIDField(widget=forms.HiddenInput)
    scan = forms.FileField(
        required=False,
        error_messages={"empty": "The file is empty. Choose another, or leave it out"},
    )
    pool = forms.TypedChoiceField(
        coerce=UUID,
        error_messages={"required": "Choose a service", "invalid_choice": "That service is not in this list. Choose another"},
    )

    pathway = pathway_field("It asks its own questions and sets its own deadlines. Choose one that the service belongs to.")

    def __init__(
        self, *args: Any, pools: list[UUID], versions: Collection[PathwayVersion], version: PathwayVersion | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pool"].choices = [(pool, pool) for pool in pools]  # type: ignore[attr-defined]
        self.questions = add_pathway(self, versions, version)
