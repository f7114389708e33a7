"""What is done to many lines at once: one small form for each kind."""

from typing import Any

from django import forms

from flow.models import Batch, Episode, Team
from frontend.forms.patient import DateInput


class Nothing(forms.Form):
    """Nothing more has to be said."""

    def asked(self) -> dict[str, Any]:
        """What `flow.worklist.operations.carry_out` takes."""
        return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in self.cleaned_data.items()}


class WithdrawForm(Nothing):
    reason = forms.CharField(
        label="Why are they withdrawn?",
        help_text="Your team reads this. The services read only that the request is withdrawn.",
        max_length=300,
        error_messages={"required": "Say why in a few words", "max_length": "Shorten this to 300 letters or fewer"},
    )


class DelayForm(Nothing):
    delay = forms.ChoiceField(label="What are they waiting for?", choices=Episode.DelayReason.choices, required=False)


class ExpectedForm(Nothing):
    expected = forms.DateField(
        label="When are they expected to move?",
        widget=DateInput(),
        error_messages={"required": "Enter the day", "invalid": "Enter a real date, such as 27 March 2027"},
    )


class AssignForm(Nothing):
    team = forms.ChoiceField(label="Which team?", required=False)

    def __init__(self, *args: Any, teams: list[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [("", "No team"), *((str(team.pk), team.name) for team in teams)]  # type: ignore[attr-defined]


class FollowUpForm(Nothing):
    words = forms.CharField(
        label="What is to be done?",
        max_length=300,
        error_messages={"required": "Say what is to be done", "max_length": "Shorten this to 300 letters or fewer"},
    )
    due = forms.DateField(
        label="By which day?",
        widget=DateInput(),
        error_messages={"required": "Enter the day", "invalid": "Enter a real date, such as 27 March 2027"},
    )


_FORMS: dict[str, type[Nothing]] = {
    Batch.Action.WITHDRAW: WithdrawForm,
    Batch.Action.DELAY: DelayForm,
    Batch.Action.EXPECTED: ExpectedForm,
    Batch.Action.FOLLOW_UP: FollowUpForm,
}


def form_for(action: str, data: Any = None, *, teams: list[Team]) -> Nothing:
    """The form of one kind of bulk action."""
    return AssignForm(data, teams=teams) if action == Batch.Action.ASSIGN else _FORMS.get(action, Nothing)(data)
