"""Getting in and there, and the languages spoken."""

from typing import Any

from catalogue.entry.content import ACCESS
from catalogue.models.taxonomy import LANGUAGE, NEED
from catalogue.queries import terms_in_use

from .criteria import LIST_RULES, TermFields
from .part import PartForm

#: Somebody needs a visit at home, and has a wheelchair with them: neither is a thing that one "has".
ACCESS_RULES = [
    ("", "Not said"),
    ("accepts", "We offer it"),
    ("required", "Only people who need it"),
    ("excluded", "We cannot offer it"),
    ("preferred", "People who need it go first"),
]


class AccessForm(PartForm):
    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        terms = [term for term in terms_in_use(NEED) if term.group == ACCESS]
        self.access = TermFields(self, "access", NEED, self.shown["access"], ACCESS_RULES, offered=terms)
        self.languages = TermFields(self, "language", LANGUAGE, self.shown["languages"], LIST_RULES["languages"])

    def values(self) -> dict[str, Any]:
        return super().values() | {"access": self.access.value(), "languages": self.languages.value()}
