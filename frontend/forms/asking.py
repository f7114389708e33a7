"""How a provider wants to be asked."""

from typing import Any

from django import forms

from capacity.models import AskingPreference, Channel
from core import sms
from core.errors import LuneError
from frontend.forms.entry.part import TimeInput

DAYS = [(0, "Monday"), (1, "Tuesday"), (2, "Wednesday"), (3, "Thursday"), (4, "Friday"), (5, "Saturday"), (6, "Sunday")]
_TIME = {"invalid": "Write a time like 09:30.", "required": "Write a time like 09:30."}


def _channels() -> list[tuple[str, str]]:
    """Text messages only where this site can send them."""
    return [choice for choice in Channel.choices if choice[0] != Channel.SMS or sms.is_set_up()]


class AskingForm(forms.Form):
    channel = forms.ChoiceField(label="How should we ask you?", choices=_channels, widget=forms.RadioSelect)
    address = forms.CharField(
        label="E-mail address or mobile number",
        help_text="We send a code to it first, so that nobody else is asked by mistake.",
        max_length=254,
        error_messages={"required": "Write where our messages should go.", "max_length": "That address is too long."},
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    days = forms.TypedMultipleChoiceField(
        label="On which days may we ask?",
        help_text="Never on a bank holiday.",
        choices=DAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one day, or stop the messages."},
    )
    from_time = forms.TimeField(label="From", widget=TimeInput, error_messages=_TIME)
    until_time = forms.TimeField(label="Until", widget=TimeInput, error_messages=_TIME)
    when_stale = forms.BooleanField(label="Ask me shortly before our figure gets old", required=False)
    on_demand = forms.BooleanField(label="Ask me when people near us wait for what we offer", required=False)
    everywhere = forms.BooleanField(
        label="The same for all our services", required=False,
        help_text="One code confirms the address for all, and one message asks about all that are due.",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, preference: AskingPreference | None, several: bool) -> None:
        shown = preference or AskingPreference(channel=Channel.EMAIL)
        super().__init__(data, initial={name: getattr(shown, name, False) for name in self.base_fields})
        if not several:
            del self.fields["everywhere"]
        if not sms.is_set_up():
            self.fields["address"].label = "E-mail address"


class CodeForm(forms.Form):
    code = forms.CharField(
        label="The code that came to this address",
        max_length=20,
        error_messages={"required": "Type the six figures of the code."},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


def tell(form: forms.Form, error: LuneError) -> None:
    """Show what the domain refused beside the fields that it names, or at the top."""
    errors: Any = error.details.get("errors") or {}
    for name, messages in errors.items():
        form.add_error(name, list(messages))
    if not errors:
        form.add_error(None, error.message)
