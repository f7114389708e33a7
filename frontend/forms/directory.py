"""Searching the directory. All of it is in the address, so that a search can be shared."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.core.cache import cache

from catalogue import places, queries
from catalogue.assurance import LONGEST_WORDS
from catalogue.models import Service
from catalogue.models.taxonomy import CARE_TYPE, LANGUAGE, NEED
from catalogue.places import Where
from catalogue.search import DAYS, KEEP_SECONDS, PARTS_OF_DAY
from core.errors import Invalid
from core.geo import METRES_PER_MILE

MILES = (("2", "2 miles"), ("5", "5 miles"), ("15", "15 miles"), ("30", "30 miles"), ("60", "60 miles"))
#: How far people are taken to go when they name a place and no distance.
USUAL_MILES = "10"
#: Needs under this heading are about getting to a service and into it.
ACCESS = "Access"
Groups = list[tuple[str, list[tuple[str, str]]]]


def by_heading(slugs: Iterable[str]) -> dict[str, Groups]:
    """Terms in use of each of these taxonomies under their headings, in the order of the vocabulary, as Django's grouped choices."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {slug: {} for slug in slugs}
    for term in queries.terms_in_use().filter(taxonomy__slug__in=list(found)):
        found[term.taxonomy.slug].setdefault(term.group or "Other", []).append((term.code, term.name))
    return {slug: list(groups.items()) for slug, groups in found.items()}


def care_types() -> Groups:
    """Kinds of care under their headings."""
    return by_heading([CARE_TYPE])[CARE_TYPE]


class SearchForm(forms.Form):
    """Where somebody is, and which words of the vocabulary they may choose. What several pages of the directory search by."""

    where = forms.CharField(label="Postcode or place", required=False, max_length=60)
    miles = forms.ChoiceField(
        label="How far", required=False, choices=(("", f"Up to {USUAL_MILES} miles"), *MILES, ("any", "Any distance"))
    )
    area = forms.CharField(widget=forms.HiddenInput, required=False, max_length=9)
    care_type = forms.ChoiceField(label="Kind of service", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.terms = cache.get_or_set("directory-terms", lambda: by_heading([CARE_TYPE, NEED, LANGUAGE]), KEEP_SECONDS) or {}
        self.groups = self.terms[CARE_TYPE]
        cast(forms.ChoiceField, self.fields["care_type"]).choices = self.groups

    def clean_where(self) -> Where | None:
        text = self.cleaned_data["where"].strip()
        try:
            return places.find_where(text) if text else None
        except Invalid as error:
            raise forms.ValidationError(error.message) from None

    @property
    def place(self) -> Where | None:
        """The place asked for, by name or by the code of an area; None when none was, or none that is known."""
        if where := self.cleaned_data.get("where"):
            return where
        area = places.area_by_code(self.cleaned_data.get("area", ""))
        return places.in_area(area) if area else None

    @property
    def within_m(self) -> float | None:
        """How far from the place; None with an area, or for any distance."""
        asked = self.cleaned_data.get("miles") or USUAL_MILES
        place = self.place
        return None if place is None or place.area or asked == "any" else float(asked) * METRES_PER_MILE


class DirectoryForm(SearchForm):
    """What somebody looks for. A mistake in one box is told beside it; the other boxes still count."""

    q = forms.CharField(label="What do you need?", required=False, max_length=100)
    need = forms.ChoiceField(label="Can help with", required=False)
    day = forms.MultipleChoiceField(label="Open on", required=False, choices=list(DAYS.items()), widget=forms.CheckboxSelectMultiple)
    part_of_day = forms.ChoiceField(label="Time of day", required=False, choices=(("", "Any time"), *PARTS_OF_DAY.items()))
    age = forms.IntegerField(label="Age of the person", required=False, min_value=0, max_value=120)
    free = forms.BooleanField(label="Free only", required=False)
    self_referral = forms.BooleanField(label="You can contact them yourself", required=False)
    access = forms.MultipleChoiceField(label="Getting there", required=False, widget=forms.CheckboxSelectMultiple)
    language = forms.ChoiceField(label="Language", required=False)
    online = forms.ChoiceField(
        label="Online services and apps",
        required=False,
        choices=(("", "Show all"), ("only", "Only online services"), ("not", "Only places to visit or visits at home")),
    )
    source = forms.CharField(widget=forms.HiddenInput, required=False, max_length=100)
    status = forms.ChoiceField(label="State of the record", required=False, choices=(("", "Any"), *Service.Status.choices))
    field_order = ("q", "where", "miles", "care_type")

    #: What stands behind "More choices", in its order.
    MORE = ("need", "age", "language", "part_of_day", "day", "access", "free", "self_referral", "online", "status")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        needs = [(group, choices) for group, choices in self.terms[NEED] if group != ACCESS]
        access = [choice for group, choices in self.terms[NEED] if group == ACCESS for choice in choices]
        languages = [choice for _, choices in self.terms[LANGUAGE] for choice in choices]
        self.need_groups = needs
        for name, choices in (("need", needs), ("access", access), ("language", [("", "Any language"), *languages])):
            cast(forms.ChoiceField, self.fields[name]).choices = choices
        if not (user.is_authenticated and (user.is_curator or user.is_administrator)):
            del self.fields["status"]  # everybody else sees active services only

    @property
    def more_is_open(self) -> bool:
        """Whether something behind "More choices" is chosen, or wrong."""
        return any(self.cleaned_data.get(name) not in (None, "", [], False) or name in self.errors for name in self.MORE)

    def search(self) -> dict[str, Any]:
        """Arguments for `catalogue.queries.search_services`; what could not be understood is left out."""
        self.is_valid()
        found = self.cleaned_data
        place = self.place
        return {
            "text": found.get("q", ""),
            "care_type": found.get("care_type", ""),
            "status": found.get("status", ""),
            "source": found.get("source", ""),
            "near": place.point if place else None,
            "within_m": self.within_m,
            "area": place.area if place else None,
            "needs": [*([found["need"]] if found.get("need") else []), *found.get("access", [])],
            "days": found.get("day", []),
            "part_of_day": found.get("part_of_day", ""),
            "age": found.get("age"),
            "free": found.get("free", False),
            "self_referral": found.get("self_referral", False),
            "languages": [found["language"]] if found.get("language") else [],
            "online": {"only": True, "not": False}.get(found.get("online", "")),
        }


class MistakeForm(forms.Form):
    """One step to say that an entry is wrong. `website` is seen by no person: what fills it in is a program."""

    what = forms.ChoiceField(
        label="What is wrong?",
        required=False,
        choices=[
            ("", "Choose, if you like"),
            ("phone", "Phone or e-mail"),
            ("times", "Days or times"),
            ("address", "Address"),
            ("cost", "Cost"),
            ("who", "Who it is for"),
            ("closed", "It has closed"),
            ("other", "Something else"),
        ],
    )
    words = forms.CharField(label="Tell us more", required=False, max_length=LONGEST_WORDS, widget=forms.Textarea)
    reply_to = forms.EmailField(
        label="Your e-mail address", required=False, help_text="Only if you would like an answer. We use it for nothing else."
    )
    website = forms.CharField(label="Leave this empty", required=False)
