"""Words that are spelled nearly as somebody typed them, from the words that stand in the names of services, organisations and towns.

A hundred thousand names hold some thousands of different words: to compare with these is a small part of comparing with every name.
"""

from collections.abc import Sequence

from django.db import connection

#: Of one word that somebody typed; the most alike, and of those the most used.
MOST_ALIKE = 8
#: Letters of the words that are known.
SHORTEST, LONGEST = 3, 40

_ALIKE = """
    SELECT typed, alike.word FROM unnest(%s::text[], %s::text[]) AS t (typed, within)
    CROSS JOIN LATERAL (
        SELECT w.word FROM catalogue_searchword w
        WHERE (w.word %%> typed OR w.word LIKE within) AND (w.is_public OR NOT %s)
        ORDER BY word_similarity(typed, w.word) DESC, w.services DESC, w.word LIMIT %s
    ) alike
    UNION ALL
    SELECT typed, one.word || ' ' || other.word FROM unnest(%s::text[], %s::text[], %s::text[]) AS halves (typed, first, second)
    JOIN catalogue_searchword one ON one.word = first AND (one.is_public OR NOT %s)
    JOIN catalogue_searchword other ON other.word = second AND (other.is_public OR NOT %s)
"""


def alike_words(typed: Sequence[str], *, public: bool) -> dict[str, list[str]]:
    """Known words like each of these, or that hold it, the most alike first, then two of which it is made ("lunchclub").

    Those that are like none are left out. With `public` only words that public services use. A word that is new among the names is known
    within the hour (`learn`).
    """
    # A piece of three letters is in too many words to say which is meant.
    within = ["%" + word.replace("_", "\\_") + "%" if len(word) > 3 else None for word in typed]
    halves = [(word, word[:n], word[n:]) for word in typed for n in range(SHORTEST, min(len(word) - SHORTEST, LONGEST) + 1)]
    columns = [list(column) for column in zip(*halves, strict=True)] or [[], [], []]
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE, [list(typed), within, public, MOST_ALIKE, *columns, public, public])
        for word, alike in cursor:
            found.setdefault(word, []).append(alike)
    return found


def learn() -> None:
    """Read the words of the names anew; searches go on meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY catalogue_searchword")
        cursor.execute("ANALYZE catalogue_searchword")
