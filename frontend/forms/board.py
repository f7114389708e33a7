"""What a board shows. All of it is in the address, so that a screen is set up once."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from capacity.models import ServiceCapacity
from catalogue import places
from catalogue.models import Organization
from frontend.forms.directory import care_types
from frontend.presenters.dashboard import GROUP

LOOKS = (("", "As the screen is set"), ("light", "Dark letters on light"), ("dark", "Light letters on dark"))


class BoardForm(forms.Form):
    """An area, a kind of care and a provider, each optional. A value that is not known counts as not said."""

    area = forms.ChoiceField(label="Area", required=False)
    kind = forms.ChoiceField(label="Kind of service", required=False)
    provider = forms.UUIDField(required=False, widget=forms.HiddenInput)
    look = forms.ChoiceField(label="Look", required=False, choices=LOOKS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.areas = [("", "Everywhere"), *places.districts().values_list("code", "name")]
        self.groups = [(group, [(GROUP + group, f"All of: {group}"), *choices]) for group, choices in care_types()]
        cast(forms.ChoiceField, self.fields["area"]).choices = self.areas
        cast(forms.ChoiceField, self.fields["kind"]).choices = [("", "Every kind"), *self.groups]
        self.is_valid()

    def chosen(self, name: str) -> str:
        """What was said under this name, as the address has it; empty when nothing usable was."""
        return str(self.cleaned_data.get(name) or "")

    def pools(self, visible: QuerySet[ServiceCapacity]) -> QuerySet[ServiceCapacity]:
        """Of the pools that a user may see, those that belong on a wall: nothing at a confidential place, and no figure that its provider
        shows to professionals alone, because visitors walk past.
        """
        found = (
            visible.filter(shown_to_public=True, service__is_confidential=False, service__organization__is_confidential=False)
            .exclude(location__is_confidential=True)
            .order_by("service__name", "service_id", "name", "pk")
        )
        kind, provider = self.chosen("kind"), self.chosen("provider")
        if kind:
            found = found.filter(**{"care_type__group": kind.removeprefix(GROUP)} if kind.startswith(GROUP) else {"care_type__code": kind})
        if provider:
            found = found.filter(service__organization_id=provider)
        area = places.area_by_code(self.chosen("area"))
        return found.filter(location__point__coveredby=area.outline) if area else found

    def heading(self, providers: QuerySet[Organization]) -> str:
        """In words, what is shown: "Care homes in Preston, Fir Grove"."""
        kind = self.chosen("kind")
        names = {value: label for _, options in self.groups for value, label in options}
        what = kind.removeprefix(GROUP) if kind.startswith(GROUP) else names.get(kind, "Places")
        where = dict(self.areas).get(self.chosen("area"), "") if self.chosen("area") else ""
        provider = self.chosen("provider")
        who = providers.filter(pk=provider).values_list("name", flat=True).first() if provider else ""
        return f"{what}{f' in {where}' if where else ''}{f', {who}' if who else ''}"


class ScreenForm(forms.Form):
    """A link for one screen."""

    name = forms.CharField(
        label="Where does the screen hang?", help_text="For example “Discharge lounge”.", max_length=80,
        error_messages={"required": "Say where the screen hangs.", "max_length": "Keep it to 80 characters."},
    )  # fmt: skip
