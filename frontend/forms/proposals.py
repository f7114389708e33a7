"""A curator's decision about a proposal, and what a group writes that asks to be added."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django import forms

from catalogue.entry.approval import LONGEST_REASON
from catalogue.entry.partners import find_partners
from catalogue.models import ProposedChange
from catalogue.queries import terms_in_use


class DecisionForm(forms.Form):
    """Yes, or no with a reason. For a group that nobody knows: what kind it is, and whose."""

    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("refuse", "Refuse")])
    care_type = forms.ChoiceField(label="Kind of service", required=False)
    organization = forms.CharField(
        label="Which organisation runs it", help_text="Its name as it stands in the directory. Leave it empty to add a new one.",
        max_length=255, required=False,
    )  # fmt: skip
    reason = forms.CharField(
        label="If you refuse: why", help_text="Whoever proposed it reads this.", required=False, max_length=LONGEST_REASON,
        widget=forms.Textarea,
    )  # fmt: skip

    def __init__(self, data: Any, *, change: ProposedChange) -> None:
        kinds = [(term.code, term.name) for term in terms_in_use("care-type")]
        interest = change.content.get("interest", "")
        super().__init__(data, initial={"care_type": change.content.get("care_type") or interest})
        self.change = change
        self._owner: UUID | None = None
        cast(forms.ChoiceField, self.fields["care_type"]).choices = [("", "Choose one"), *kinds]
        if change.organization_id or change.service_id:
            del self.fields["care_type"], self.fields["organization"]

    def clean_organization(self) -> str:
        text = self.cleaned_data["organization"]
        found = find_partners(text) if text else {}
        if text and len(found) != 1:
            several = "Several are called so: " + "; ".join(list(found.values())[:5]) + ". Write the whole name."
            raise forms.ValidationError(several if found else "No organisation in the directory is called that.")
        self._owner = UUID(next(iter(found))) if found else None
        return text

    def choices(self) -> dict[str, Any]:
        """What to hand to `catalogue.entry.approval.approve`."""
        return {"organization_id": self._owner, "care_type": self.cleaned_data.get("care_type", "")}

    def tell(self, errors: Mapping[str, Sequence[str]], message: str) -> None:
        for name, texts in errors.items():
            self.add_error(name if name in self.fields else None, list(texts))
        if not errors:
            self.add_error(None, message)


class GroupForm(forms.Form):
    """What a group or club does, where and when, and how to reach whoever looks after it."""

    name = forms.CharField(label="Name of your group", max_length=255, error_messages={"required": "Say what the group is called."})
    what = forms.CharField(
        label="What you do", help_text="In plain words. Who is it for, and does it cost anything?", max_length=2_000,
        widget=forms.Textarea(attrs={"maxlength": 2_000}), error_messages={"required": "Say what the group does."},
    )  # fmt: skip
    interest = forms.ChoiceField(label="What it is about", required=False)
    where = forms.CharField(
        label="Where you meet", help_text="The address, or “online”.", max_length=300, error_messages={"required": "Say where it meets."}
    )
    when = forms.CharField(label="When you meet", help_text="Such as: Tuesdays, 10am to midday.", max_length=300, required=False)
    phone = forms.CharField(
        label="Phone number for people who want to come", max_length=40, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    contact = forms.CharField(label="Your name", help_text="For us only: it is not shown in the directory.", max_length=200, required=False)
    email = forms.EmailField(
        label="E-mail of the group",
        help_text="We answer to it, and it is shown in the directory.",
        widget=forms.EmailInput(attrs={"spellcheck": "false"}),
        error_messages={
            "required": "Write an e-mail address that we can answer to, like name@example.org.",
            "invalid": "Write an e-mail address that we can answer to, like name@example.org.",
        },
    )
    #: A box that people do not see; programs that fill in every box do.
    homepage = forms.CharField(label="Leave this empty", required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        kinds = [(term.code, term.name) for term in terms_in_use("care-type") if term.group == "Community and voluntary"]
        cast(forms.ChoiceField, self.fields["interest"]).choices = [("", "Something else, or not sure"), *kinds]

    def is_a_person(self) -> bool:
        return not self.cleaned_data.get("homepage")
