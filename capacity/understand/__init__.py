"""What a provider's own words say about free places: "2 general, 0 dementia". A pure function that never guesses.

Every word must be one that we know (`capacity.understand.lexicon`), and every number must belong to one pool. Whatever is left over could
change the meaning, so the answer is then a question that repeats what was read.
"""

from collections.abc import Iterable, Sequence

from capacity.reply_text import own_words
from capacity.understand.figures import resolve
from capacity.understand.model import SAME, AskAgain, PoolWords, Reading, Stop, UnclearError, Understood
from capacity.understand.reading import is_stop, plain, prepared, statements

__all__ = ["AskAgain", "PoolWords", "Reading", "Stop", "Understood", "describe", "example", "understand"]

LONGEST = 1_000


def understand(text: str, pools: Sequence[PoolWords], *, names: Sequence[str] = ()) -> Understood | AskAgain | Stop:
    """Read a reply about `pools`. `names` are those of the service and its organisation, which people put into greetings.

    Never raises. A figure is given only for a pool that was named, unless there is one pool or the word covers all ("none", "full",
    "same", "2 of each").
    """
    written = plain(own_words(text[: LONGEST * 20]))
    if is_stop(written):
        return Stop()
    readings: tuple[Reading, ...] = ()
    try:
        if not pools:
            raise UnclearError("no-pools")
        if len(written) > LONGEST:
            raise UnclearError("long")
        said, unclear = statements(prepared(written, names), pools)
        try:
            readings = resolve(said, pools)
        except UnclearError as error:
            unclear = unclear or error.why
        if unclear:
            raise UnclearError(unclear)
        if not readings:
            raise UnclearError("nothing")
    except UnclearError as error:
        return AskAgain(_question(error.why, readings, pools), error.why, readings)
    return Understood(readings, same=all(statement.value.kind == SAME for statement in said))


def describe(readings: Iterable[Reading]) -> str:
    """Figures in words: "2 general residential, 0 dementia residential"."""
    return ", ".join(f"{reading.figure} {reading.pool.label}" for reading in readings)


def example(pools: Sequence[PoolWords]) -> str:
    """How to write it, in the service's own words."""
    return ", ".join(f"{2 if number == 0 else 0} {pool.label}" for number, pool in enumerate(pools[:4]))


# --- what is asked back

_WHY = {
    "question": "We cannot answer questions here; we only keep how many places are free.",
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
