"""Boxes for the terms of the vocabulary: what a service takes, needs, cannot take, or has not said."""

from collections.abc import Iterable
from typing import Any

from django import forms

from catalogue.models import TaxonomyTerm
from catalogue.queries import terms_in_use

RULES = [
    ("", "Not said"),
    ("accepts", "Can meet"),
    ("required", "Only people with this"),
    ("excluded", "Cannot take people with this"),
    ("preferred", "Takes people with this first"),
]
#: A diagnosis is not "met".
CONDITION_RULES = [("", "Not said"), ("accepts", "Takes people with this"), *RULES[2:]]


class TermFields:
    """A choice of rule for each term: fields of a form, named `<prefix>-<code>`, under the headings of the vocabulary."""

    def __init__(self, form: forms.Form, prefix: str, terms: Iterable[TaxonomyTerm], said: dict[str, str], rules: Any = RULES) -> None:
        self.form, self.prefix = form, prefix
        self.codes: dict[str, str] = {}
        self._groups: dict[str, list[str]] = {}
        for term in terms:
            name = f"{prefix}-{term.code}"
            self.codes[name] = term.code
            self._groups.setdefault(term.group, []).append(name)
            form.fields[name] = forms.ChoiceField(label=term.name, choices=rules, required=False, initial=said.get(term.code, ""))
        #: What was said with a term that is offered no more is kept as it is.
        self.kept = {code: rule for code, rule in said.items() if code not in self.codes.values()}

    def value(self) -> dict[str, str]:
        sent = self.form.cleaned_data
        return self.kept | {code: sent[name] for name, code in self.codes.items() if sent.get(name)}

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField], int]]:
        """Heading, fields, and how many of them say something."""
        found = []
        for group, names in self._groups.items():
            fields = [self.form[name] for name in names]
            found.append((group or "All", fields, sum(bool(field.value()) for field in fields)))
        return found


def choices(slug: str, said: Iterable[str]) -> list[tuple[str, str]]:
    """Terms of a list to tick, with those that were ticked before and are offered no more."""
    offered = {term.code: term.name for term in terms_in_use(slug)}
    return list((offered | {code: code for code in said if code not in offered}).items())
