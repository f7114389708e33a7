"""Checks of what people type, said once for notes, messages, documents and follow-ups."""

from core.errors import Invalid


def checked(words: str, wanted: str, *, longest: int, field: str) -> str:
    """The words without spaces around them. Raises Invalid, with the field: none, too many, or some that no screen shows."""
    words = words.replace("\r\n", "\n").strip()
    if not words:
        raise Invalid(wanted, field=field)
    if len(words) > longest:
        raise Invalid(f"Shorten this to {longest:,} letters or fewer: it has {len(words):,}.", field=field)
    if any(not letter.isprintable() and letter not in "\n\t" for letter in words):
        raise Invalid("Type the words again: there is a character in them that cannot be shown.", field=field)
    return words
