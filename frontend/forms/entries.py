"""Searching one's entries, and beginning a new one."""

from typing import Any
from uuid import UUID

from django import forms

from catalogue.entry.partners import find_partners
from catalogue.entry.spreadsheet import LARGEST
from catalogue.models import User

STATES = [
    ("", "All"),
    ("overdue", "Check is overdue"),
    ("draft", "With a draft"),
    ("waiting", "Waiting for a curator"),
    ("incomplete", "Something still to say"),
    ("hidden", "Not shown as open"),
]


class EntryFilter(forms.Form):
    """What somebody looks for among their own entries."""

    q = forms.CharField(label="Name or word", required=False, max_length=200)
    state = forms.ChoiceField(label="Show", required=False, choices=STATES)

    def search(self) -> dict[str, str]:
        self.is_valid()
        return {"text": self.cleaned_data.get("q", ""), "state": self.cleaned_data.get("state", "")}


class NewEntryForm(forms.Form):
    """Whose the new service is: a provider's own, or for a curator any organisation of the directory."""

    organization = forms.CharField(label="Which organisation runs it?", help_text="Its name as it stands in the directory.", max_length=255)
    go = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        self._found: dict[str, str] = {}
        if user.is_provider:
            del self.fields["organization"]

    def clean_organization(self) -> str:
        text = self.cleaned_data["organization"]
        self._found = find_partners(text)
        if not self._found:
            raise forms.ValidationError("No organisation in the directory is called that. Check the name.")
        if len(self._found) > 1:
            raise forms.ValidationError("Several are called so: " + "; ".join(list(self._found.values())[:5]) + ". Write the whole name.")
        return text

    def organization_id(self) -> UUID | None:
        return UUID(next(iter(self._found))) if self._found else None


class SheetForm(forms.Form):
    """A spreadsheet that somebody sends back."""

    file = forms.FileField(
        label="The spreadsheet", help_text="An Excel workbook (.xlsx) of up to 5 MB.",
        error_messages={"required": "Choose a file.", "empty": "That file is empty. Choose another one."},
    )  # fmt: skip

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError("The file is too large: up to 5 MB can be read. Take out pictures, or split it.")
        return file
