"""Opening a record in an emergency, what others think of it afterwards, and who has looked at a record."""

from django import forms

from catalogue.models import User
from flow.models import GlassOpening
from flow.sight import all_looks, looks
from frontend.forms.patient import DateInput


class WhoForm(forms.Form):
    """The one person who has this number and was born that day. Both are typed, and stand in no address."""

    nhs_number = forms.CharField(
        label="NHS number",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "spellcheck": "false"}),
        error_messages={"required": "Enter the NHS number"},
    )
    birth_date = forms.DateField(
        label="Date of birth",
        widget=DateInput(),
        error_messages={"required": "Enter the date of birth", "invalid": "Enter a real date of birth, such as 27 March 1941"},
    )


class LooksForm(forms.Form):
    """Which looks are shown. It stands in the address; whose record it is, by its id."""

    record = forms.UUIDField(widget=forms.HiddenInput)
    who = forms.CharField(label="Who looked", help_text="A part of a name or organisation.", required=False, max_length=100)
    since = forms.DateField(label="From", required=False, widget=DateInput(), error_messages={"invalid": "Enter a real date"})
    until = forms.DateField(label="To", required=False, widget=DateInput(), error_messages={"invalid": "Enter a real date"})
    how = forms.ChoiceField(label="How it was seen", required=False, choices=[("", "Any way"), *looks.HOW.items()])

    def wanted(self) -> looks.Wanted:
        data = self.cleaned_data
        return looks.Wanted(who=data["who"], since=data["since"], until=data["until"], how=data["how"])


class AllLooksForm(forms.Form):
    """Which looks at the organisation's records are shown. All of it stands in the address."""

    since = forms.DateField(
        label="From", widget=DateInput(), error_messages={"required": "Choose the first day", "invalid": "Enter a real date"}
    )
    until = forms.DateField(
        label="To", widget=DateInput(), error_messages={"required": "Choose the last day", "invalid": "Enter a real date"}
    )
    who = forms.CharField(label="Who looked", help_text="A part of a name or organisation.", required=False, max_length=100)
    role = forms.ChoiceField(label="Role", required=False, choices=[("", "Any role"), *User.Role.choices])
    how = forms.ChoiceField(
        label="How it was seen",
        required=False,
        choices=[("", "Any way but to see who has looked"), *looks.HOW.items(), (all_looks.EVERY, "Any way at all")],
    )

    def wanted(self) -> all_looks.Wanted:
        return all_looks.Wanted(**self.cleaned_data)


class GlassForm(WhoForm):
    """Why the record is needed now."""

    reason = forms.ChoiceField(
        label="Why do you need the record now?",
        choices=GlassOpening.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why you need the record now"},
    )
    words = forms.CharField(
        label="In your own words",
        help_text="Managers of both organisations read this.",
        max_length=500,
        widget=forms.Textarea,
        error_messages={"required": "Say why in your own words"},
    )


class ReviewForm(forms.Form):
    """Whether it was right."""

    verdict = forms.ChoiceField(
        label="Was it justified?",
        choices=[choice for choice in GlassOpening.Verdict.choices if choice[0]],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether it was justified"},
    )
    words = forms.CharField(
        label="How did you come to this?",
        max_length=500,
        widget=forms.Textarea,
        error_messages={"required": "Say in a few words how you came to this"},
    )
