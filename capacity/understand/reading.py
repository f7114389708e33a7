"""From a reply to statements: each number or word for none, with what it is of. What is not known makes it unclear."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from rapidfuzz.distance import OSA

from capacity.understand import lexicon
from capacity.understand.model import MORE, SAME, ZERO, Item, PoolWords, Said, UnclearError, kind_of


def plain(text: str) -> str:
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


def is_stop(text: str) -> bool:
    words = re.findall(r"[a-z]+", text)
    if not words or len(words) > 12 or re.search(r"\d", text):
        return False
    if len(words) == 1:
        return words[0] in lexicon.STOP_ALONE
    return (bool(lexicon.STOP_FIRST & set(words)) and set(words) <= lexicon.STOP_WORDS) or words[:2] == ["opt", "out"]


def prepared(text: str, names: Sequence[str]) -> str:
    """Take out what holds numbers but no count, greetings with their names, and turn phrases into single words."""
    if "?" in text:
        raise UnclearError("question")
    text = re.sub(r"(?:\b(?:tel|telephone|phone|mob|mobile)[:. ]*)?(?:\+44[ -]?|\b0)(?:[ ()-]?\d){9,10}\b", " TEL ", text)
    text = re.sub(r"(?:\b(?:at|from)\s+|@\s*)?£\s?\d[\d,.]*k?\s*(?:(?:per|a|each|/)\s*(?:week|wk)|p/?w\b|weekly\b)?", " ", text)
    text = re.sub(r"\(\s*(?:in )?(?:rooms?|rm)\.? ?\d+(?:\s*(?:,|and|&)\s*\d+)*\s*\)", " ", text)
    for name in sorted(map(plain, names), key=len, reverse=True):
        if {*re.findall(r"[a-z0-9]+", name)} <= lexicon.MEANING:
            continue  # a service that is called "Full House" must not make "full" unheard
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


def _words(text: str) -> list[str]:
    found: list[str] = []
    for word in _TOKEN.findall(text):
        glued = re.fullmatch(r"([a-z]+)(\d+)", word)
        if glued and word not in lexicon.KINDS and (glued[1] == "x" or glued[1] in lexicon.KINDS):
            found += [glued[1], glued[2]]
        else:
            found.append(word)
    return found


def statements(text: str, pools: Sequence[PoolWords]) -> tuple[list[Said], str]:
    """What is said of which places, and why the rest is not clear (empty: all is)."""
    known = frozenset().union(*(pool.words for pool in pools))
    words = _words(text)
    free = any(word in lexicon.FREE for word in words)
    numbered = any(word in lexicon.NUMBERS or word[0].isdigit() for word in words)
    unclear = "question" if next((word for word in words if word != "DROP"), "") in lexicon.ASKING else ""
    if (numbered and "capacity" in words) or (lexicon.TOTAL & {*words} and not free):
        unclear = "total"
    clauses: list[list[Item]] = []
    clause: list[Item] = []
    breaks: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        following = words[index + 1] if index + 1 < len(words) else ""
        index += 1
        if word in lexicon.BREAKS or (word == "or" and clause and clause[0].kind == ZERO):
            clauses.append(clause)
            breaks.append(word)
            clause = []
            continue
        if word in lexicon.TENS and following == "-" and index + 1 < len(words) and words[index + 1] in lexicon.SMALL:
            index, following = index + 1, words[index + 1]
        if word in lexicon.TENS and following in lexicon.SMALL:
            clause.append(Item("number", lexicon.TENS[word] + lexicon.SMALL[following], said=f"{word} {following}"))
            index += 1
            continue
        if word in ("a", "an"):
            kind = _kind_in(following, known)
            if (kind and (free or kind - {"bed"})) or (following in lexicon.UNITS and free):
                clause.append(Item("number", 1, said=word))
            else:
                unclear = unclear or "words"
            continue
        if word in lexicon.NUMBERED and re.match(r"\d", following):
            unclear = unclear or "number"  # "room 12" has a name, not a count
        if word == "for" and not (following in ("now", "the", "both", "all", "REST", "BOTH") or _kind_in(following, known)):
            unclear = unclear or ("" if words[index - 2 : index - 1] and words[index - 2] in lexicon.UNITS else "condition")
        if word == "LESS":
            number = lexicon.NUMBERS.get(following) or (int(following) if re.fullmatch(r"[1-9]\d?", following) else 0)
            if number:
                clause.append(Item(MORE, -number, said=following))
                index += 1
            else:
                unclear = unclear or "words"
            continue
        if word == "x" and (clause or following):  # "2 x general", "general x 2"
            continue
        item = _item(word, known, words[:index], following)
        if isinstance(item, str):
            unclear = unclear or item
        elif item is not None:
            if item.kind == "rest" or word == "no":
                clauses.append(clause)
                breaks.append("")
                clause = []
            if item.kind == "key" and clause and clause[-1].kind == "key":
                clause[-1].words |= item.words
                clause[-1].said += f" {word}"
            else:
                clause.append(item)
    clauses.append(clause)
    try:
        said = _paired([*zip(clauses, [*breaks, ""], strict=True)], len(pools))
    except UnclearError as error:
        return [], unclear or error.why
    for one in said:
        one.free = free
    if any(one.value.said.startswith("-") and one.key is not None for one in said):
        unclear = unclear or "unsure"  # "dementia -1": one less, or a dash before a count
    return said, unclear


def _item(word: str, known: frozenset[str], before: Sequence[str], following: str) -> Item | str | None:
    """One word: what it brings, why it makes the reply unclear, or None when it changes nothing."""
    if re.fullmatch(r"[0-9]+", word):
        if len(word) > 4:
            return "words"
        number = int(word)
        return Item("number", number, said=word) if number else Item(ZERO, said=word)
    if re.fullmatch(r"[+-]\d{1,3}", word):
        return Item(MORE, int(word), said=word)
    if word in ("+", "-") and following in lexicon.SMALL:
        return "words"
    if word in lexicon.NUMBERS:
        return Item("number", lexicon.NUMBERS[word], said=word)
    if word in lexicon.ZERO:
        return Item(ZERO, said=word, covers=word in lexicon.COVERING_ZERO)
    special = {"SAME": SAME, "REST": "rest", "BOTH": "both", "BOTHTAKEN": "taken", "each": "each"}.get(word)
    if special:
        return Item(special, said=word)
    if word in lexicon.ALL:
        return Item("all", said=word)
    if kind := _kind_in(word, known):
        return Item("key", words=kind, said=word)
    if word in lexicon.UNITS:
        return Item("key", said=word)
    if word in lexicon.CONNECTORS:
        return None if before[:-1] and following and following != "\n" else "words"
    if word in lexicon.HARMLESS or word in "()":
        return None
    return _reason(word) or _slip(word, known)


def _reason(word: str) -> str:
    for words, why in ((lexicon.UNSURE, "unsure"), (lexicon.LATER, "later"), (lexicon.CONDITION, "condition")):
        if word in words:
            return why
    return "number" if word[0].isdigit() else ""


def _slip(word: str, known: frozenset[str]) -> Item | str | None:
    """A word with a letter wrong, where there is one word that it can be. Another ending is another word: "placed" is not "places"."""
    if len(word) < 5 or not word.isalpha():
        return "words"
    furthest = 2 if len(word) >= 8 else 1
    nearest: dict[str, int] = {}
    for meant in {*lexicon.KINDS, *lexicon.NUMBERS, *lexicon.HARMLESS, *lexicon.UNITS, *known} - lexicon.TOTAL:
        another = word.startswith(meant) or (len(word) == len(meant) and word[:-1] == meant[:-1])
        if len(meant) >= 5 and meant[0] == word[0] and meant.islower() and not another:
            far = OSA.distance(word, meant, score_cutoff=furthest)
            if far <= furthest:
                nearest[meant] = far
    found = [_item(meant, known, [], "") for meant, far in nearest.items() if far == min(nearest.values())]
    if not found or any(repr(_meaning(one)) != repr(_meaning(found[0])) for one in found):
        return "words"
    if isinstance(found[0], Item):
        found[0].said = word
    return found[0]


def _meaning(item: Item | str | None) -> tuple[str, int, list[str]] | str | None:
    return (item.kind, item.number, sorted(item.words)) if isinstance(item, Item) else item


def _kind_in(word: str, known: frozenset[str]) -> frozenset[str] | None:
    """What kind of place a word tells; words of the pools' own names count."""
    if kind := kind_of(word):
        return kind
    return frozenset({word}) if word in known and word not in lexicon.HARMLESS else None


def _paired(clauses: Sequence[tuple[list[Item], str]], pools: int) -> list[Said]:
    """Each value with its key: one order throughout a clause, nothing left alone."""
    said: list[Said] = []
    waiting: list[Item] = []  # "general and dementia full": kinds that wait for their word
    for number, (items, _) in enumerate(clauses):
        joined = clauses[number - 1][1] if number else ""
        if not items:
            continue
        if len(items) == 1 and items[0].kind == "key":
            if joined == "or" and said and said[-1].value.kind == ZERO and said[-1].key is not None:
                said.append(Said(said[-1].value, items[0]))
            else:
                waiting.append(items[0])
            continue
        if waiting:
            said += _shared(waiting, items, joined)
            waiting = []
        else:
            said += _pairs(items, pools)
    if any(key.words for key in waiting):
        raise UnclearError("number-missing")
    return said


def _shared(waiting: Sequence[Item], items: Sequence[Item], joined: str) -> list[Said]:
    """ "general and dementia both full": one word for none, for each kind before it."""
    kinds = [item.kind for item in items]
    if joined in ("and", "&") and len(waiting) == 1 and kinds == ["key", "both", ZERO]:
        return [Said(items[2], key) for key in (waiting[0], items[0])]
    raise UnclearError("number-missing")


def _pairs(items: list[Item], pools: int) -> list[Said]:
    kinds = [item.kind for item in items]
    if kinds == ["taken"]:
        return [Said(items[0], None)]
    if sorted(kinds) in (["both", ZERO], ["both", SAME]):
        if pools != 2:
            raise UnclearError("which")
        value = next(item for item in items if item.kind != "both")
        return [Said(value, Item("all"))]
    if len(items) == 1 and items[0].is_value and items[0].said != "no":
        return [Said(items[0], None)]
    if len(items) % 2 or any(a.is_value == b.is_value for a, b in pairwise(items)):
        raise UnclearError("which")
    pairs = [items[start : start + 2] for start in range(0, len(items), 2)]
    said = []
    for one, other in pairs:
        value, key = (one, other) if one.is_value else (other, one)
        if value.said == "no" and value is other:
            raise UnclearError("which")
        said.append(Said(value, key))
    return said
