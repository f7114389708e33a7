"""Sending one referral to the services that were chosen."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from capacity.queries import PoolState
from flow.models import PathwayVersion, Patient, Referral
from frontend.forms.pathway_questions import add_pathway, chosen, pathway_field


def without_hold(sent: QueryDict) -> QueryDict:
    """What was typed, without the wish to keep a place."""
    kept = sent.copy()
    kept.pop("hold", None)
    return kept


def moved(sent: QueryDict, pools: list[UUID]) -> list[UUID]:
    """The services in their order, after the press of a button that moves one up or down."""
    name, _, way = sent.get("move", "").partition(":")
    order = list(pools)
    place = next((number for number, pool in enumerate(order) if str(pool) == name), None)
    other = None if place is None else place - 1 if way == "up" else place + 1
    if place is not None and other is not None and 0 <= other < len(order):
        order[place], order[other] = order[other], order[place]
    return order


class PatientChoice(forms.ModelChoiceField):
    def label_from_instance(self, patient: Patient) -> str:
        return f"{patient.family_name}, {patient.given_name} (born {patient.birth_date:%-d %B %Y})"


class SendForm(forms.Form):
    """Who it is for, what to say, and that they agree. The places themselves are `pools`, chosen on the list."""

    patient = PatientChoice(
        label="Who is it for?",
        queryset=Patient.objects.none(),
        empty_label="Choose a person",
        error_messages={"required": "Choose the person whom the referral is for", "invalid_choice": "Choose a person of your organisation"},
    )
    pools = forms.TypedMultipleChoiceField(
        coerce=UUID,
        widget=forms.MultipleHiddenInput,
        error_messages={
            "required": "Choose at least one service",
            "invalid_choice": "One of these services is not in this list. Search again.",
        },
    )
    hold = forms.TypedChoiceField(
        label="Keep a place at one of them?",
        help_text="It is kept for 4 hours while the family decides, and counts as taken for everybody else.",
        coerce=UUID,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "There is no place left to keep at that service. Choose another, or only ask."},
    )
    urgency = forms.ChoiceField(
        label="How urgent?", choices=Referral.Urgency.choices, initial=Referral.Urgency.ROUTINE, widget=forms.RadioSelect
    )
    pathway = pathway_field("It asks its own questions and sets its own deadlines. Listed are those to which the services above belong.")
    reason = forms.CharField(
        label="What should the service know?",
        help_text="Read only by a service that has said yes.",
        required=False,
        max_length=4000,
        widget=forms.Textarea,
    )
    how = forms.ChoiceField(
        label="How should they be asked?",
        choices=[("together", "All at once"), ("order", "One after the other, in the order above")],
        initial="together",
        required=False,
        widget=forms.RadioSelect,
    )
    answer_hours = forms.IntegerField(
        label="Hours that each has to answer",
        help_text="If they are asked one after the other. Empty: 2 hours if urgent, 24 if routine.",
        required=False,
        min_value=1,
        max_value=336,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "Give whole hours from 1 to 336"),
    )
    keep_asked = forms.BooleanField(label="Who does not answer in time stays asked while the next is asked too", required=False)
    wanted = forms.IntegerField(
        label="How many services are wanted?",
        help_text="When so many have said yes, the others are told that it is settled.",
        initial=1,
        required=False,
        min_value=1,
        error_messages=dict.fromkeys(("invalid", "min_value"), "Give a whole number, 1 or more"),
    )
    parts_wanted = forms.IntegerField(
        label="How many of these are enough?",
        help_text="Empty: all are wanted. When so many have a yes, the others are withdrawn.",
        required=False,
        min_value=1,
        error_messages=dict.fromkeys(("invalid", "min_value"), "Give a whole number, 1 or more"),
    )
    even_so = forms.BooleanField(label="Ask even so those whose entries speak against this person", required=False)
    consent = forms.BooleanField(
        label="The person, or somebody who may decide for them, agrees to this referral",
        error_messages={"required": "Ask whether they agree, and tick the box when they do"},
    )

    def __init__(
        self,
        *args: Any,
        patients: QuerySet[Patient],
        states: list[PoolState],
        held: Collection[UUID] = (),
        versions: Collection[PathwayVersion] = (),
        version: PathwayVersion | None = None,
        **kwargs: Any,
    ) -> None:
        """`states` are the places that were chosen, as they stand now; at those in `held` one is kept for the person already. `versions`:
        pathways on which it may be sent; `version` is the one whose questions are asked.
        """
        super().__init__(*args, **kwargs)
        self.fields["patient"].queryset = patients  # type: ignore[attr-defined]
        self.fields["pools"].choices = [(state.id, state.service_name) for state in states]  # type: ignore[attr-defined]
        # A place asked for stays a choice when it has gone meanwhile: the operation says when it went, and what else is near.
        asked = self.data.get("hold") if self.is_bound else None
        free = [state for state in states if (state.can_be_held or str(state.id) == asked) and state.id not in held]
        keepable = [(state.id, f"{state.service_name}: {state.name}") for state in free]
        self.fields["hold"].choices = [("", "No, only ask"), *keepable]  # type: ignore[attr-defined]
        self.questions = add_pathway(self, versions, version)
        # What is wrong is told in the order in which it is asked.
        self.order_fields([name for name in self.fields if name not in ("even_so", "reason", "consent", *self.questions)] + self.questions)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("hold") and data["hold"] not in data.get("pools", []):
            self.add_error("hold", "A place can be kept only at a service that you send to")
        return data

    def asked(self) -> dict[str, Any]:
        """What `flow.packages.send` needs of what was typed."""
        data = self.cleaned_data
        return {
            "patient_id": data["patient"].pk,
            "pool_ids": data["pools"],
            "hold_pool_ids": [data["hold"]] if data["hold"] else [],
            "urgency": data["urgency"],
            "reason": data["reason"],
            "consent": data["consent"],
            "in_order": data["how"] == "order",
            "keep_asked": data["keep_asked"],
            "answer_within": timedelta(hours=data["answer_hours"]) if data["answer_hours"] else None,
            "wanted": data["wanted"] or 1,
            "parts_wanted": data["parts_wanted"],
            "even_so": data["even_so"],
            **chosen(self, self.questions),
        }
