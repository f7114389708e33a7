"""Agreements, grants and teams as managers write them."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet

from catalogue.models import Organization, User
from core.clock import LONDON
from flow.models import Pathway, Patient, SharingAgreement, Team
from flow.models.sharing import LegalBasis, Purpose


def first_moment(day) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time(), tzinfo=LONDON)


def last_moment(day) -> datetime:
    """When a day has ended: nothing holds from then on."""
    return first_moment(day + timedelta(days=1))


def _date(label: str, **kwargs: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": f"Enter the {label.lower()}", "invalid": "Enter a date"},
        **kwargs,
    )


class AgreementForm(forms.Form):
    """What was signed. An administrator says whose records, or leaves that out for all who refer on a pathway."""

    organization = forms.ModelChoiceField(
        label="Whose records?", queryset=Organization.objects.none(), required=False, empty_label="Of whoever refers on the pathway"
    )
    with_organization = forms.ModelChoiceField(
        label="Who may see them?",
        queryset=Organization.objects.none(),
        empty_label="Choose an organisation",
        error_messages={"required": "Choose the other organisation"},
    )
    purpose = forms.ChoiceField(label="For what?", choices=Purpose.choices)
    pathway = forms.ModelChoiceField(
        label="Only on one pathway?", queryset=Pathway.objects.none(), required=False, empty_label="On any pathway, or none"
    )
    legal_basis = forms.ChoiceField(label="Legal basis", choices=LegalBasis.choices)
    reference = forms.CharField(
        label="Reference of the signed document",
        max_length=200,
        error_messages={"required": "Say where the signed document is kept"},
    )
    starts_on = _date("First day")
    ends_on = _date("Last day")

    def __init__(self, *args: Any, user: User, organizations: QuerySet[Organization], pathways: QuerySet[Pathway], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["with_organization"].queryset = organizations  # type: ignore[attr-defined]
        self.fields["pathway"].queryset = pathways  # type: ignore[attr-defined]
        if user.is_administrator:
            self.fields["organization"].queryset = organizations  # type: ignore[attr-defined]
        else:
            del self.fields["organization"]
            self.fields["with_organization"].label = "Who may see your organisation’s records?"
        self.user = user

    def agreed(self) -> dict[str, Any]:
        """What `flow.sharing.operations.agree` takes."""
        data = self.cleaned_data
        whose = data.get("organization") if self.user.is_administrator else self.user.organization
        return {
            "organization_id": whose.pk if whose else None,
            "with_organization_id": data["with_organization"].pk,
            "pathway_id": data["pathway"].pk if data["pathway"] else None,
            "purpose": data["purpose"],
            "legal_basis": data["legal_basis"],
            "reference": data["reference"],
            "starts_at": first_moment(data["starts_on"]),
            "ends_at": last_moment(data["ends_on"]),
        }


class AgreementChoice(forms.ModelChoiceField):
    def label_from_instance(self, agreement: SharingAgreement) -> str:
        last = (agreement.ends_at - timedelta(seconds=1)).astimezone(LONDON)
        return f"{agreement.with_organization.name}: {agreement.get_purpose_display().lower()}, to {last:%-d %B %Y}"


class ShareForm(forms.Form):
    """Opening one person's whole record to another organisation."""

    agreement = AgreementChoice(
        label="With whom, under which agreement?",
        queryset=SharingAgreement.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose an agreement"},
    )
    team = forms.ModelChoiceField(
        label="Only with one team?", queryset=Team.objects.none(), required=False, empty_label="All who work there"
    )
    ends_on = _date("Last day")
    consent = forms.BooleanField(
        label="The person, or somebody who may decide for them, agrees that their record is shared",
        error_messages={"required": "Ask whether they agree, and tick the box when they do"},
    )

    def __init__(self, *args: Any, agreements: QuerySet[SharingAgreement], teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agreement"].queryset = agreements  # type: ignore[attr-defined]
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]

    def shared(self, patient: Patient) -> dict[str, Any]:
        """What `flow.sharing.operations.share` takes."""
        data = self.cleaned_data
        return {
            "patient_id": patient.pk,
            "agreement_id": data["agreement"].pk,
            "team_id": data["team"].pk if data["team"] else None,
            "ends_at": min(last_moment(data["ends_on"]), data["agreement"].ends_at),
            "consent": data["consent"],
        }


class TeamForm(forms.Form):
    """A team of one's own organisation."""

    name = forms.CharField(label="Name", max_length=100, error_messages={"required": "Enter a name"})
    members = forms.ModelMultipleChoiceField(
        label="Members", queryset=User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    manager = forms.ModelChoiceField(label="Manager", queryset=User.objects.none(), required=False, empty_label="Nobody")
    contact_email = forms.EmailField(label="E-mail address", required=False)
    contact_phone = forms.CharField(label="Phone", required=False, max_length=40)
    keeps_to_itself = forms.BooleanField(
        label="Only its members see its records",
        help_text="For safeguarding and the like. Somebody who leaves the team loses sight of them at once.",
        required=False,
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].queryset = people  # type: ignore[attr-defined]
        self.fields["manager"].queryset = people  # type: ignore[attr-defined]

    def saved(self) -> dict[str, Any]:
        """What `flow.sharing.operations.save_team` takes."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "member_ids": [person.pk for person in data["members"]],
            "manager_id": data["manager"].pk if data["manager"] else None,
            "contact_email": data["contact_email"],
            "contact_phone": data["contact_phone"],
            "keeps_to_itself": data["keeps_to_itself"],
        }
