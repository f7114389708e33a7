"""What somebody without an account types on the page behind a link; who answers for a service; and calls that are written down."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from core.clock import LONDON, local_date, now
from flow.casework.questions import QUESTIONS
from flow.models import Attendance, PhoneCall, ReplyContact
from flow.outside.calls import answers_to_hear
from flow.workflow import Reason


class DeclineForm(forms.Form):
    """A no, with the codes by which every provider says it."""

    reason = forms.ChoiceField(
        label="What is the main reason?",
        choices=Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the main reason."},
    )
    reason_text = forms.CharField(
        label="Anything the team should know (optional)", max_length=300, required=False, widget=forms.Textarea(attrs={"maxlength": "300"})
    )

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("reason") == Reason.OTHER and not sent.get("reason_text"):
            self.add_error("reason_text", "Say in a few words what the other reason is.")
        return sent


class QuestionForm(forms.Form):
    """One of the questions that are often asked, or one in own words."""

    code = forms.ChoiceField(
        label="What do you need to know?",
        choices=[("", "Another question (write it below)"), *((each.code, each.words) for each in QUESTIONS)],
        required=False,
    )
    words = forms.CharField(
        label="Your question",
        help_text="The team answers by choosing an answer, so ask one thing that it can answer shortly.",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"maxlength": "500"}),
    )

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not sent.get("code") and not sent.get("words"):
            self.add_error("words", "Choose a question, or write your own.")
        return sent


class WhyForm(forms.Form):
    """Why support could not be finished."""

    reason_text = forms.CharField(
        label="Why could you not finish?",
        max_length=300,
        widget=forms.Textarea(attrs={"maxlength": "300"}),
        error_messages={"required": "Say why in a few words."},
    )


class CameForm(forms.Form):
    """Whether the person came, on a day."""

    day = forms.DateField(
        label="On which day?",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Say on which day.", "invalid": "Give a day, like 27 3 2026."},
    )
    mark = forms.ChoiceField(
        label="Did they come?",
        choices=[("present", "Yes"), ("absent", "No")],
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether they came."},
    )
    reason = forms.ChoiceField(label="If not, why?", choices=[("", "Choose"), *Attendance.Reason.choices], required=False)

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("mark") == "absent" and not sent.get("reason"):
            self.add_error("reason", "Say why they did not come.")
        return sent


class CodeForm(forms.Form):
    """The six digits."""

    code = forms.CharField(
        label="The code from the message",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": "Type the six digits from the message."},
    )


class ContactForm(forms.Form):
    """Who answers for a service without an account."""

    name = forms.CharField(
        label="Who answers?",
        help_text="A person or a desk, like “The kitchen”. It stands beside each answer.",
        max_length=80,
        error_messages={"required": "Enter who answers: a person or a desk."},
    )
    email = forms.CharField(label="E-mail address", help_text="Links go here.", max_length=254, required=False)
    phone = forms.CharField(
        label="Mobile number",
        help_text="Codes go here, and links where there is no e-mail address. Give both: then a lost phone or mailbox alone opens nothing.",
        max_length=40,
        required=False,
    )
    check_made = forms.ChoiceField(
        label="How do you know that this is theirs?",
        choices=ReplyContact.Check.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say how you know that the address is theirs."},
    )


class CallForm(forms.Form):
    """What a provider said on the telephone."""

    rung = forms.CharField(
        label="Who did you ring?",
        help_text="The name of who you spoke to, or the number.",
        max_length=80,
        error_messages={"required": "Say who you rang."},
    )
    rung_at = forms.DateTimeField(
        label="When?",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"],
        error_messages={"required": "Say when you rang.", "invalid": "Give day and time, like 27/03/2026 10:30."},
    )
    said = forms.ChoiceField(
        label="What did they say?",
        choices=PhoneCall.Said.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what they said."},
    )
    reason = forms.ChoiceField(label="If no: the main reason", choices=[("", "Choose"), *Reason.choices], required=False)
    words = forms.CharField(
        label="In their words (needed if they could not finish)",
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"maxlength": "300"}),
    )
    ring_again_on = forms.DateField(
        label="If later, or nobody answered: ring again on",
        help_text="It is put among your follow-ups for that day, and done when you write down the next call.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
        error_messages={"invalid": "Give a day, like 27 3 2026."},
    )
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, task: Any, **kwargs: Any) -> None:
        tomorrow = local_date(now()) + timedelta(days=1)
        kwargs.setdefault("initial", {"rung_at": _minute(now()), "version": task.version, "ring_again_on": tomorrow})
        super().__init__(*args, **kwargs)
        field = self.fields["said"]
        assert isinstance(field, forms.ChoiceField)
        heard = answers_to_hear(task)
        field.choices = [(said.value, str(said.label)) for said in heard]
        if PhoneCall.Said.NO not in heard:
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("said") == "no" and not sent.get("reason"):
            self.add_error("reason", "Choose the main reason.")
        if sent.get("said") == "call-back" and not sent.get("ring_again_on") and "ring_again_on" not in self.errors:
            self.add_error("ring_again_on", "Say on which day to ring again.")
        if sent.get("said") == "failed" and not sent.get("words"):
            self.add_error("words", "Say why they could not finish.")
        return sent


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%dT%H:%M}"
