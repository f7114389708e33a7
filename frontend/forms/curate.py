"""What a curator looks for among rejected records."""

from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet

from catalogue.models import ImportReject, ImportRun


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
