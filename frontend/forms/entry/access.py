"""Getting in and there, and the languages spoken."""

from typing import Any, cast

from django import forms

from catalogue.entry.content import ACCESS
from catalogue.models.taxonomy import LANGUAGE, NEED
from catalogue.queries import terms_in_use

from .criteria import TermFields, choices
from .part import PartForm


class AccessForm(PartForm):
    languages = forms.MultipleChoiceField(
        label="Languages that you work in", help_text="Tick all. None ticked means that you have not said.", required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        terms = [term for term in terms_in_use(NEED) if term.group == ACCESS]
        self.access = TermFields(self, "access", terms, self.shown["access"])
        cast(forms.ChoiceField, self.fields["languages"]).choices = choices(LANGUAGE, self.shown["languages"])

    def values(self) -> dict[str, Any]:
        return super().values() | {"access": self.access.value()}
