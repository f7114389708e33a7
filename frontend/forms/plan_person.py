"""What a plan must know of somebody: with whom they stay together, and whether they are kept apart."""

from django import forms

from capacity.models import Infection
from flow.models import Relationship


class TogetherForm(forms.Form):
    """Somebody else of the same organisation who is to be at the same place."""

    other = forms.CharField(
        label="NHS number or full name of the other person", max_length=200,
        help_text="They must be in your organisation’s records.",
        error_messages={"required": "Enter the NHS number or the full name of the other person"},
    )  # fmt: skip
    kind = forms.ChoiceField(
        label="Why do they stay together?", choices=Relationship.Kind.choices, widget=forms.RadioSelect,
        error_messages={"required": "Choose why they stay together"},
    )  # fmt: skip


class ApartForm(forms.Form):
    """An infection for which somebody has a room of their own, or shares one only with others who have it."""

    infection = forms.ChoiceField(label="Infection", choices=Infection.choices, required=False, help_text="Only your own team sees this.")
