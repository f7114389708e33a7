"""What a provider's own words say about free places: "2 general, 0 dementia". A pure function that never guesses.

Every word must be one that we know (`capacity.understand_words`), and every number must belong to one pool. Whatever is left over could
change the meaning, so the answer is then a question that repeats what was read.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from capacity import understand_words as lexicon
from capacity.reply_text import own_words

LONGEST = 1_000
#: Where a pool has no maximum, nobody means more than this.
MOST = 100
ZERO, MORE, SAME = "zero", "more", "same"


@dataclass(frozen=True, slots=True)
class PoolWords:
    """A pool as people speak of it, with its figure when they wrote. `key` is whatever the caller knows it by."""

    key: Hashable
    name: str
    unit: str = "place"
    bed_type: str = ""
    for_sex: str = ""
    available: int | None = None
    maximum: int | None = None
    place: str = ""

    @property
    def label(self) -> str:
        """Its name without the unit: "general residential"."""
        words = self.name.split()
        if len(words) > 1 and _units(words[-1]):
            words = words[:-1]
        return " ".join(words).lower()

    @property
    def words(self) -> frozenset[str]:
        """What may be said of it, each word as `lexicon.KINDS` has it."""
        text = f"{self.name} {self.bed_type} {self.for_sex} {self.unit} {self.place}"
        found: set[str] = set()
        for word in re.findall(r"[a-z0-9]+", text.replace("Live-in", "LIVEIN").replace("live-in", "LIVEIN").casefold()):
            found |= _kind(word) or {word}
        return frozenset(found - lexicon.HARMLESS - lexicon.UNITS | ({"livein"} if "livein" in found else set()))


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure and the words that it was read from."""

    pool: PoolWords
    figure: int
    said: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What each pool that was named has free."""

    readings: tuple[Reading, ...]
    same: bool = False

    @property
    def figures(self) -> Mapping[Hashable, int]:
        return {reading.pool.key: reading.figure for reading in self.readings}


@dataclass(frozen=True, slots=True)
class AskAgain:
    """What to ask back. `why` is for those who count; `readings` is what was read before it became unclear."""

    question: str
    why: str
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """They want no more messages."""


@dataclass(slots=True)
class _Item:
    """A number, a word for none, a change or "same" (values), or what it is of (a key)."""

    kind: str  # "number" | "zero" | "more" | "same" | "key" | "each" | "rest" | "all" | "both"
    number: int = 0
    words: frozenset[str] = frozenset()
    said: str = ""
    covers: bool = False

    @property
    def is_value(self) -> bool:
        return self.kind in ("number", ZERO, MORE, SAME)


class _UnclearError(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class _Said:
    """A value with what it is of; no key: of whatever there is."""

    value: _Item
    key: _Item | None
    said: str = field(default="")


def understand(text: str, pools: Sequence[PoolWords], *, names: Sequence[str] = ()) -> Understood | AskAgain | Stop:
    """Read a reply about `pools`. `names` are those of the service and its organisation, which people put into greetings.

    Never raises. A figure is given only for a pool that was named, unless there is one pool or the word covers all ("none", "full",
    "same", "2 of each").
    """
    written = _plain(own_words(text[: LONGEST * 20]))
    if _is_stop(written):
        return Stop()
    readings: tuple[Reading, ...] = ()
    try:
        if not pools:
            raise _UnclearError("no-pools")
        if len(written) > LONGEST:
            raise _UnclearError("long")
        said, unclear = _statements(_prepared(written, names), pools)
        try:
            readings = _resolve(said, pools)
        except _UnclearError as error:
            unclear = unclear or error.why
        if unclear:
            raise _UnclearError(unclear)
        if not readings:
            raise _UnclearError("nothing")
    except _UnclearError as error:
        return AskAgain(_question(error.why, readings, pools), error.why, readings)
    return Understood(readings, same=all(statement.value.kind == SAME for statement in said))


def describe(readings: Iterable[Reading]) -> str:
    """Figures in words: "2 general residential, 0 dementia residential"."""
    return ", ".join(f"{reading.figure} {reading.pool.label}" for reading in readings)


def example(pools: Sequence[PoolWords]) -> str:
    """How to write it, in the service's own words."""
    return ", ".join(f"{2 if number == 0 else 0} {pool.label}" for number, pool in enumerate(pools[:4]))


# --- from text to words


def _plain(text: str) -> str:
    """Lower case, straight quotes and dashes, words that are drawn together taken apart."""
    text = "".join("\ufffd" if not char.isascii() and char.isnumeric() else char for char in text)  # ½ and ² are no counts
    text = unicodedata.normalize("NFKC", text).replace("\ufe0f", "").replace("\r", "\n").casefold()
    text = re.sub(r"[‘’`´]", "'", text)
    text = re.sub(r"[‐-―−]", "-", text)
    text = re.sub(r"[\U0001f44d\U0001f64f\U0001f60a\U0001f642\U0001f600\u263a\u2764]", " ", text)
    for short, whole in (("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"), ("n't", " not")):
        text = text.replace(short, whole)
    text = re.sub(r"\b(it|that|there|here)'?s\b", r"\1 is", text)
    return text.replace("'", "").strip()


def _is_stop(text: str) -> bool:
    words = re.findall(r"[a-z]+", text)
    if not words or len(words) > 12 or re.search(r"\d", text):
        return False
    if len(words) == 1:
        return words[0] in lexicon.STOP_ALONE
    return bool(lexicon.STOP_FIRST & set(words)) and set(words) <= lexicon.STOP_WORDS or words[:2] == ["opt", "out"]


def _prepared(text: str, names: Sequence[str]) -> str:
    """Take out what holds numbers but no count, greetings with their names, and turn phrases into single words."""
    if "?" in text:
        raise _UnclearError("question")
    text = re.sub(r"(?:\b(?:tel|telephone|phone|mob|mobile)[:. ]*)?(?:\+44[ -]?|\b0)(?:[ ()-]?\d){9,10}\b", " TEL ", text)
    text = re.sub(r"(?:\b(?:at|from)\s+|@\s*)?£\s?\d[\d,.]*k?\s*(?:(?:per|a|each|/)\s*(?:week|wk)|p/?w\b|weekly\b)?", " ", text)
    text = re.sub(r"\(\s*(?:in )?(?:rooms?|rm)\.? ?\d+(?:\s*(?:,|and|&)\s*\d+)*\s*\)", " ", text)
    for name in sorted(filter(None, map(_plain, names)), key=len, reverse=True):
        text = re.sub(rf"(?:\b(?:at|from|in)\s+)?\b{re.escape(name)}\b", " DROP ", text)
    text = _without_names(text)
    text = re.sub(r"[ \t]+", " ", text)
    for pattern, word in lexicon.PHRASES:
        text = re.sub(" +", " ", pattern.sub(word, text))
    return re.sub(r"(?m)^\s*[-*•]\s+(?=\d+ ?[a-z]|[a-z])", "", text).replace("TEL", " ")


def _without_names(text: str) -> str:
    name, end = lexicon.NAME, r"[\sx.!]*$"
    for pattern in (
        rf"\b(?:(?:it|this) is )?{name} here\b",
        rf"\b(?:it|this) is {name}\b",
        rf"^\s*(?:hi|hello|hey|dear|hiya)(?: there| all| team| everyone| {name})?\b",
        rf"\b(?:thanks|thank you|thankyou|regards|cheers|ta|wishes)\b[\s,.!-]+{name}(?: {name})?{end}",
        rf"(?<=[,.!\n])\s*{name}{end}",
    ):
        text = re.sub(pattern, " DROP ", text)
    return re.sub(r"\s+x+\s*$", " ", text)


_TOKEN = re.compile(
    r"\n|[A-Z0-9]*[A-Z][A-Z0-9]+|(?<![\w)])[+-]\d+(?![\w%.,:/-]*\d)(?!%)|\d+(?:[.,:/×-]\d+)+%?|\d+%|\d+|[a-z][a-z0-9]*|[^\s\w]|\S"
)


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    for token in _TOKEN.findall(text):
        glued = re.fullmatch(r"([a-z]+)(\d+)", token)
        if glued and token not in lexicon.KINDS and (glued[1] == "x" or glued[1] in lexicon.KINDS):
            found += [glued[1], glued[2]]
        else:
            found.append(token)
    return found


# --- from words to statements


def _statements(text: str, pools: Sequence[PoolWords]) -> tuple[list[_Said], str]:
    """What is said of which places, and why the rest is not clear (empty: all is)."""
    known = frozenset().union(*(pool.words for pool in pools))
    tokens = _tokens(text)
    free = any(token in lexicon.FREE for token in tokens)
    numbered = any(token in lexicon.NUMBERS or token[0].isdigit() for token in tokens)
    unclear = "question" if next((token for token in tokens if token != "DROP"), "") in lexicon.ASKING else ""
    if numbered and "capacity" in tokens or lexicon.TOTAL & {*tokens} and not free:
        unclear = "total"
    clauses, clause, breaks = [], [], []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        index += 1
        if token in lexicon.BREAKS or (token == "or" and clause and clause[0].kind == ZERO):
            clauses.append(clause)
            breaks.append(token)
            clause = []
            continue
        if token in lexicon.TENS and following == "-" and index + 1 < len(tokens) and tokens[index + 1] in lexicon.SMALL:
            index, following = index + 1, tokens[index + 1]
        if token in lexicon.TENS and following in lexicon.SMALL:
            clause.append(_Item("number", lexicon.TENS[token] + lexicon.SMALL[following], said=f"{token} {following}"))
            index += 1
            continue
        if token in ("a", "an"):
            kind = _kind_in(following, known)
            if (kind and (free or kind - {"bed"})) or (following in lexicon.UNITS and free):
                clause.append(_Item("number", 1, said=token))
            else:
                unclear = unclear or "words"
            continue
        if token in lexicon.NUMBERED and re.match(r"\d", following):
            unclear = unclear or "number"  # "room 12" has a name, not a count
        if token == "for" and not (following in ("now", "the", "both", "all", "REST", "BOTH") or _kind_in(following, known)):
            unclear = unclear or ("" if tokens[index - 2 : index - 1] and tokens[index - 2] in lexicon.UNITS else "condition")
        if token == "LESS":
            number = lexicon.NUMBERS.get(following) or (int(following) if re.fullmatch(r"[1-9]\d?", following) else 0)
            if number:
                clause.append(_Item(MORE, -number, said=following))
                index += 1
            else:
                unclear = unclear or "words"
            continue
        if token == "x" and (clause or following):  # "2 x general", "general x 2"
            continue
        item = _item(token, known, tokens[:index], following)
        if isinstance(item, str):
            unclear = unclear or item
        elif item is not None:
            if item.kind == "rest" or token == "no":
                clauses.append(clause)
                breaks.append("")
                clause = []
            if item.kind == "key" and clause and clause[-1].kind == "key":
                clause[-1].words |= item.words
                clause[-1].said += f" {token}"
            else:
                clause.append(item)
    clauses.append(clause)
    try:
        said = _paired([*zip(clauses, [*breaks, ""], strict=True)], len(pools))
    except _UnclearError as error:
        return [], unclear or error.why
    if any(one.value.kind == "number" and pool.maximum == one.value.number >= 5 for one in said for pool in pools) and not free:
        unclear = unclear or "total"
    if any(one.value.said.startswith("-") and one.key is not None for one in said):
        unclear = unclear or "unsure"  # "dementia -1": one less, or a dash before a count
    return said, unclear


def _item(token: str, known: frozenset[str], before: Sequence[str], following: str) -> _Item | str | None:
    """One word: what it brings, why it makes the reply unclear, or None when it changes nothing."""
    if re.fullmatch(r"[0-9]+", token):
        if len(token) > 4:
            return "words"
        number = int(token)
        return _Item("number", number, said=token) if number else _Item(ZERO, said=token)
    if re.fullmatch(r"[+-]\d{1,3}", token):
        return _Item(MORE, int(token), said=token)
    if token in ("+", "-") and following in lexicon.SMALL:
        return "words"
    if token in lexicon.NUMBERS:
        return _Item("number", lexicon.NUMBERS[token], said=token)
    if token in lexicon.ZERO:
        return _Item(ZERO, said=token, covers=token in lexicon.COVERING_ZERO)
    special = {"SAME": SAME, "REST": "rest", "BOTH": "both", "BOTHTAKEN": "taken", "each": "each"}.get(token)
    if special:
        return _Item(special, said=token)
    if token in lexicon.ALL:
        return _Item("all", said=token)
    if kind := _kind_in(token, known):
        return _Item("key", words=kind, said=token)
    if token in lexicon.UNITS:
        return _Item("key", said=token)
    if token in lexicon.CONNECTORS:
        return None if before[:-1] and following and following != "\n" else "words"
    if token in lexicon.HARMLESS or token in "()":
        return None
    return _reason(token) or _slip(token, known)


def _reason(token: str) -> str:
    for words, why in ((lexicon.UNSURE, "unsure"), (lexicon.LATER, "later"), (lexicon.CONDITION, "condition")):
        if token in words:
            return why
    return "number" if token[0].isdigit() else ""


def _slip(token: str, known: frozenset[str]) -> _Item | str | None:
    """A word with a letter wrong, where there is one word that it can be."""
    if len(token) < 5 or not token.isalpha():
        return "words"
    furthest = 2 if len(token) >= 8 else 1
    nearest: dict[str, int] = {}
    for word in {*lexicon.KINDS, *lexicon.NUMBERS, *lexicon.HARMLESS, *lexicon.UNITS, *known}:
        if len(word) >= 5 and word[0] == token[0] and word.islower():
            far = OSA.distance(token, word, score_cutoff=furthest)
            if far <= furthest:
                nearest[word] = far
    best = [word for word, far in nearest.items() if far == min(nearest.values())]
    meanings = {repr(_item(word, known, [], "")) if word in lexicon.NUMBERS else repr(_kind_in(word, known)) for word in best}
    if len(meanings) != 1:
        return "words"
    found = _item(best[0], known, [], "")
    if isinstance(found, _Item):
        found.said = token
    return found


def _kind(word: str) -> frozenset[str] | None:
    return lexicon.KINDS.get(word) or lexicon.KINDS.get(word.upper())


def _kind_in(word: str, known: frozenset[str]) -> frozenset[str] | None:
    """What kind of place a word tells; words of the pools' own names count."""
    if kind := _kind(word):
        return kind
    return frozenset({word}) if word in known and word not in lexicon.HARMLESS else None


def _units(word: str) -> bool:
    return word.casefold() in lexicon.UNITS or (_kind(word.casefold()) or frozenset()) <= {"bed", "hour", "visit", "session", "package"} and bool(
        _kind(word.casefold())
    )


def _paired(clauses: Sequence[tuple[list[_Item], str]], pools: int) -> list[_Said]:
    """Each value with its key: one order throughout a clause, nothing left alone."""
    said: list[_Said] = []
    waiting: list[_Item] = []  # "general and dementia full": kinds that wait for their word
    for number, (items, _) in enumerate(clauses):
        joined = clauses[number - 1][1] if number else ""
        if not items:
            continue
        if len(items) == 1 and items[0].kind == "key":
            if joined == "or" and said and said[-1].value.kind == ZERO and said[-1].key is not None:
                said.append(_Said(said[-1].value, items[0]))
            else:
                waiting.append(items[0])
            continue
        if waiting:
            said += _shared(waiting, items, joined)
            waiting = []
        else:
            said += _pairs(items, pools)
    if any(key.words for key in waiting):
        raise _UnclearError("number-missing")
    return said


def _shared(waiting: Sequence[_Item], items: Sequence[_Item], joined: str) -> list[_Said]:
    """ "general and dementia both full": one word for none, for each kind before it."""
    kinds = [item.kind for item in items]
    if joined in ("and", "&") and len(waiting) == 1 and kinds == ["key", "both", ZERO]:
        return [_Said(items[2], key) for key in (waiting[0], items[0])]
    raise _UnclearError("number-missing")


def _pairs(items: list[_Item], pools: int) -> list[_Said]:
    kinds = [item.kind for item in items]
    if kinds == ["taken"]:
        return [_Said(items[0], None)]
    if sorted(kinds) in (["both", ZERO], ["both", SAME]):
        if pools != 2:
            raise _UnclearError("which")
        value = next(item for item in items if item.kind != "both")
        return [_Said(value, _Item("all"))]
    if len(items) == 1 and items[0].is_value and items[0].said != "no":
        return [_Said(items[0], None)]
    if len(items) % 2 or any(a.is_value == b.is_value for a, b in zip(items, items[1:], strict=False)):
        raise _UnclearError("which")
    pairs = [items[start : start + 2] for start in range(0, len(items), 2)]
    said = []
    for one, other in pairs:
        value, key = (one, other) if one.is_value else (other, one)
        if value.said == "no" and value is other:
            raise _UnclearError("which")
        said.append(_Said(value, key))
    return said


# --- from statements to figures


def _resolve(said: Sequence[_Said], pools: Sequence[PoolWords]) -> tuple[Reading, ...]:
    """Give each statement its pools: those that name one pool first, so that what is left of a wider word is plain too."""
    figures: dict[int, Reading] = {}
    open_ = [(statement, _matching(statement, pools)) for statement in said]
    if any(not found for _, found in open_):
        raise _UnclearError("no-such-kind")
    wide: list[tuple[_Said, list[int]]] = []
    for statement, found in open_:
        key = statement.key
        if key is not None and key.kind == "key" and key.words and len(found) == 1:
            _put(figures, found[0], statement, pools)
        else:
            wide.append((statement, found))
    totals: list[tuple[_Said, list[int]]] = []
    for statement, found in wide:
        value, key = statement.value, statement.key
        if key is not None and key.kind == "rest":
            left = [index for index in range(len(pools)) if index not in figures]
        elif key is not None and key.kind in ("all", "each"):
            left = found
        else:
            left = [index for index in found if index not in figures] if len(pools) > 1 else found
        covers = (
            (key is not None and key.kind == "each")
            or value.kind == SAME
            or (value.kind == ZERO and (value.covers or key is not None))
        )
        if covers and left:
            for index in left:
                _put(figures, index, statement, pools)
        elif len(left) == 1 and (len(pools) == 1 or (key is not None and key.words)) and value.kind != ZERO:
            _put(figures, left[0], statement, pools)
        elif len(left) == 1 and len(pools) == 1:
            _put(figures, left[0], statement, pools)
        elif value.kind == "number":
            totals.append((statement, found))
        else:
            raise _UnclearError("which")
    _check_totals(totals, figures)
    return tuple(figures[index] for index in sorted(figures))


def _matching(statement: _Said, pools: Sequence[PoolWords]) -> list[int]:
    value, key = statement.value, statement.key
    if value.kind == "taken":
        if len(pools) != 1 or pools[0].available != 2:
            raise _UnclearError("which")
        return [0]
    if key is None or key.kind in ("rest", "each"):
        return list(range(len(pools)))
    if key.kind in ("all", "both"):
        if value.kind not in (ZERO, SAME):
            raise _UnclearError("which")
        return list(range(len(pools)))
    return [index for index, pool in enumerate(pools) if key.words <= pool.words]


def _put(figures: dict[int, Reading], index: int, statement: _Said, pools: Sequence[PoolWords]) -> None:
    """One figure for one pool. Two different ones contradict each other."""
    pool, value = pools[index], statement.value
    figure: int
    if value.kind in (SAME, MORE):
        if pool.available is None:
            raise _UnclearError("nothing-before")
        figure = pool.available + (value.number if value.kind == MORE else 0)
    else:
        figure = value.number
    if figure < 0 or figure > (pool.maximum if pool.maximum is not None else MOST):
        raise _UnclearError("too-many")
    if index in figures and figures[index].figure != figure:
        raise _UnclearError("twice")
    figures[index] = Reading(pool, figure, value.said)


def _check_totals(totals: Sequence[tuple[_Said, list[int]]], figures: Mapping[int, Reading]) -> None:
    """ "3 beds: 2 general, 1 dementia": a number without a kind is all right when it is what the others make together."""
    if not totals:
        return
    if len(totals) > 1 or len(figures) < 2:
        raise _UnclearError("which")
    statement, found = totals[0]
    if not set(figures) <= set(found) or sum(reading.figure for reading in figures.values()) != statement.value.number:
        raise _UnclearError("which")


# --- what is asked back

_WHY = {
    "question": "A person cannot read this number. We only keep how many places are free.",
    "total": "We could not tell whether that is how many are free or how many there are.",
    "unsure": "We can only keep one sure number for each.",
    "later": "We can only keep what is free now.",
    "condition": "We cannot keep conditions or reasons from a message.",
    "number": "We could not tell which number is the count.",
    "number-missing": "We need a number for each.",
    "which": "We could not tell which places each number is for.",
    "no-such-kind": "You named places that we do not have on your list.",
    "nothing-before": "We have no earlier number to go by.",
    "too-many": "That is more, or less, than there can be.",
    "twice": "There were two numbers for the same places.",
    "no-pools": "Your service has no open places on our list.",
    "long": "That was too long for us to be sure of.",
}


def _question(why: str, readings: Sequence[Reading], pools: Sequence[PoolWords]) -> str:
    """Polite, in one text message: what was read, why that is not enough, and how to write it."""
    parts = ["Sorry, we are not sure what you mean, so nothing is changed."]
    if readings:
        parts.append(f"We read: {describe(readings)}.")
    if why in _WHY:
        parts.append(_WHY[why])
    if pools:
        parts.append(f"Please write how many are free now, like: {example(pools)}. Or: none, or: same.")
    return " ".join(parts)
