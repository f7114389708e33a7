"""People, stays and agreements as JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from flow.models import Consent, Episode, Patient

#: The operations say what is wrong in words, and find the place.
_LOOSE: dict[str, dict[str, Any]] = {
    "nhs_number": {"validators": [], "required": False, "max_length": 20},
    "postcode": {"max_length": 12},
}


class PatientSerializer(serializers.ModelSerializer):
    """A person, for those who may know them. The NHS number is checked modulus 11; `nhs_checked_how` says who made sure of it."""

    is_another = serializers.BooleanField(
        write_only=True, required=False, default=False, help_text="Somebody looked: not the person of the same name and day of birth."
    )

    class Meta:
        model = Patient
        fields = [
            "id", "nhs_number", "nhs_status", "nhs_checked_how", "nhs_checked_at", "given_name", "family_name", "birth_date", "sex",
            "address", "postcode", "phone", "email", "preferred_contact", "contact_note", "preferred_language", "needs_interpreter",
            "access_needs", "version", "created_at", "changed_at", "is_another",
        ]  # fmt: skip
        read_only_fields = ["id", "nhs_status", "nhs_checked_at", "version", "created_at", "changed_at"]
        extra_kwargs = _LOOSE


class PatientEditSerializer(serializers.ModelSerializer):
    """What is to change of a person; what is left out stays."""

    class Meta:
        model = Patient
        fields = [
            "nhs_number", "nhs_checked_how", "given_name", "family_name", "birth_date", "sex", "address", "postcode", "phone", "email",
            "preferred_contact", "contact_note", "preferred_language", "needs_interpreter", "access_needs",
        ]  # fmt: skip
        extra_kwargs = _LOOSE


class EpisodeSerializer(serializers.ModelSerializer):
    """A stay in hospital or a wait in the community. `ready_at` is the discharge-ready date: no criteria to reside since."""

    started_at = serializers.DateTimeField(required=False)

    class Meta:
        model = Episode
        fields = [
            "id", "patient", "kind", "ward", "discharge_pathway", "started_at", "criteria_to_reside", "reside_reviewed_on", "ready_at",
            "expected_on", "delay_reason", "ended_at", "version", "changed_at",
        ]  # fmt: skip
        read_only_fields = ["id", "patient", "ended_at", "version", "changed_at"]


class EpisodeEditSerializer(serializers.ModelSerializer):
    """What is to change of an open stay or wait; what is left out stays."""

    class Meta:
        model = Episode
        fields = [
            "ward", "discharge_pathway", "started_at", "criteria_to_reside", "reside_reviewed_on", "ready_at", "expected_on",
            "delay_reason",
        ]  # fmt: skip


class ConsentSerializer(serializers.ModelSerializer):
    """One decision of a person about one purpose. Lines are added and never changed."""

    decided_on = serializers.DateField(required=False)
    holds = serializers.SerializerMethodField()

    class Meta:
        model = Consent
        fields = ["id", "purpose", "kind", "decision", "source", "decided_by", "basis", "decided_on", "recorded_at", "holds"]
        read_only_fields = ["id", "recorded_at"]

    @extend_schema_field(serializers.BooleanField())
    def get_holds(self, line: Consent) -> Any:
        return line.pk in self.context.get("holds", ())
