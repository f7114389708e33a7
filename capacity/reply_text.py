"""The words that somebody wrote now, without the message that they answer and without what their mail program adds below."""

import re

#: Ours stands in every message that we send by e-mail: nothing below it is theirs.
MARKER = "Please write your answer above this line."

_QUOTE_STARTS = re.compile(
    "|".join(
        (
            r"^[ \t>*_-]*" + re.escape(MARKER),
            r"^[ \t]*-{2,}[ \t]*(?:original|forwarded) message[ \t]*-*",
            r"^[ \t]*_{10,}[ \t]*$",
            r"^[ \t]*(?:on|le|am)\b[^\n]{0,200}(?:\n[^\n]{0,200})?\b(?:wrote|a écrit|schrieb):?[ \t]*$",
            r"^[ \t]*\*?(?:from|de|von):\*?[ \t][^\n]*\n(?:[^\n]*\n){0,3}?[ \t]*\*?(?:sent|date|to|subject|envoyé|gesendet):",
            r"^[ \t]*this (?:e-?mail|message) (?:and|is|may|has|contains)\b",
            r"^[ \t]*(?:confidentiality|disclaimer|privileged|important)(?: notice)?[ \t]*:",
            r"^[ \t]*please consider the environment",
        )
    ),
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(r"^[ \t]*>.*$\n?", re.MULTILINE)
#: RFC 3676, and the words with which people close; whatever they write after those is read again before it is left out.
_DASHES = re.compile(r"^-- ?$", re.MULTILINE)
_CLOSING = re.compile(
    r"^[ \t]*(?:(?:many |kind |kindest |best |warm |warmest )?(?:thanks|regards|wishes)|thank you|cheers|yours (?:sincerely|faithfully))"
    r"(?: and (?:kind )?regards)?[ \t,.!]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SAYS_SOMETHING = re.compile(
    r"\b(?:ps|only|not|no|none|full|free|available|vacan\w*|beds?|places?|rooms?|spaces?|but|except|from monday|until|held|hold|reserved|"
    r"closed|ladies|women|female|men|male|if|stop|subject|covid|outbreak|general|dementia|residential|"
    r"mon|tues|wednes|thurs|fri|satur|sun|tomorrow|next week)\b|n['’]t\b",
    re.IGNORECASE,
)
_PLACE_LINE = re.compile(
    r"\b(?:home|house|court|lodge|grange|manor|hall|care|centre|manager|nurse|officer|group|limited|ltd|trust)\b", re.I
)


def own_words(text: str) -> str:
    """Cut the quoted message, the lines below it and the signature.

    A signature is cut after two dashes, or after a closing line ("Kind regards") when nothing in it could say something about places. Where
    it could, all of it stays, and the reader asks.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    if start := _QUOTE_STARTS.search(text):
        text = text[: start.start()]
    text = _QUOTED.sub("", text)
    for closing in (_DASHES, _CLOSING):
        if (found := closing.search(text)) and not _says_something(text[found.end() :]):
            text = text[: found.start()]
    return text.strip()


def _says_something(below: str) -> bool:
    """Whether lines below a closing could bear on places: any such word, but in the name of a house or a job."""
    return any(_SAYS_SOMETHING.search(line) and not _PLACE_LINE.search(line) for line in below.splitlines())
