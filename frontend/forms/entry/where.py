"""Where a service is: one place or several."""

from typing import Any
from uuid import uuid4

from django import forms

from catalogue.entry.content import Content
from catalogue.entry.places import PLACE
from core.geo import normal_postcode

from .part import PartForm, RowForm


class PlaceRow(RowForm):
    title = "Place"

    id = forms.CharField(required=False, max_length=36, widget=forms.HiddenInput)
    name = forms.CharField(label="Name of the building, if it has one", max_length=255, required=False)
    address_1 = forms.CharField(label="Building and street", max_length=255, required=False)
    city = forms.CharField(label="Town", max_length=100, required=False)
    postal_code = forms.CharField(label="Postcode", max_length=10, required=False)
    description = forms.CharField(
        label="Anything special about this place", help_text="Such as: upstairs; ring the side door.", max_length=2_000, required=False
    )

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not self.wanted() or self.data.get(self.add_prefix("DELETE")) or not self.has_changed():
            return sent
        missing = {"address_1": "the building and street", "city": "the town", "postal_code": "the postcode"}
        for name, what in missing.items():
            if not sent.get(name) and name not in self.errors:
                self.add_error(name, f"Write {what}{', or tick “Remove”' if self.initial else ', or leave the whole row empty'}.")
        if sent.get("postal_code"):
            sent["postal_code"] = normal_postcode(sent["postal_code"]) or sent["postal_code"]
            if not normal_postcode(sent["postal_code"]):
                self.add_error("postal_code", "Write the whole postcode, like PR1 2HE.")
        return sent


class WhereForm(PartForm):
    ROWS = {"places": PlaceRow}

    def first_rows(self, name: str, shown: Content) -> list[dict[str, Any]]:
        return [] if self.secret else super().first_rows(name, shown)

    def values(self) -> dict[str, Any]:
        if self.secret:
            return {}
        known = {row["id"] for row in self.shown["places"]}
        # A new place has its id from the beginning, so that its contacts can name it.
        rows = [{name: row[name] for name in PLACE} | {"id": row["id"] if row["id"] in known else str(uuid4())} for row in self._once()]
        return {"places": rows}

    def _once(self) -> list[dict[str, Any]]:
        """The rows, each id but once."""
        rows = {row["id"] or str(number): row for number, row in enumerate(self.said("places"))}
        return list(rows.values())
