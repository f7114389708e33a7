"""Refusing a place that the plan suggests."""

from django import forms

from flow.models import PlanDecision


class RejectForm(forms.Form):
    """Why the place is not right for the person."""

    reason = forms.ChoiceField(
        label="Why is it not right?",
        choices=PlanDecision.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why the place is not right, so that it is not suggested again."},
    )
    reason_text = forms.CharField(
        label="In a few words (needed for another reason)",
        help_text="Your team reads this. Do not name anybody.",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"maxlength": "300"}),
        error_messages={"max_length": "Shorten this to 300 letters or fewer."},
    )
