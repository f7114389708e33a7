"""What the owner of a record writes who has no account: only what is different."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from catalogue import assurance
from catalogue.models import Service
from core.errors import LuneError


class ChangeForm(forms.Form):
    """The record's plainest fields, filled with what it says now."""

    phone = forms.CharField(label="Phone", required=False, widget=forms.TextInput(attrs={"autocomplete": "tel"}))
    email = forms.CharField(label="E-mail", required=False, widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}))
    url = forms.CharField(
        label="Website", help_text="Begins with https://", required=False, widget=forms.TextInput(attrs={"spellcheck": "false"})
    )
    opening = forms.CharField(
        label="When it is open",
        help_text="In your own words, for example: Tuesdays 10am to 12, not in August.",
        required=False,
        widget=forms.Textarea,
    )
    description = forms.CharField(label="What it offers", required=False, widget=forms.Textarea)

    def __init__(self, data: Any = None, *, service: Service) -> None:
        super().__init__(data, initial=assurance.as_it_stands(service))

    def content(self) -> dict[str, str]:
        """What to hand to `catalogue.assurance.answer_link`: the fields that were sent, with line ends as they are kept."""
        return {name: value.replace("\r\n", "\n") for name, value in self.cleaned_data.items() if name in self.data}

    def tell(self, error: LuneError) -> None:
        """Show what the domain refused beside the fields that it names, or at the top."""
        errors: Mapping[str, Sequence[str]] = error.details.get("errors") or {}  # type: ignore[assignment]
        for name, messages in errors.items():
            self.add_error(name, list(messages))
        if not errors:
            self.add_error(None, error.message)
