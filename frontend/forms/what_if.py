"""Asking what would happen: what is different, for how long, and how places are chosen."""

from typing import Any, cast

from django import forms

from catalogue.models import User
from flow.models import Episode
from flow.simulation.policies import POLICIES
from flow.whatif import asking
from frontend.forms.directory import care_types

_CHOOSE = {"invalid_choice": "Choose from the list."}


def _number(label: str, *, low: int = 1, high: int = asking.MOST_DAYS, hint: str = "") -> forms.IntegerField:
    within = f"Use a whole number from {low} to {high}."
    return forms.IntegerField(
        label=label, required=False, min_value=low, max_value=high, help_text=hint, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": within, "min_value": within, "max_value": within},
    )  # fmt: skip


class WhatIfForm(forms.Form):
    """One question. Each part that is filled in is a change; the others are as they are today."""

    close_name = forms.CharField(
        label="Which service closes?", required=False, max_length=200,
        help_text="Its name, as the directory has it, or the number in the address of its page.",
        error_messages={"max_length": "Shorten the name to 200 letters or fewer."},
    )  # fmt: skip
    close_moved = forms.BooleanField(label="Everybody who lives there has to move at once", required=False)
    close_day = _number("On which day?", hint="Day 1 is today.")
    add_places = _number("How many places more?", high=asking.MOST_PLACES)
    add_kind = forms.ChoiceField(label="Of which kind?", required=False, error_messages=_CHOOSE)
    add_where = forms.CharField(
        label="Where?", required=False, max_length=10, help_text="A postcode or its first half, like PR1.",
        error_messages={"max_length": "That is not a postcode. Enter one like PR1 2HE, or its first half, like PR1."},
    )  # fmt: skip
    add_day = _number("From which day?", hint="Day 1 is today.")
    people_percent = _number(
        "By how many per cent more?", low=-100, high=asking.MOST_PERCENT, hint="15 for a hard winter; with a minus, fewer."
    )
    people_pathway = forms.ChoiceField(
        label="On which pathway?", required=False, choices=[("", "All pathways"), *Episode.Pathway.choices], error_messages=_CHOOSE
    )
    people_source = forms.ChoiceField(label="From which hospital?", required=False, error_messages=_CHOOSE)
    people_first = _number("From which day?", hint="Day 1 is today.")
    people_last = _number("Until which day?", hint="Empty: until the end.")
    strike_percent = _number("How many per cent of the work stand still?", high=100)
    strike_first = _number("From which day?", hint="Day 1 is today.")
    strike_last = _number("Until which day?")
    answers_percent = _number("By how many per cent faster?", high=95)
    answers_day = _number("From which day?", hint="Day 1 is today.")
    policies = forms.MultipleChoiceField(
        label="How are places chosen?", choices=[(each.code, each.name) for each in POLICIES.values()], widget=forms.CheckboxSelectMultiple,
        initial=["longest", "optimal"], help_text="Each is simulated with and without the change.",
        error_messages={"required": "Choose at least one way of choosing places.", "invalid_choice": "Choose from the list."},
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label="For how long?", coerce=int, choices=[(30, "30 days"), (60, "60 days"), (90, "90 days")], initial=60, error_messages=_CHOOSE
    )
    seeds = forms.TypedChoiceField(
        label="How many futures?", coerce=int, choices=[(5, "5: a first look"), (10, "10"), (20, "20: closer ranges")], initial=10,
        help_text="Chance is different in each, and the same with and without the change.", error_messages=_CHOOSE,
    )  # fmt: skip
    name = forms.CharField(
        label="Name of the question", required=False, max_length=100, help_text="If you leave it empty, it is called by what changes.",
        error_messages={"max_length": "Shorten the name to 100 letters or fewer."},
    )  # fmt: skip

    #: The parts of the form: heading, and the fields of each; one that is filled in says that it is meant, and then the first is needed.
    PARTS = (
        ("A service closes", ("close_name", "close_moved", "close_day")),
        ("Places are added", ("add_places", "add_kind", "add_where", "add_day")),
        ("More or fewer people come", ("people_percent", "people_pathway", "people_source", "people_first", "people_last")),
        ("A strike", ("strike_percent", "strike_first", "strike_last")),
        ("Answers come faster", ("answers_percent", "answers_day")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["people_source"]).choices = [("", "All hospitals and teams"), *asking.hospitals()]
        cast(forms.ChoiceField, self.fields["add_kind"]).choices = [("", "Choose a kind"), *care_types()]

    def parts(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """Each part with its fields, and whether something in it is filled in or wrong."""
        return [
            (heading, [self[name] for name in names], any(self[name].value() or self[name].errors for name in names))
            for heading, names in self.PARTS
        ]

    def asked(self, by: User) -> list[asking.Asked]:
        """The changes that were filled in, checked. Raises Invalid with the field. The form must be valid."""
        sent = self.cleaned_data
        changes: list[asking.Asked] = []
        if sent["close_name"].strip() or sent["close_moved"] or sent["close_day"]:
            changes.append(asking.close(sent["close_name"], by=by, day=_from(sent["close_day"]), moved=sent["close_moved"]))
        if sent["add_places"] or sent["add_kind"] or sent["add_where"] or sent["add_day"]:
            changes.append(asking.add(sent["add_kind"], sent["add_places"] or 0, sent["add_where"], day=_from(sent["add_day"])))
        whom = {"pathway": sent["people_pathway"], "source": sent["people_source"]}
        if sent["people_percent"] is not None or any(whom.values()) or sent["people_first"] or sent["people_last"]:
            first, last = _from(sent["people_first"]), sent["people_last"] or asking.MOST_DAYS
            changes.append(asking.people(sent["people_percent"], first=first, last=last, **whom))
        if sent["strike_percent"] or sent["strike_first"] or sent["strike_last"]:
            changes.append(asking.strike(sent["strike_percent"] or 0, _from(sent["strike_first"]), sent["strike_last"] or 0))
        if sent["answers_percent"] or sent["answers_day"]:
            changes.append(asking.answers(sent["answers_percent"] or 0, day=_from(sent["answers_day"])))
        return changes


def _from(day: int | None) -> int:
    """People count days from 1, the simulation from 0."""
    return (day or 1) - 1
