"""A provider's answer to a referral, and the steps that come after it."""

from django import forms

from flow import workflow
from flow.workflow import Reason, Step


class AnswerForm(forms.Form):
    """One step of one task. `version` is the state that the person was looking at when they pressed the button.

    Declining takes a reason from the national list and words; the other steps that need a reason take words only.
    """

    version = forms.IntegerField(min_value=1, error_messages={"required": "Load the page again, then press the button again."})
    reason = forms.ChoiceField(
        choices=Reason.choices,
        required=False,
        error_messages={"invalid_choice": "Choose a reason from the list."},
    )
    reason_text = forms.CharField(
        max_length=300,
        required=False,
        error_messages={"max_length": "Keep the explanation to 300 characters."},
    )

    def __init__(self, *args: object, step: Step, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.step = step
        self.wants_code = step.action == workflow.Action.DECLINE
        if step.needs_reason:
            self.fields["reason_text"].required = True
            self.fields["reason_text"].error_messages["required"] = "Say why in a few words, without naming the person."
        if self.wants_code:
            self.fields["reason"].required = True
            self.fields["reason"].error_messages["required"] = "Choose the main reason."
