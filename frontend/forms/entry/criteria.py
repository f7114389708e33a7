"""Boxes for the terms of the vocabulary: what a service takes, needs, cannot take, or has not said."""

from collections.abc import Sequence
from typing import Any

from django import forms

from catalogue.lexicon import kept_codes
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
#: By the name of a list: what each rule is called there.
LIST_RULES = {
    name: [("", "Not said"), ("accepts", accepts), ("required", required), ("excluded", excluded), ("preferred", preferred)]
    for name, (accepts, required, excluded, preferred) in {
        "funding": ("They can pay", "Only people for whom they pay", "They cannot pay", "People for whom they pay go first"),
        "languages": ("We work in it", "Only people who speak it", "We cannot work in it", "People who speak it go first"),
        "referral_sources": ("They may refer", "Only people whom they refer", "They cannot refer", "People whom they refer go first"),
    }.items()
}


#: Of a code whose meaning was taken from no list of codes that could be looked at.
UNCHECKED = "code not yet checked by a clinician"


class TermFields:
    """A choice of rule for each term: fields of a form, named `<prefix>-<code>`, under the headings of the vocabulary."""

    def __init__(
        self, form: forms.Form, prefix: str, slug: str, said: dict[str, str], rules: Any = RULES, *, offered: Sequence[TaxonomyTerm] = ()
    ) -> None:
        """Those terms of a list that are `offered`, or all in use. What was said of a term that was merged is said of the other."""
        self.form, self.prefix = form, prefix
        terms = offered or list(terms_in_use(slug))
        if unknown := said.keys() - {term.code for term in terms}:
            now = kept_codes(slug, unknown)
            said = {now[code]: rule for code, rule in said.items() if code in now} | {c: r for c, r in said.items() if c not in now}
        self.codes: dict[str, str] = {}
        self._groups: dict[str, list[str]] = {}
        for term in terms:
            name = f"{prefix}-{term.code}"
            self.codes[name] = term.code
            self._groups.setdefault(term.group, []).append(name)
            form.fields[name] = forms.ChoiceField(label=_label(term), choices=rules, required=False, initial=said.get(term.code, ""))
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


def _label(term: TaxonomyTerm) -> str:
    return f"{term.name} ({UNCHECKED})" if term.unconfirmed else term.name
