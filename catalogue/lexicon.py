"""The lists that ranking decides on as they are now: the shipped terms and those that curators added, and what merges made of them.

This is the one place that says what a code stands for. Whoever stores or sends the code of a term that was merged gets the one that was
kept, from the moment of the merge, and the same code again when the merge is undone.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from catalogue import conditions, vocabulary
from catalogue.models import TaxonomyTerm
from catalogue.models.taxonomy import CONDITION

#: Of each row the transaction that wrote it and where it lies: no change leaves both as they were, one's own and one undone included.
_STAMP = """
SELECT count(*) || ':' || coalesce(sum(hashtextextended(t.id::text || t.xmin::text || t.ctid::text, 0)), 0)
FROM catalogue_taxonomyterm t WHERE t.bit IS NOT NULL
"""
_READ = """
SELECT x.slug, t.code, t.name, t."group", t.bit, t.synonyms, t.retired_at IS NULL, k.code
FROM catalogue_taxonomyterm t JOIN catalogue_taxonomy x ON x.id = t.taxonomy_id
    LEFT JOIN catalogue_taxonomyterm k ON k.id = t.replaced_by_id
WHERE x.slug = ANY (%s) AND t.bit IS NOT NULL ORDER BY t.bit
"""


class Word(NamedTuple):
    """One term, as forms offer it."""

    code: str
    name: str
    group: str
    bit: int
    synonyms: tuple[str, ...]
    in_use: bool


class Lexicon:
    """What was in the lists when it was read. Nobody changes it: all who read the same lists share one."""

    def __init__(self, words: Mapping[str, Mapping[str, Word]], kept: Mapping[tuple[str, str], str]) -> None:
        self._words, self._kept = words, kept

    @classmethod
    def read(cls) -> "Lexicon":
        """The lists as this transaction sees them: one short question, and all the words only when one of them has changed."""
        global _last
        if (held := _held.get()) is not None:
            return held
        known, lexicon = _last
        with connection.cursor() as cursor:
            cursor.execute(_STAMP)
            [stamp] = cursor.fetchone()
        if stamp == known:
            return lexicon
        # By the driver's own cursor, so that what a page asks is the same however long its process has been running.
        with connection.connection.cursor() as cursor:
            rows = cursor.execute(_READ, [list(vocabulary.TAXONOMIES)]).fetchall()
        words: dict[str, dict[str, Word]] = {slug: {} for slug in vocabulary.TAXONOMIES}
        kept = {}
        for slug, code, name, group, bit, synonyms, in_use, now in rows:
            words[slug][code] = Word(code, name, group, bit, tuple(synonyms), in_use)
            if now is not None:
                kept[slug, code] = now
        lexicon = cls(words, kept)
        _last = (stamp, lexicon)
        return lexicon

    @classmethod
    @contextmanager
    def held(cls) -> Iterator[None]:
        """All that is read in here is of one reading: for a short piece of work that needs the lists again and again, and changes none."""
        token = _held.set(cls.read())
        try:
            yield
        finally:
            _held.reset(token)

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


#: What `Lexicon.held` keeps.
_held: ContextVar[Lexicon | None] = ContextVar("lexicon", default=None)
#: The stamp of what was read last in this process, and that.
_last: tuple[str, Lexicon] = ("", Lexicon({}, {}))


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
