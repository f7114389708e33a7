"""Searching the directory. All of it is in the address, so that a search can be shared."""

from typing import Any, cast

from django import forms
from django.contrib.gis.geos import Point

from catalogue import queries
from catalogue.models import Service, TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE
from core.errors import Invalid
from core.geo import METRES_PER_MILE

MILES = (("2", "2 miles"), ("5", "5 miles"), ("10", "10 miles"), ("15", "15 miles"), ("30", "30 miles"), ("60", "60 miles"))


def care_types() -> list[tuple[str, list[tuple[str, str]]]]:
    """Kinds of care under their headings, in the order of the vocabulary, as Django's grouped choices."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for term in TaxonomyTerm.objects.of(CARE_TYPE).filter(retired_at=None):
        groups.setdefault(term.group or "Other", []).append((term.code, term.name))
    return list(groups.items())


class DirectoryForm(forms.Form):
    """What somebody looks for. A mistake in one box is told beside it; the other boxes still count."""

    q = forms.CharField(label="Name or need", required=False, max_length=100)
    care_type = forms.ChoiceField(label="Kind of service", required=False)
    where = forms.CharField(label="Near this postcode", required=False, max_length=10)
    miles = forms.ChoiceField(label="Within", required=False, choices=(("", "Any distance"), *MILES))
    status = forms.ChoiceField(label="State of the record", required=False, choices=(("", "Any"), *Service.Status.choices))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = care_types()
        cast(forms.ChoiceField, self.fields["care_type"]).choices = self.groups
        if not (user.is_authenticated and (user.is_curator or user.is_administrator)):
            del self.fields["status"]  # everybody else sees active services only

    def clean_where(self) -> Point | None:
        text = self.cleaned_data["where"]
        if not text:
            return None
        try:
            return queries.find_place(text).point
        except Invalid as error:
            raise forms.ValidationError(error.message) from None

    def search(self) -> dict[str, Any]:
        """Arguments for `catalogue.queries.search_services`; what could not be understood is left out."""
        self.is_valid()
        found = self.cleaned_data
        near = found.get("where")
        return {
            "text": found.get("q", ""),
            "care_type": found.get("care_type", ""),
            "status": found.get("status", ""),
            "near": near,
            "within_m": float(found["miles"]) * METRES_PER_MILE if near and found.get("miles") else None,
        }
