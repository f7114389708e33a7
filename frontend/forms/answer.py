"""A provider's answer to a referral, and the steps that come after it."""

from typing import Any

from django import forms

from flow.workflow import Action, Reason, Step

#: What each step that asks for words asks.
QUESTIONS = {
    Action.DECLINE: "Anything the team should know (optional)",
    Action.WITHDRAW: "Why can you no longer help?",
    Action.PAUSE: "Why is support paused?",
    Action.FAIL: "Why could support not be finished?",
}


class AnswerForm(forms.Form):
    """One step of one task. `version` is the state that the person was looking at when they pressed the button."""

    version = forms.IntegerField(
        min_value=1,
        widget=forms.HiddenInput,
        error_messages={"required": "This page is incomplete. Load it again, then press the button again."},
    )

    def __init__(self, *args: Any, step: Step, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        declining = step.action == Action.DECLINE
        if declining:
            self.fields["reason"] = forms.ChoiceField(
                label="What is the main reason?",
                choices=Reason.choices,
                widget=forms.RadioSelect,
                error_messages={"required": "Choose the main reason."},
            )
        if step.action == Action.ACCEPT:
            self.fields["even_so"] = forms.BooleanField(label="I have read what has changed, and we can help even so", required=False)
        if step.needs_reason:
            self.fields["reason_text"] = forms.CharField(
                label=QUESTIONS[step.action],
                help_text="The team that sent the referral reads this. Do not name the person.",
                max_length=300,
                required=not declining,
                widget=forms.Textarea(attrs={"maxlength": "300"}),
                error_messages={
                    "required": "Say why in a few words.",
                    "max_length": "Shorten this to 300 letters or fewer.",
                },
            )

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("reason") == Reason.OTHER and not sent.get("reason_text"):
            self.add_error("reason_text", "Say in a few words what the other reason is.")
        return sent

    def why(self) -> dict[str, Any]:
        """The reason, or the confirmation, as the operations take it."""
        return {name: self.cleaned_data[name] for name in ("reason", "reason_text", "even_so") if self.cleaned_data.get(name)}
