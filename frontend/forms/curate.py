"""What a curator looks for among rejected records, and what they change in a service's record."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet

from catalogue.models import ImportReject, ImportRun, Service


class RejectFilter(forms.Form):
    """Rejected records of one import, by field and by words."""

    field = forms.ChoiceField(label="Field", required=False)
    kept = forms.ChoiceField(
        label="What was left out",
        required=False,
        choices=(("", "Records and values"), ("no", "Whole records"), ("yes", "One value only")),
    )
    q = forms.CharField(label="Row or reason holds", required=False, max_length=500)

    def __init__(self, *args: Any, run: ImportRun, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        names = run.rejects.order_by("field").values_list("field", flat=True).distinct()
        cast(forms.ChoiceField, self.fields["field"]).choices = [("", "All fields"), *((name, name) for name in names if name)]

    def chosen(self) -> QuerySet[ImportReject]:
        """The records asked for, in the order in which the import met them."""
        rejects = self.run.rejects.order_by("pk")
        self.is_valid()
        sent = self.cleaned_data
        if sent.get("field"):
            rejects = rejects.filter(field=sent["field"])
        if sent.get("kept"):
            rejects = rejects.filter(record_kept=sent["kept"] == "yes")
        if sent.get("q"):
            rejects = rejects.filter(Q(row__icontains=sent["q"]) | Q(reason__icontains=sent["q"]))
        return rejects


class ServiceForm(forms.Form):
    """The fields of a service that a curator keeps right by hand. `seen` is the record that they were looking at."""

    seen = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(label="Name", max_length=255)
    description = forms.CharField(label="What it offers", required=False, widget=forms.Textarea)
    status = forms.ChoiceField(label="State", choices=Service.Status.choices, widget=forms.RadioSelect)
    price_week = forms.DecimalField(
        label="Usual price a week",
        help_text="In pounds. 0 is free; leave it empty when it is not known.",
        required=False,
        min_value=0,
        max_digits=8,
        decimal_places=2,
        error_messages={"invalid": "Write the price in pounds, for example 950 or 950.50."},
    )
    minimum_age = forms.IntegerField(label="Lowest age", required=False, min_value=0, max_value=125)
    maximum_age = forms.IntegerField(label="Highest age", required=False, min_value=0, max_value=125)

    AGES = ("minimum_age", "maximum_age")

    def __init__(self, data: Any = None, *, service: Service) -> None:
        self.stamp = service.modified_at.isoformat()
        ages = getattr(service, "eligibility", None)
        initial = {name: getattr(service, name) for name in ("name", "description", "status", "price_week")}
        initial |= {name: getattr(ages, name, None) for name in self.AGES}
        super().__init__(data, initial={**initial, "seen": self.stamp})

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if sent.get("seen") != self.stamp:
            raise forms.ValidationError("Somebody changed this record while you had it open. Load the page again and look at it first.")
        lowest, highest = (sent.get(name) for name in self.AGES)
        if lowest is not None and highest is not None and highest < lowest:
            self.add_error("maximum_age", "The highest age cannot be below the lowest.")
        return sent

    def changes(self) -> dict[str, Any]:
        """What to hand to `catalogue.operations.edit_service`."""
        sent = {name: value for name, value in self.cleaned_data.items() if name not in ("seen", *self.AGES)}
        return {**sent, "eligibility": {name: self.cleaned_data[name] for name in self.AGES}}

    def tell(self, errors: Mapping[str, Sequence[str]], message: str) -> None:
        """Show what the operation refused beside the fields that it names, and the rest at the top."""
        for name, messages in errors.items():
            self.add_error(name if name in self.fields else None, list(messages))
        if not errors:
            self.add_error(None, message)
