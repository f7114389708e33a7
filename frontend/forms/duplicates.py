"""What a keeper looks for among doubles, and what is to stay of two records."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import Q, QuerySet

from catalogue.dedupe import queries
from catalogue.dedupe.compare import SURE
from catalogue.models import DuplicateCandidate, Service, User
from frontend.presenters.duplicates import ONE, OTHER, Row

Decision = DuplicateCandidate.Decision


class PairFilter(forms.Form):
    """The queue, narrowed. Without a decision: those that wait."""

    decision = forms.ChoiceField(label="State", required=False, choices=[(Decision.OPEN, "To look at"), (Decision.SAME, "Merged"),
                                                                        (Decision.DIFFERENT, "Two services"), ("all", "All")])  # fmt: skip
    sure = forms.ChoiceField(label="How sure", required=False, choices=(("", "All"), ("yes", "Almost certain"), ("no", "Less certain")))
    source = forms.ChoiceField(label="Publisher", required=False)
    area = forms.CharField(label="Town or postcode district", required=False, max_length=60)
    q = forms.CharField(label="Name holds", required=False, max_length=100)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        cast(forms.ChoiceField, self.fields["source"]).choices = [("", "All"), *((name, name) for name in queries.publishers())]

    def chosen(self) -> QuerySet[DuplicateCandidate]:
        """The pairs asked for, the surest first."""
        self.is_valid()
        sent = self.cleaned_data
        pairs = queries.to_decide(self.user)
        if (decision := sent.get("decision") or Decision.OPEN) != "all":
            pairs = pairs.filter(decision=decision)
        if sure := sent.get("sure"):
            pairs = pairs.filter(score__gte=SURE) if sure == "yes" else pairs.filter(score__lt=SURE)
        if source := sent.get("source"):
            pairs = pairs.filter(Q(one__source=source) | Q(other__source=source))
        if area := sent.get("area"):
            pairs = queries.within(pairs, area)
        if text := sent.get("q"):
            pairs = pairs.filter(Q(one__name__icontains=text) | Q(other__name__icontains=text))
        return pairs


class MergeForm(forms.Form):
    """Which record stays, and from which each field that differs is taken."""

    stays = forms.ChoiceField(
        label="Which record stays?",
        choices=((ONE, "A"), (OTHER, "B")),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose which record stays.", "invalid_choice": "Choose which record stays."},
    )

    def __init__(self, data: Any = None, *, one: Service, other: Service, rows: Sequence[Row], stays: str) -> None:
        self.differing = [row for row in rows if not row.same]
        self.pair = {ONE: one, OTHER: other}
        super().__init__(data, initial={"stays": stays, **{f"keep_{row.name}": row.better for row in self.differing}})
        for row in self.differing:
            self.fields[f"keep_{row.name}"] = forms.ChoiceField(
                label=row.label,
                choices=((ONE, "A"), (OTHER, "B")),
                widget=forms.RadioSelect,
                error_messages={
                    "required": f"{row.label}: choose A or B.",
                    "invalid_choice": f"{row.label}: choose A or B.",
                },
            )

    def merging(self) -> dict[str, Any]:
        """What to hand to `catalogue.dedupe.operations.merge`."""
        stays = self.cleaned_data["stays"]
        gone = OTHER if stays == ONE else ONE
        chosen = [row.name for row in self.differing if self.cleaned_data[f"keep_{row.name}"] == gone]
        return {"kept_id": self.pair[stays].pk, "gone_id": self.pair[gone].pk, "chosen": chosen}
