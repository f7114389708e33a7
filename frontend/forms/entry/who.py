"""Who a service is for: ages, sex where the law allows it, needs, diagnoses, and who may refer."""

from typing import Any

from django import forms

from catalogue.entry.content import ACCESS
from catalogue.models import Eligibility
from catalogue.models.taxonomy import CONDITION, NEED, REFERRAL_SOURCE
from catalogue.queries import terms_in_use

from .criteria import CONDITION_RULES, LIST_RULES, TermFields
from .part import PartForm

_AGE = {"invalid": "Write an age in years, such as 18.", "max_value": "Write an age up to 125.", "min_value": "Write an age from 0."}


class WhoForm(PartForm):
    minimum_age = forms.IntegerField(
        label="Lowest age", help_text="0 is from birth. Leave it empty to say nothing.", required=False, min_value=0, max_value=125,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}), error_messages=_AGE,
    )  # fmt: skip
    maximum_age = forms.IntegerField(
        label="Highest age", required=False, min_value=0, max_value=125, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages=_AGE,
    )  # fmt: skip
    sex = forms.ChoiceField(label="Sex", choices=[("", "Not said"), *Eligibility.Sex.choices], required=False, widget=forms.RadioSelect)
    sex_reason = forms.ChoiceField(
        label="If it is for women or men only: why",
        help_text="The law allows it for these reasons.",
        choices=[("", "No reason given"), *((code, name[0].upper() + name[1:]) for code, name in Eligibility.SexReason.choices)],
        required=False,
    )
    notes = forms.CharField(
        label="Anything else about who it is for", required=False, max_length=2_000, widget=forms.Textarea(attrs={"maxlength": 2_000})
    )

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        needs = [term for term in terms_in_use(NEED) if term.group != ACCESS]
        self.needs = TermFields(self, "need", NEED, self.shown["needs"], offered=needs)
        self.conditions = TermFields(self, "condition", CONDITION, self.shown["conditions"], CONDITION_RULES)
        said = self.shown["referral_sources"]
        self.referral_sources = TermFields(self, "referrer", REFERRAL_SOURCE, said, LIST_RULES["referral_sources"])

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        lowest, highest = sent.get("minimum_age"), sent.get("maximum_age")
        if lowest is not None and highest is not None and highest < lowest:
            self.add_error("maximum_age", "The highest age cannot be below the lowest.")
        single = sent.get("sex") in (Eligibility.Sex.FEMALE, Eligibility.Sex.MALE)
        if sent.get("sex_reason") and not single:
            self.add_error("sex_reason", "A reason is only for a service for women only or men only. Choose “No reason given”.")
        return sent

    def values(self) -> dict[str, Any]:
        return super().values() | {
            "needs": self.needs.value(),
            "conditions": self.conditions.value(),
            "referral_sources": self.referral_sources.value(),
        }
