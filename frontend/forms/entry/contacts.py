"""Whom to ask for: named people and desks, of the whole service or of one of its places."""

import re
from typing import Any, cast

from django import forms

from catalogue.entry.places import CONTACT, place_words

from .part import PartForm, RowForm

#: So many numbers of one contact.
MOST_PHONES = 5


class ContactRow(RowForm):
    title = "Contact"

    name = forms.CharField(label="Name", help_text="Of a person or a desk, such as: Referrals desk.", max_length=200, required=False)
    title_of = forms.CharField(label="Role", help_text="Such as: coordinator.", max_length=200, required=False)
    phones = forms.CharField(
        label="Phone numbers",
        help_text="Several with commas between them.",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    email = forms.EmailField(
        label="E-mail",
        required=False,
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
        error_messages={"invalid": "Write an e-mail address like name@example.org."},
    )
    place = forms.ChoiceField(label="Where", required=False)
    is_public = forms.BooleanField(label="Show this to everybody, also in the open data", required=False)

    def wanted(self) -> bool:
        return any(self.cleaned_data.get(name) for name in ("name", "title_of", "phones", "email"))

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        numbers = [part.strip() for part in re.split("[,;]", sent.get("phones", "")) if part.strip()]
        if len(numbers) > MOST_PHONES or any(len(number) > 40 or not re.search(r"\d", number) for number in numbers):
            self.add_error("phones", f"Write up to {MOST_PHONES} phone numbers with commas between them.")
        sent["phones"] = numbers
        if (sent.get("place") or sent.get("is_public")) and not self.wanted() and not self.errors:
            self.add_error("name", "Write a name, a role, a phone number or an e-mail address.")
        return sent


class ContactsForm(PartForm):
    ROWS = {"contacts": ContactRow}

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        places = [(row["id"], place_words(row)) for row in self.shown["places"]]
        for row in self.rows["contacts"]:
            cast(forms.ChoiceField, row.fields["place"]).choices = [("", "All of the service"), *places]

    def first_rows(self, name: str, shown: Any) -> list[dict[str, Any]]:
        return [row | {"title_of": row["title"], "phones": ", ".join(row["phones"])} for row in shown[name]]

    def values(self) -> dict[str, Any]:
        rows = [row | {"title": row["title_of"]} for row in self.said("contacts")]
        return {"contacts": [{name: row[name] for name in CONTACT} for row in rows]}
