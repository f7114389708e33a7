"""What somebody needs: the search form."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.functional import cached_property

from catalogue.criteria import condition_terms
from catalogue.lexicon import Lexicon, Word
from catalogue.marks import WISHES as WISHES_FOR_MARKS
from catalogue.models import TaxonomyTerm
from core.geo import METRES_PER_MILE, outcode
from flow.models import Episode, Patient
from matching.models import NeedProfile, Pathway

#: Groups of the need vocabulary that only raise the score; the others must be met.
WISHES = ("Preferences", "Interests")
HOW_FAR = [(3, "3 miles"), (5, "5 miles"), (10, "10 miles"), (15, "15 miles"), (25, "25 miles"), (50, "50 miles")]
HOW_LONG = [(10, "10 minutes"), (20, "20 minutes"), (30, "30 minutes"), (45, "45 minutes"), (60, "1 hour"), (90, "1½ hours")]
#: Days and parts of the day, by the codes of `matching.engine.times`.
TIMES = [
    ("MO", "Mondays"), ("TU", "Tuesdays"), ("WE", "Wednesdays"), ("TH", "Thursdays"), ("FR", "Fridays"), ("SA", "Saturdays"),
    ("SU", "Sundays"), ("morning", "In the morning"), ("afternoon", "In the afternoon"), ("evening", "In the evening"),
]  # fmt: skip
HOW_SOON = [("", "No date yet"), ("0", "Today or tomorrow"), ("3", "Within 3 days"), ("7", "Within a week"), ("28", "Within 4 weeks")]
#: What each discharge pathway usually asks for: ticked for the user to change.
USUAL_CARE: dict[str, list[str]] = {
    Episode.Pathway.P1: ["home-care", "reablement"],
    Episode.Pathway.P2: ["community-bed", "home-transitional"],
    Episode.Pathway.P3: ["home-general-residential", "home-general-nursing"],
}


#: Fields whose answers are terms, and the list that each is from.
TERMS = {
    "care_types": "care-type", "needs": "need", "must_haves": "need", "preferences": "need", "funding": "funding", "languages": "language",
    "referral_source": "referral-source",
}  # fmt: skip


def _tick_boxes(label: str, **extra: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=label, widget=forms.CheckboxSelectMultiple, required=extra.pop("required", False), **extra)


class NeedForm(forms.Form):
    """One page of three steps, in the order in which a professional thinks: who and where, what, what it must do and who pays."""

    age = forms.IntegerField(
        label="Age",
        min_value=0,
        max_value=125,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={
            "required": "Enter the age in years",
            "invalid": "Enter the age as a number of years, like 84",
            "min_value": "Enter an age from 0 to 125",
            "max_value": "Enter an age from 0 to 125",
        },
    )
    sex = forms.ChoiceField(label="Sex", choices=NeedProfile.Sex.choices, initial=NeedProfile.Sex.UNKNOWN, required=False)
    postcode = forms.CharField(
        label="Postcode",
        help_text="Of home, or of the family who will visit. The first half is enough.",
        max_length=10,
        error_messages={"required": "Enter a postcode, or its first half"},
    )
    care_types = _tick_boxes("What kind of service?", required=True, error_messages={"required": "Choose at least one kind of service"})
    needs = _tick_boxes("What do they need or live with?")
    must_haves = _tick_boxes("Must be confirmed")
    preferences = _tick_boxes("What would they like?")
    miles = forms.TypedChoiceField(label="How far, at most?", choices=HOW_FAR, coerce=int, initial=15)
    minutes = forms.TypedChoiceField(
        label="How long may the journey take?",
        choices=[("", "Any length"), *HOW_LONG],
        coerce=int,
        empty_value=None,
        required=False,
    )
    within = forms.ChoiceField(label="How soon?", choices=HOW_SOON, required=False)
    drives = forms.TypedChoiceField(
        label="Can they drive, or be driven?",
        choices=[("", "Not known"), ("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes",
        empty_value=None,
        required=False,
    )
    funding = _tick_boxes("Who pays?")
    budget_week = forms.DecimalField(
        label="At most, in pounds a week",
        min_value=0,
        max_digits=8,
        decimal_places=2,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": "Enter the budget as a number of pounds, like 950", "min_value": "A budget cannot be less than nothing"},
    )
    languages = _tick_boxes("Which languages do they need?")
    all_wanted = forms.TypedChoiceField(
        label="If you chose more than one kind",
        choices=[("", "Any one of these will do"), ("yes", "All of these are wanted: suggest a package")],
        coerce=lambda value: value == "yes",
        required=False,
        widget=forms.RadioSelect,
    )
    activation_level = forms.TypedChoiceField(
        label="Activation level",
        help_text="Of the Patient Activation Measure, if it is known: only the level. At 1 or 2, help with the first step is suggested.",
        choices=[("", "Not known"), ("1", "1"), ("2", "2"), ("3", "3"), ("4", "4")],
        coerce=int,
        empty_value=None,
        required=False,
    )
    carried_only = forms.BooleanField(
        label="Only services that say they take people with one of these", required=False, help_text="As a guideline asks."
    )
    conditions = forms.MultipleChoiceField(
        label="Diagnoses and guidelines",
        choices=lambda: [(term.code, term.name) for term in condition_terms()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    practice = forms.CharField(
        label="GP practice",
        help_text="Its name or its code, like P81001. Some services take only people of certain practices.",
        max_length=200,
        required=False,
    )
    referral_source = forms.ChoiceField(
        label="Who refers?",
        help_text="Services that do not take referrals from them are left out.",
        required=False,
    )
    pathway = forms.ChoiceField(
        label="Pathway",
        help_text="Decides what counts for how much in the ranking.",
        choices=[("", "Not said"), *Pathway.choices],
        required=False,
    )
    times = forms.MultipleChoiceField(
        label="When would it suit?",
        help_text="A service that is open then moves up. None is left out for want of it.",
        choices=TIMES,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    marks = forms.MultipleChoiceField(
        label="Marks of quality",
        help_text="A service that has them moves up. None is left out for want of one.",
        choices=WISHES_FOR_MARKS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lexicon = Lexicon.read()
        for name, slug in TERMS.items():
            choices = self.lexicon.choices(slug)
            cast(forms.ChoiceField, self.fields[name]).choices = choices if name != "referral_source" else [("", "Not said"), *choices]
            if isinstance(said := self.initial.get(name), list):
                # An earlier search may have ticked a term that was merged since.
                self.initial[name] = [self.lexicon.kept(slug, code) for code in said]
        # Of these the page shows all choices: those that no curator has retired, and what was ticked before.
        for name in ("funding", "languages", "referral_source"):
            field, ticked = cast(forms.ChoiceField, self.fields[name]), self[name].value() or ()
            offered = {"", *(word.code for word in self.lexicon.offered(TERMS[name])), *([ticked] if isinstance(ticked, str) else ticked)}
            field.choices = [choice for choice in cast(list[tuple[str, str]], field.choices) if choice[0] in offered]

    def clean_postcode(self) -> str:
        text = self.cleaned_data["postcode"]
        if outcode(text) is None:
            raise forms.ValidationError("Enter a postcode like PR1 2HE, or its first half, like PR1")
        return text

    def clean(self) -> dict[str, Any]:
        """What must be confirmed is also needed, whether or not both were ticked."""
        data = super().clean() or {}
        data["needs"] = list(dict.fromkeys([*data.get("needs", []), *data.get("must_haves", [])]))
        return data

    def need(self, today: date) -> dict[str, Any]:
        """What `matching.operations.profile_from` stores. `today` is the day from which “within 3 days” counts."""
        data = dict(self.cleaned_data)
        within, miles, minutes = data.pop("within"), data.pop("miles"), data.pop("minutes")
        return data | {"max_miles": miles, "max_minutes": minutes, "needed_by": today + timedelta(days=int(within)) if within else None}

    @property
    def known(self) -> list[str]:
        """What the record says of the person, in words; empty when nothing does, or when one of it was not understood."""
        names = ("age", "sex", "postcode")
        if not self.initial.get("from_record") or any(self.errors.get(name) for name in names):
            return []
        age, sex, postcode = (self[name].value() for name in names)
        told = dict(NeedProfile.Sex.choices).get(sex, "")
        return [f"{age} years old", "sex not known" if sex == NeedProfile.Sex.UNKNOWN else str(told).lower(), str(postcode)]

    @staticmethod
    def grouped(words: Iterable[Word]) -> list[tuple[str, list[Word]]]:
        """Terms under their headings, both in the order of the vocabulary."""
        groups: dict[str, list[Word]] = {}
        for word in words:
            groups.setdefault(word.group or "Others", []).append(word)
        return list(groups.items())

    @cached_property
    def condition_groups(self) -> list[tuple[str, list[TaxonomyTerm]]]:
        """Diagnoses and guidelines under their headings."""
        groups: dict[str, list[TaxonomyTerm]] = {}
        for term in condition_terms():
            groups.setdefault(term.group or "Others", []).append(term)
        return list(groups.items())

    @property
    def care_groups(self) -> list[tuple[str, list[Word]]]:
        return self.grouped(self.lexicon.offered("care-type"))

    @property
    def need_groups(self) -> list[tuple[str, list[Word]]]:
        return self.grouped(word for word in self.lexicon.offered("need") if word.group not in WISHES)

    @property
    def wish_groups(self) -> list[tuple[str, list[Word]]]:
        return self.grouped(word for word in self.lexicon.offered("need") if word.group in WISHES)


def initial_from_patient(patient: Patient, episode: Episode | None) -> dict[str, Any]:
    """What is already known of the person, so that nobody types it twice."""
    initial: dict[str, Any] = {
        "age": patient.age_on(timezone.localdate()),
        "sex": patient.sex,
        "postcode": patient.postcode,
        "languages": [patient.preferred_language] if patient.preferred_language != "en" else [],
    }
    if episode is not None:
        initial["care_types"] = USUAL_CARE.get(episode.discharge_pathway, [])
        initial["pathway"] = episode.discharge_pathway
        if episode.ready_at is not None:
            initial["within"] = "0"
    return initial


def initial_from_profile(profile: NeedProfile) -> dict[str, Any]:
    """An earlier search, to be changed and run again."""
    names = [
        *("age", "sex", "care_types", "needs", "must_haves", "preferences", "languages", "funding", "budget_week"),
        *("conditions", "carried_only", "practice", "referral_source", "marks", "times", "pathway"),
    ]
    initial = {name: getattr(profile, name) for name in names}
    wanted = round(profile.max_distance_m / METRES_PER_MILE)
    initial |= {
        "postcode": profile.outcode,
        "miles": _nearest([value for value, _ in HOW_FAR], wanted),
        "minutes": _nearest([value for value, _ in HOW_LONG], profile.max_minutes) if profile.max_minutes else "",
        "drives": {True: "yes", False: "no", None: ""}[profile.drives],
        "activation_level": str(profile.activation_level or ""),
        "all_wanted": "yes" if profile.all_wanted else "",
    }
    if profile.needed_by is not None:
        days = (profile.needed_by - timezone.localdate()).days
        initial["within"] = next((value for value, _ in HOW_SOON if value and int(value) >= days), "")
    return initial


def _nearest(offered: list[int], wanted: int) -> int:
    return min(offered, key=lambda value: abs(value - wanted))
