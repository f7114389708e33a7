"""What a curator says of a source, and the file that is sent in its place."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from catalogue.models import Source, User

_EVERY = [("", "Only when somebody asks"), ("1", "Each hour"), ("6", "Every 6 hours"), ("24", "Each day"), ("168", "Each week")]


class SourceFilter(forms.Form):
    """Sources by what they are and how they are."""

    q = forms.CharField(label="Name", required=False, max_length=100)
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "All kinds"), *Source.Kind.choices])
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "All"), ("failing", "The last runs failed"), ("paused", "Not read at present")],
    )

    def chosen(self, sources: Any) -> Any:
        self.is_valid()
        sent = self.cleaned_data
        if sent.get("q"):
            sources = sources.filter(name__icontains=sent["q"])
        if sent.get("kind"):
            sources = sources.filter(kind=sent["kind"])
        if sent.get("state") == "failing":
            sources = sources.filter(failures__gt=0)
        if sent.get("state") == "paused":
            sources = sources.filter(is_active=False)
        return sources


class SourceForm(forms.Form):
    """A new source, or an old one, whose name stays."""

    name = forms.CharField(
        label="Who publishes it",
        max_length=100,
        help_text="Its records carry this name, so it cannot be changed later.",
        error_messages={"required": "Say who publishes it."},
    )
    kind = forms.ChoiceField(label="What it is", choices=[c for c in Source.Kind.choices if c[0] != Source.Kind.OWN])
    url = forms.URLField(
        label="Address",
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text="Of the feed, without /services, or of the file. Leave it empty when files are uploaded here.",
        error_messages={"invalid": "Write a web address, for example https://council.example/oruk."},
    )
    every_hours = forms.ChoiceField(label="How often it is read", required=False, choices=_EVERY)
    is_active = forms.BooleanField(label="It is read when it is due", required=False)
    licence = forms.CharField(label="Licence", required=False, max_length=100, help_text="For example: Open Government Licence 3.0")
    licence_url = forms.URLField(label="Web page of the licence", required=False, max_length=500, assume_scheme="https")
    attribution = forms.CharField(
        label="Words that the licence asks to be shown", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    contact_email = forms.EmailField(label="E-mail of who mends mistakes there", required=False)
    allow_private = forms.BooleanField(
        label="The address may lie inside our own network",
        required=False,
        help_text="Only for a feed that we run ourselves. Otherwise a stranger’s address could reach our own systems.",
    )

    def __init__(self, data: Any = None, *, source: Source | None = None, by: User) -> None:
        initial: dict[str, Any] = {"is_active": True}
        if source is not None:
            initial = {name: getattr(source, name) for name in self.base_fields}
            initial["every_hours"] = str(source.every_hours or "")
        super().__init__(data, initial=initial)
        if source is not None:
            del self.fields["name"]
            hours = initial["every_hours"]
            if hours and hours not in dict(_EVERY):
                self.fields["every_hours"].choices = [*_EVERY, (hours, f"Every {hours} hours")]  # type: ignore[attr-defined]
        if not by.is_administrator:
            del self.fields["allow_private"]

    def clean_every_hours(self) -> int | None:
        return int(self.cleaned_data["every_hours"]) if self.cleaned_data["every_hours"] else None

    def tell(self, errors: Mapping[str, Sequence[str]], message: str) -> None:
        """Show what was refused beside the fields that it names, and the rest at the top."""
        for name, messages in errors.items():
            self.add_error(name if name in self.fields else None, list(messages))
        if not errors:
            self.add_error(None, message)


class UploadForm(forms.Form):
    """A file in place of the source's address."""

    file = forms.FileField(label="File", error_messages={"required": "Choose a file first.", "empty": "The file is empty."})
    whole = forms.BooleanField(
        label="It has all services of this publisher",
        required=False,
        help_text="What two such files in a row do not have becomes inactive. Without the tick nothing is taken for missing.",
    )
