"""What a service is called, what it offers, and how to reach it."""

from typing import Any, cast

from django import forms

from catalogue.entry.partners import find_partners, partner_names
from catalogue.models import Service
from catalogue.queries import terms_in_use

from .part import PartForm, RowForm


class PhoneRow(RowForm):
    title = "Phone number"

    number = forms.CharField(
        label="Number", max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel", "spellcheck": "false"})
    )
    description = forms.CharField(label="What it is for, if there are several", max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("description") and not sent.get("number"):
            self.add_error("number", "Write the phone number, or remove this row.")
        return sent


class BasicsForm(PartForm):
    name = forms.CharField(label="Name of the service", max_length=255, error_messages={"required": "Say what the service is called."})
    alternate_name = forms.CharField(label="Another name that people know it by", max_length=255, required=False)
    care_type = forms.ChoiceField(label="Kind of service", error_messages={"required": "Choose the kind of service."})
    description = forms.CharField(
        label="What it offers",
        help_text="In plain words, for somebody who has never heard of you. No names or phone numbers of people.",
        max_length=5_000,
        required=False,
        widget=forms.Textarea(attrs={"maxlength": 5_000}),
    )
    status = forms.ChoiceField(label="State", choices=Service.Status.choices, widget=forms.RadioSelect)
    email = forms.EmailField(
        label="E-mail",
        required=False,
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
        error_messages={"invalid": "Write an e-mail address like name@example.org."},
    )
    url = forms.URLField(
        label="Website",
        help_text="Such as https://example.org",
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
        error_messages={"invalid": "Write a web address like https://example.org."},
    )
    partners = forms.MultipleChoiceField(
        label="Delivered together with",
        help_text="Untick one that no longer takes part.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    add_partner = forms.CharField(
        label="Add an organisation that delivers it with you",
        help_text="Its name as it stands in the directory. Leave this empty if you deliver it alone.",
        max_length=255,
        required=False,
    )
    is_confidential = forms.BooleanField(label="Its place is secret: a refuge, for example", required=False)
    is_internal = forms.BooleanField(label="For professionals only: never shown to the public", required=False)

    ROWS = {"phones": PhoneRow}

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        kinds = [(term.code, term.name) for term in terms_in_use("care-type")]
        cast(forms.ChoiceField, self.fields["care_type"]).choices = [("", "Choose one"), *kinds]
        said = [*self.shown["partners"], *(data.getlist("partners") if data is not None else [])]
        cast(forms.ChoiceField, self.fields["partners"]).choices = list(partner_names(said).items())
        if not (self.user.is_curator or self.user.is_administrator):
            del self.fields["is_confidential"], self.fields["is_internal"]
            if not self.new:
                self.fields["care_type"].help_text = "A curator of the directory looks at a change of kind before it is shown."

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if text := sent.get("add_partner"):
            found = find_partners(text)
            if len(found) == 1:
                sent["partners"] = [*sent.get("partners", []), *found]
            else:
                several = "Several organisations are called so: " + "; ".join(list(found.values())[:5]) + ". Write the whole name."
                self.add_error("add_partner", several if found else "No organisation in the directory is called that. Check the name.")
        return sent

    def values(self) -> dict[str, Any]:
        sent = self.cleaned_data
        phones = [{"number": row["number"], "description": row["description"]} for row in self.said("phones")]
        return super().values() | {
            "phones": phones,
            "partners": [*set(sent["partners"])],
        }
