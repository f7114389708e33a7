"""Replies in plain words are read rightly or asked about again; they are never guessed at."""

import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capacity.reply_text import MARKER, own_words
from capacity.understand import AskAgain, PoolWords, Stop, Understood, understand
from capacity.understand.lexicon import COVERING_ZERO, KINDS, NUMBERS
from tests.capacity.reply_corpus import NAMES, SETS, corpus, pools

CORPUS = corpus()
#: Words out of which people and chance make replies.
PIECES = [
    "2", "0", "14", "3", "two", "none", "no", "full", "same", "+1", "-1", "general", "dementia", "nursing", "beds", "and", ",", ".", "but",
    "each", "both", "all", "a", "x", "not", "maybe", "Monday", "room", "for", "ladies", "rest", "are", "free", "7%", "£900", "-", "(", "\n",
    "total", "thanks", "Sue", "?", "demntia", "genral", "01772 555123", "of", "20", "or", "only", "minus", "one", "left", "taken",
]  # fmt: skip
SET = st.sampled_from(sorted(SETS))


def test_no_reply_is_read_wrongly_and_most_that_are_clear_to_a_person_are_understood() -> None:
    read = [(row, row.outcome(understand(row.text, pools(row.pools), names=NAMES))) for row in CORPUS]
    assert [row for row, outcome in read if outcome == "wrong"] == []
    for half in "ABC":
        counted = Counter(outcome for row, outcome in read if row.half == half and row.clear)
        assert counted["right"] >= 0.8 * counted.total()
    assert len(CORPUS) >= 200
    assert len({row.text for row in CORPUS}) >= 0.95 * len(CORPUS)


def test_what_cannot_be_kept_is_asked_about_in_the_service_own_words() -> None:
    again = understand("2 general, 1 dementia from Monday", pools("GD"))
    assert isinstance(again, AskAgain)
    assert again.why == "later"
    assert "We read: 2 general residential, 1 dementia residential." in again.question
    assert "like: 2 general residential, 0 dementia residential." in again.question
    assert understand("2", []).why == "no-pools"


@pytest.mark.parametrize("code", sorted(SETS))
def test_the_example_that_we_give_is_itself_understood(code: str) -> None:
    asked = understand("?", pools(code))
    shown = re.search(r"like: (.*?)\. Or:", asked.question)
    assert isinstance(understand(shown[1], pools(code)), Understood)


def test_a_single_pool_with_its_sex_or_place_is_told_from_its_twin() -> None:
    both = [PoolWords("f", "Beds for women", "bed", for_sex="female"), PoolWords("m", "Beds for men", "bed", for_sex="male")]
    assert understand("1 female, 2 male", both).figures == {"f": 1, "m": 2}
    assert understand("3 beds", both).why == "which"
    houses = [PoolWords(name, "General beds", "bed", place=name) for name in ("Elm House", "Oak House")]
    assert understand("2 elm house, none oak house", houses).figures == {"Elm House": 2, "Oak House": 0}


@given(SET, st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=9).map(" ".join)))
@example("G1", "\ud800")
@example("GD", "2" * 400)
def test_no_figure_that_the_text_does_not_hold_and_none_for_a_pool_that_it_does_not_name(code: str, text: str) -> None:
    read = understand(text, pools(code), names=NAMES)
    if isinstance(read, Stop):
        assert re.search("stop|unsubscribe|end|quit|cancel|opt", text, re.IGNORECASE)
    if not isinstance(read, Understood):
        return
    words = re.findall(r"[a-z]+|\d+", text.casefold())
    told = {int(word) for word in words if word.isdecimal()} | {NUMBERS[word] for word in words if word in NUMBERS} | {0}
    told |= {ten + one for ten in told for one in told if ten in range(20, 100, 10) and one < 10} | (
        {1} if {"a", "an"} & {*words} else set()
    )
    for reading in read.readings:
        base = reading.pool.available or 0
        changes = {0} | ({base + n for n in told} | {base - n for n in told} if re.search(r"[+-]|minus", text) else set())
        same = {base} if re.search("same|chang|before|ditto|differ", text, re.IGNORECASE) else set()
        assert reading.figure in told | changes | same
        assert 0 <= reading.figure <= (reading.pool.maximum if reading.pool.maximum is not None else 100)
    covering = COVERING_ZERO | {"each", "same", "all", "rest", "others", "everything", "both", "unchanged", "ditto", "before", "booked"}
    if len(read.readings) > 1 and not covering & {*words} and not re.search("chang|differ|occupied|capacity|taken", text):
        # Each of several was named by a word of its own, or by one that fits all that are left.
        meant = frozenset().union(*(KINDS.get(word, {word}) for word in words))
        slips = any(word in ("demntia", "genral") for word in words)
        assert slips or all(meant & reading.pool.words for reading in read.readings)


@given(st.integers(0, 12), st.integers(0, 12), st.sampled_from([", ", " and ", "\n", ". "]), st.booleans())
def test_whatever_is_clear_is_read_in_either_order(general: int, dementia: int, between: str, first: bool) -> None:
    said = [(f"{n} {kind}" if first else f"{kind} {n}") for n, kind in ((general, "general"), (dementia, "dementia"))]
    read = understand(between.join(said), pools("GD"))
    if dementia == 12:  # as many as there are: it might be how many there are
        assert isinstance(read, AskAgain)
    else:
        assert read.figures == {"GR": general, "DR": dementia}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("2\n\nOn 1 May 2026 at 9, Lune\n<ask@lune.example> wrote:\n> 5", "2"),
        (f"2\n\n> {MARKER}\n> 5", "2"),
        (f"2\n{MARKER}\n5 beds", "2"),
        ("2\n\n________________________________\nFrom: Lune\nSent: now\n\n5", "2"),
        ("2\n\n*From:* Lune\n*Sent:* now\n\n5", "2"),
        ("2\r\n-- \r\n5 Hill Lane", "2"),
        ("2\n\nKind regards\n\nSue\n01772 555123", "2"),
        ("2\n\nKind regards\nSue\nPS ladies only", "2\n\nKind regards\nSue\nPS ladies only"),
        ("2\n\nThis email and any attachments are confidential", "2"),
        ("> 5\n\n2", "2"),
    ],
)
def test_what_others_wrote_and_what_stands_below_is_cut_unless_it_says_something(text: str, left: str) -> None:
    assert own_words(text) == left
