"""What a phone kept while it had no network, and the keys of systems."""

from datetime import datetime, timedelta
from typing import Any

from django import forms

from capacity.models import ServiceCapacity
from core.errors import Invalid
from frontend.forms.places import ADVICE, PlaceForm

#: Older than this, nobody remembers what they saw.
OLDEST = timedelta(days=31)


class WaitingForm(PlaceForm):
    """One press that waited on a phone. `available` is the number that the press left on the screen, not a step from another."""

    version = forms.IntegerField(required=False)
    key = forms.CharField(min_length=8, max_length=64)
    made_at = forms.DateTimeField()
    sent_at = forms.DateTimeField()

    def seen(self, at: datetime) -> datetime:
        """When it was made, by our clock: so long before `at` as, by the phone's own, it was made before it was sent."""
        waited = max(timedelta(0), self.cleaned_data["sent_at"] - self.cleaned_data["made_at"])
        if waited > OLDEST:
            raise Invalid("This was made more than a month ago. Look again, and say what is free now.")
        return at - waited

    def changes(self, pool: ServiceCapacity) -> dict[str, Any]:
        """As of the form of a card; the quick buttons tell the number that they left on the screen."""
        if not self.is_valid():
            raise Invalid(ADVICE.get(next(iter(self.errors)), ADVICE["version"]))
        sent = self.cleaned_data
        if sent["action"] == "set":
            return self._written()
        return {} if sent["available"] is None else {"available": sent["available"]}


class KeyForm(forms.Form):
    """A new key for a system."""

    name = forms.CharField(
        label="Which system is it for?", help_text="For example “Care records at Fir Grove”.", max_length=80,
        error_messages={"required": "Say which system the key is for."},
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label="How long is it good?", coerce=int, initial=365,
        choices=[(30, "30 days"), (90, "90 days"), (365, "A year")], widget=forms.RadioSelect,
        help_text="Make the next one before it ends: both work until then.",
    )  # fmt: skip
