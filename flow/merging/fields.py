"""What can be chosen, field by field, when two records are joined: what belongs together is chosen together."""

import json
from typing import Any

from django.core import serializers

from flow.models import Patient

#: Name of a choice: its words, and the fields of `Patient` that go with it.
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "name": ("Name", ("given_name", "family_name")),
    "birth_date": ("Date of birth", ("birth_date",)),
    "nhs_number": ("NHS number", ("nhs_number", "nhs_status", "nhs_checked_how", "nhs_checked_at", "nhs_checked_by")),
    "sex": ("Sex", ("sex",)),
    "home": ("Address", ("address", "postcode", "point")),
    "phone": ("Phone", ("phone",)),
    "email": ("E-mail", ("email",)),
    "contact": ("How they would rather be reached", ("preferred_contact", "contact_note")),
    "language": ("Language", ("preferred_language", "needs_interpreter")),
    "access_needs": ("What they need to read, hear and be understood", ("access_needs",)),
}


def said(patient: Patient, choice: str) -> dict[str, Any]:
    """What a record says in the fields of a choice, as JSON keeps it."""
    kept: dict[str, Any] = json.loads(serializers.serialize("json", [patient], fields=CHOICES[choice][1]))[0]["fields"]
    return kept


def put(patient: Patient, values: dict[str, Any]) -> None:
    """Give a record what `said` kept."""
    for name, value in values.items():
        field: Any = Patient._meta.get_field(name)
        setattr(patient, field.attname, field.to_python(value))
