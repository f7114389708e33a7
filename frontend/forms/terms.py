"""The words of the vocabulary as a curator looks for, writes, retires and merges them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict

from catalogue import terms
from catalogue.models import TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE
from core.errors import LuneError


class TermFilter(forms.Form):
    """All of it is in the address."""

    q = forms.CharField(label="Word, code or synonym", required=False, max_length=100)
    list = forms.ChoiceField(label="List", required=False)
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), ("used", "In use"), ("retired", "No longer used")])

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        lists = [("", "All lists"), *((each.slug, each.name) for each in terms.taxonomies())]
        cast(forms.ChoiceField, self.fields["list"]).choices = lists

    def chosen(self) -> dict[str, str]:
        """Arguments for `catalogue.terms.search`; what could not be understood is left out."""
        self.is_valid()
        sent = self.cleaned_data
        return {"text": sent.get("q", ""), "taxonomy": sent.get("list", ""), "state": sent.get("state", "")}


class _Told(forms.Form):
    #: Names of the domain's fields that this form calls otherwise.
    CALLED: Mapping[str, str] = {}

    def tell(self, error: LuneError) -> None:
        """Show what the domain refused beside the fields that it names, or at the top."""
        errors: Mapping[str, Sequence[str]] = error.details.get("errors") or {}  # type: ignore[assignment]
        for name, messages in errors.items():
            name = self.CALLED.get(name, name)
            self.add_error(name if name in self.fields else None, list(messages))
        if not errors:
            self.add_error(None, error.message)


class TermForm(_Told):
    """A term's words. Its code and bit never change."""

    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Write a name"})
    synonyms = forms.CharField(
        label="What people call it",
        help_text="One on each line. Searches find services by any of them.",
        required=False,
        max_length=6_000,
        widget=forms.Textarea,
    )
    description = forms.CharField(label="Description", required=False, max_length=5_000, widget=forms.Textarea)
    group = forms.CharField(label="Heading under which forms show it", required=False, max_length=60)
    term_uri = forms.CharField(
        label="National identifier",
        help_text="A CURIE such as esdServiceType:242, or a web address. Leave it empty unless you are sure.",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    snomed_refset = forms.CharField(
        label="SNOMED CT reference set",
        help_text="The number of the set of codes that mean it. Leave it empty unless you are sure.",
        required=False,
        max_length=18,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, term: TaxonomyTerm | None = None, **kwargs: Any) -> None:
        initial = {}
        if term is not None:
            initial = {name: getattr(term, name) for name in ("name", "description", "group", "term_uri", "snomed_refset")}
            initial["synonyms"] = "\n".join(term.synonyms)
        super().__init__(data, initial=initial, **kwargs)

    def changes(self) -> dict[str, Any]:
        """What to hand to `catalogue.terms.edit_term` or `add_term`."""
        return {**self.cleaned_data, "synonyms": self.cleaned_data["synonyms"].splitlines()}


class NewTermForm(TermForm):
    """A new term, in one of the lists that curators may add to."""

    taxonomy = forms.ChoiceField(label="List", error_messages={"required": "Choose a list", "invalid_choice": "Choose a list"})

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        lists = [(each.slug, each.name) for each in terms.taxonomies() if each.slug != CARE_TYPE]
        cast(forms.ChoiceField, self.fields["taxonomy"]).choices = [("", "Choose"), *lists]


class RetireForm(_Told):
    reason = forms.CharField(label="Why is it no longer used?", max_length=300, error_messages={"required": "Say why it is retired"})


class MergeForm(_Told):
    """Which term of the same list is kept."""

    kept = forms.TypedChoiceField(
        label="Which term is kept?",
        coerce=UUID,
        error_messages={"required": "Choose the term that is kept", "invalid_choice": "Choose a term of the same list that is in use"},
    )

    def __init__(self, data: Any = None, *, term: TaxonomyTerm) -> None:
        super().__init__(data)
        others = terms.search(taxonomy=term.taxonomy.slug, state="used").exclude(pk=term.pk)
        choices = [(str(pk), name) for pk, name in others.values_list("pk", "name")]
        cast(forms.ChoiceField, self.fields["kept"]).choices = [("", "Choose"), *choices]
