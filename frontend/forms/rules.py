"""A process rule as a form, and the switch."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms

from capacity.models import ServiceCapacity
from catalogue.models import Organization, TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE
from flow.models import Episode, Hub, Pathway, Referral, RuleVersion

#: Conditions of which one code is chosen.
ONE_OF = ("urgency", "pathway", "care_type", "organization")
UNITS = {"minutes": 1, "hours": 60, "days": 1440}


class RuleForm(forms.Form):
    """What the rule is called, when it acts, on what, and what it does."""

    name = forms.CharField(label="Name", max_length=100, error_messages={"required": "Give the rule a name"})
    trigger = forms.ChoiceField(
        label="When?",
        choices=RuleVersion.Trigger.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose when the rule acts"},
    )
    after = forms.IntegerField(
        label="How long after?",
        initial=0,
        min_value=0,
        error_messages=dict.fromkeys(("required", "invalid", "min_value"), "Give a whole number, 0 for at once"),
    )
    unit = forms.ChoiceField(label="Counted in", choices=[(unit, unit) for unit in UNITS], initial="hours")
    action = forms.ChoiceField(
        label="What is done?",
        help_text="No rule says yes or no for a person.",
        choices=RuleVersion.Action.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what the rule does"},
    )
    hub = forms.ChoiceField(label="To which hub?", help_text="Only where it is sent to a hub.", required=False)
    words = forms.CharField(
        label="What is to be done?", help_text="Only where a follow-up is made. Name nobody.", max_length=200, required=False
    )
    urgency = forms.ChoiceField(label="Only of this urgency", required=False, choices=[("", "Any"), *Referral.Urgency.choices])
    pathway = forms.ChoiceField(label="Only of this pathway", required=False)
    care_type = forms.ChoiceField(label="Only for this kind of care", required=False)
    organization = forms.ChoiceField(
        label="Only requests to this organisation", help_text="Of the services asked, those of one provider.", required=False
    )
    area = forms.CharField(
        label="Only for people in these postcode areas",
        help_text="For example PR1, PR2. PR is all of Preston.",
        required=False,
        max_length=200,
    )
    reason = forms.CharField(
        label="Why is the rule wanted?",
        max_length=300,
        widget=forms.Textarea,
        error_messages={"required": "Say why the rule is wanted"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hubs = Hub.objects.filter(is_active=True).order_by("name").values_list("pk", "name")
        kinds = TaxonomyTerm.objects.filter(taxonomy__slug=CARE_TYPE).order_by("name").values_list("code", "name")
        self.fields["hub"].choices = [("", "None"), *((str(pk), name) for pk, name in hubs)]  # type: ignore[attr-defined]
        self.fields["care_type"].choices = [("", "Any"), *kinds]  # type: ignore[attr-defined]
        configured = Pathway.objects.in_use().order_by("name").values_list("code", "name")
        self.fields["pathway"].choices = [("", "Any"), *Episode.Pathway.choices, *configured]  # type: ignore[attr-defined]
        asked = ServiceCapacity.objects.order_by().values("service__organization")
        providers = Organization.objects.filter(pk__in=asked, is_confidential=False).order_by("name").values_list("pk", "name")
        self.fields["organization"].choices = [("", "Any"), *((str(pk), name) for pk, name in providers)]  # type: ignore[attr-defined]

    def said(self) -> dict[str, Any]:
        """What `flow.rules.operations.write` needs."""
        data = self.cleaned_data
        conditions = {name: [data[name]] for name in ONE_OF if data[name]}
        conditions["area"] = data["area"].replace(",", " ").split()
        return {
            "name": data["name"],
            "trigger": data["trigger"],
            "after": timedelta(minutes=min(data["after"], 10**6) * UNITS[data["unit"]]),
            "action": data["action"],
            "conditions": conditions,
            "parameters": {"hub": UUID(data["hub"]) if data["hub"] else None, "words": data["words"]},
            "reason": data["reason"],
        }


def values_of(version: RuleVersion) -> dict[str, Any]:
    """A version as the form shows it, to write the next one from."""
    unit = next(unit for unit in ("days", "hours", "minutes") if version.after_minutes % UNITS[unit] == 0)
    first = {name: (version.conditions.get(name) or [""])[0] for name in ONE_OF}
    return first | {
        "name": version.rule.name,
        "trigger": version.trigger,
        "after": version.after_minutes // UNITS[unit],
        "unit": unit,
        "action": version.action,
        "area": ", ".join(version.conditions.get("area", [])),
        **version.parameters,
    }
