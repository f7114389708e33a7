"""The lists that ranking decides on as they are now: the shipped terms and those that curators added, and what merges made of them.

This is the one place that says what a code stands for. Whoever stores or sends the code of a term that was merged gets the one that was
kept, from the moment of the merge, and the same code again when the merge is undone.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self
from uuid import UUID

from catalogue import conditions, vocabulary
from catalogue.models import TaxonomyTerm
from catalogue.models.taxonomy import CONDITION


class Word(NamedTuple):
    """One term, as forms offer it."""

    code: str
    name: str
    group: str
    bit: int
    synonyms: tuple[str, ...]
    in_use: bool


class Lexicon:
    """What was in the lists when it was read: one question to the database."""

    def __init__(self, words: Mapping[str, Mapping[str, Word]], kept: Mapping[tuple[str, str], str]) -> None:
        self._words, self._kept = words, kept

    @classmethod
    def read(cls) -> Self:
        terms = TaxonomyTerm.objects.filter(taxonomy__slug__in=vocabulary.TAXONOMIES, bit__isnull=False).order_by("bit")
        words: dict[str, dict[str, Word]] = {slug: {} for slug in vocabulary.TAXONOMIES}
        kept = {}
        for slug, code, name, group, bit, synonyms, retired_at, now in terms.values_list(
            "taxonomy__slug", "code", "name", "group", "bit", "synonyms", "retired_at", "replaced_by__code"
        ):
            words[slug][code] = Word(code, name, group, bit or 0, tuple(synonyms), retired_at is None)
            if now is not None:
                kept[slug, code] = now
        return cls(words, kept)

    def kept(self, slug: str, code: str) -> str:
        """The code itself, or that of the term into which it was merged."""
        return self._kept.get((slug, code), code)

    def knows(self, slug: str, code: str) -> bool:
        return code in self._words[slug]

    def mask(self, slug: str, codes: Iterable[str]) -> int:
        """The mask of several codes of one list. Raises KeyError for a code that is not in it."""
        value = 0
        for code in codes:
            value |= 1 << self._words[slug][self.kept(slug, code)].bit
        return value

    def of_group(self, slug: str, group: str) -> int:
        """The mask of all terms of a group."""
        return sum(1 << word.bit for word in self._words[slug].values() if word.group == group)

    def offered(self, slug: str) -> list[Word]:
        """What forms offer, in the order of the bits: the shipped ones first."""
        return [word for word in self._words[slug].values() if word.in_use]

    def choices(self, slug: str) -> list[tuple[str, str]]:
        """Every code that is understood, with its name: one that an earlier search ticked is so even when it is offered no more."""
        return [(word.code, word.name) for word in self._words[slug].values()]

    def names(self) -> dict[str, dict[int, str]]:
        """Names by bit, for sentences."""
        return {slug: {word.bit: word.name for word in words.values()} for slug, words in self._words.items()}


def name_of(slug: str, code: str) -> str:
    """The name of a code; the code itself when there is no such term. Asks the database only of what Lune does not ship."""
    shipped = conditions.NAMES if slug == CONDITION else vocabulary.NAMES.get(slug, {})
    if code in shipped:
        return shipped[code]
    return TaxonomyTerm.objects.filter(taxonomy__slug=slug, code=code).values_list("name", flat=True).first() or code


def kept_ids(ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Of these terms, those that were merged, each with the one that was kept."""
    merged = TaxonomyTerm.objects.filter(pk__in=ids).values_list("pk", "replaced_by")
    return {pk: now for pk, now in merged if now is not None}


def kept_codes(slug: str, codes: Iterable[str]) -> dict[str, str]:
    """Of these codes of a list, those of terms that were merged, each with the code of the one that was kept."""
    merged = TaxonomyTerm.objects.filter(taxonomy__slug=slug, code__in=codes, replaced_by__isnull=False)
    return dict(merged.values_list("code", "replaced_by__code"))


def by_code(slug: str) -> dict[str, TaxonomyTerm]:
    """The terms of a list by their codes, for writing records: the code of a merged term stands for the one that was kept."""
    terms = TaxonomyTerm.objects.of(slug).select_related("taxonomy", "replaced_by__taxonomy")
    return {term.code: term.replaced_by or term for term in terms}
