"""Holding a place for one person."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from flow.models import Patient
from frontend.forms.send import PatientChoice


class HoldForm(forms.Form):
    """For whom. The place itself was chosen on the page before."""

    patient = PatientChoice(
        label="Who is it for?",
        queryset=Patient.objects.none(),
        empty_label="Choose a person",
        error_messages={
            "required": "Choose the person for whom the place is held",
            "invalid_choice": "Choose a person of your organisation who waits",
        },
    )

    def __init__(self, *args: Any, patients: QuerySet[Patient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["patient"].queryset = patients  # type: ignore[attr-defined]
