"""What a provider says about one pool of places: by one tap, or by the whole form."""

from typing import Any

from django import forms

from capacity.models import CapacityStatus, ServiceCapacity
from core.errors import Invalid

#: What to tell somebody whose press on a card could not be understood.
ADVICE = {
    "available": "Write the number of empty places in figures, for example 3.",
    "maximum": "Write the total number of places in figures, or leave it empty.",
    "status": "Choose whether you are taking people.",
    "note": "Keep the note to 200 characters.",
    "action": "Press one of the buttons on the card.",
    "version": "This page is incomplete. Load it again, then press the button again.",
}


#: What somebody writes or chooses in the whole form.
WRITTEN = ("available", "maximum", "status", "note")


class PlaceForm(forms.Form):
    """One button press on one card. `version` is the figure that the person was looking at when they pressed."""

    version = forms.IntegerField(min_value=1)
    action = forms.ChoiceField(choices=[(name, name) for name in ("less", "more", "full", "same", "set")])
    available = forms.IntegerField(min_value=0, max_value=9_999, required=False)
    maximum = forms.IntegerField(min_value=0, max_value=9_999, required=False)
    status = forms.ChoiceField(choices=CapacityStatus.choices, required=False)
    note = forms.CharField(max_length=200, required=False)

    def typed(self) -> dict[str, str]:
        """What was written into the whole form; nothing when one of the quick buttons was pressed."""
        return {name: self.data.get(name, "") for name in WRITTEN} if self.data.get("action") == "set" else {}

    def changes(self, pool: ServiceCapacity) -> dict[str, Any]:
        """What to hand to `capacity.operations.report`, given the pool as it stands. Raises Invalid with words for the person.

        “Same” renews the time and nothing else.
        """
        if not self.is_valid():
            raise Invalid(ADVICE[next(iter(self.errors))])
        sent = self.cleaned_data
        match sent["action"]:
            case "less":
                return {"available": max(0, (pool.available or 0) - 1)}
            case "more":
                return {"available": (pool.available or 0) + 1}
            case "full":
                return {"available": 0}
            case "set":
                if not sent["status"]:
                    raise Invalid(ADVICE["status"])
                return {name: sent[name] for name in WRITTEN}
            case _:
                return {}
