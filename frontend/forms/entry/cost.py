"""What a service costs, and who pays."""

from typing import Any

from django import forms

from catalogue.models.taxonomy import FUNDING

from .criteria import LIST_RULES, TermFields
from .part import PartForm, RowForm

_POUNDS = {
    "invalid": "Write the price in pounds, for example 4 or 4.50.",
    "min_value": "A price cannot be less than nothing.",
    "max_digits": "That is too much. Write the price in pounds.",
    "max_decimal_places": "Write pounds and pence, for example 4.50.",
    "max_whole_digits": "That is too much. Write the price in pounds.",
}


class CostRow(RowForm):
    title = "Price"

    option = forms.CharField(label="For what", help_text="Such as: Hot meal.", max_length=200, required=False)
    amount = forms.DecimalField(
        label="Pounds", help_text="0 is free.", min_value=0, max_digits=9, decimal_places=2, required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}), error_messages=_POUNDS,
    )  # fmt: skip
    amount_description = forms.CharField(label="Each what", help_text="Such as: a visit, an hour.", max_length=300, required=False)


class CostForm(PartForm):
    price_week = forms.DecimalField(
        label="Usual price a week", help_text="In pounds. 0 is free; leave it empty when there is none.", required=False, min_value=0,
        max_digits=8, decimal_places=2, widget=forms.TextInput(attrs={"inputmode": "decimal"}), error_messages=_POUNDS,
    )  # fmt: skip
    ROWS = {"cost_options": CostRow}

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.funding = TermFields(self, "funding", FUNDING, self.shown["funding"], LIST_RULES["funding"])

    def values(self) -> dict[str, Any]:
        costs = [{name: row[name] for name in ("option", "amount", "amount_description")} for row in self.said("cost_options")]
        return super().values() | {"cost_options": costs, "funding": self.funding.value()}
