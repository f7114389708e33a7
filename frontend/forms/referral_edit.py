"""What a sender changes of a referral that was sent."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms

from flow import editing
from flow.models import Referral
from frontend.forms.patient import DateInput


class ReferralEditForm(forms.Form):
    """As the referral says it now, to be changed. `unfit` is asked only where services no longer fit."""

    mark = forms.CharField(widget=forms.HiddenInput, required=False, max_length=16)
    urgency = forms.ChoiceField(label="How urgent?", choices=Referral.Urgency.choices, widget=forms.RadioSelect)
    needed_by = forms.DateField(
        label="Needed by",
        help_text="The day on which support should begin at the latest. Empty: no day.",
        required=False,
        widget=DateInput(),
        error_messages={"invalid": "Enter a real date, such as 27 March 2027"},
    )
    answer_within = forms.DecimalField(
        label="Hours that each service has to answer",
        help_text="Empty: 2 hours if urgent, 24 if routine, or as its pathway says.",
        required=False,
        min_value=Decimal("0.25"),
        max_value=336,
        widget=forms.NumberInput(attrs={"step": "0.25"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "Give hours from 0.25 to 336"),
    )
    reason = forms.CharField(
        label="What should the service know?",
        help_text="Read only by a service that has said yes, and by a hub.",
        required=False,
        max_length=editing.LONGEST_REASON,
        widget=forms.Textarea,
    )
    why = forms.CharField(
        label="Why do you change it?",
        help_text="Your team and a service that has said yes read this.",
        max_length=editing.LONGEST_WHY,
        error_messages={"required": "Say in a few words why it is changed"},
    )
    unfit = forms.ChoiceField(
        label="What becomes of them?",
        required=False,
        choices=[
            (editing.KEEP, "They stay asked, even so"),
            (editing.WITHDRAW, "They are asked no longer; a yes is taken back and the place is free again"),
        ],
        widget=forms.RadioSelect,
    )

    @staticmethod
    def of(referral: Referral, mark: str) -> dict[str, Any]:
        """What the form begins with."""
        now = editing.stands(referral)
        term = now["answer_within"]
        return now | {"mark": mark, "answer_within": None if term is None else Decimal(term.total_seconds() / 3600).normalize()}

    def told(self) -> dict[str, Any]:
        """What `edit_referral` is told."""
        data = self.cleaned_data
        hours = data["answer_within"]
        return {
            "expected": data["mark"],
            "urgency": data["urgency"],
            "needed_by": data["needed_by"],
            "answer_within": None if hours is None else timedelta(minutes=int(hours * 60)),
            "reason": data["reason"].replace("\r\n", "\n"),
            "why": data["why"],
            "unfit": data["unfit"],
        }
