"""Sending to a hub: which one, how urgent, and the questions of a pathway."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from flow.models import Hub, PathwayVersion, Referral
from frontend.forms.pathway_questions import add_questions, typed


def chosen_version(versions: QuerySet[PathwayVersion], named: str) -> PathwayVersion | None:
    """The version that an address or a form names of those that one may choose: by its own id, or the newest of a pathway by its code."""
    found = versions.select_related("pathway").order_by("-number")
    try:
        return found.filter(pk=UUID(named)).first()
    except ValueError:
        return found.filter(pathway__code=named).first() if named else None


class HubChoice(forms.ModelChoiceField):
    def label_from_instance(self, hub: Hub) -> str:
        return f"{hub.name}{f': {hub.about}' if hub.about else ''}"


class HubForm(forms.Form):
    """The questions of the pathway's version stand between; what is typed freely never reaches a service before it says yes."""

    hub = HubChoice(
        label="Which hub?",
        queryset=Hub.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a hub", "invalid_choice": "Choose one of the hubs that cover where the person lives"},
    )
    urgency = forms.ChoiceField(
        label="How urgent?", choices=Referral.Urgency.choices, initial=Referral.Urgency.ROUTINE, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label="What should the hub know?",
        help_text="Read by the hub, and by a service that has said yes.",
        required=False,
        max_length=4000,
        widget=forms.Textarea,
    )
    consent = forms.BooleanField(
        label="The person, or somebody who may decide for them, agrees to this referral",
        error_messages={"required": "Ask whether they agree, and tick the box when they do"},
    )

    def __init__(self, *args: Any, hubs: QuerySet[Hub], version: PathwayVersion | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if version is not None:
            covering = [hub.pk for hub in hubs.prefetch_related("pathways") if _takes(hub, version)]
            hubs = hubs.filter(pk__in=covering)
        self.fields["hub"].queryset = hubs  # type: ignore[attr-defined]
        if len(known := list(hubs[:2])) == 1:
            self.initial.setdefault("hub", known[0].pk)
        self.asked = add_questions(self, version)
        self.order_fields(self.asked)  # they are asked first, and what is wrong is told in that order

    def typed(self) -> dict[str, str]:
        """The answers by the question's key."""
        return typed(self, self.asked)


def _takes(hub: Hub, version: PathwayVersion) -> bool:
    covered = {pathway.pk for pathway in hub.pathways.all()}
    return not covered or version.pathway_id in covered
