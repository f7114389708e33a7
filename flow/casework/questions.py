"""What a provider may ask before it says yes, and what may be answered: data, so that no answer can name anybody.

A question in a provider's own words has the answers of `OPEN`. A day is an answer too, where `day` says so.
"""

from dataclasses import dataclass
from datetime import date

from core.errors import Invalid

_YES_NO = (("yes", "Yes"), ("sometimes", "Sometimes"), ("no", "No"))
_NOT_KNOWN = ("not-known", "We do not know yet")


@dataclass(frozen=True, slots=True)
class Question:
    """One question and the answers to choose from. `day`: a day may be given instead."""

    code: str
    words: str
    answers: tuple[tuple[str, str], ...]
    day: bool = False

    def in_words(self, answer: str) -> str:
        """An answer as people read it."""
        found = dict(self.answers).get(answer)
        return found if found is not None else f"{date.fromisoformat(answer):%-d %B %Y}"

    def checked(self, answer: str) -> str:
        """The answer, if it is one. Raises Invalid."""
        if answer in dict(self.answers):
            return answer
        if self.day:
            try:
                return date.fromisoformat(answer).isoformat()
            except ValueError:
                raise Invalid("Choose an answer, or give a day such as 2026-03-27.", field="answer") from None
        raise Invalid("Choose one of the answers. Before a service says yes it reads nothing that is typed.", field="answer")


QUESTIONS: tuple[Question, ...] = (
    Question("ready-when", "From which day are they ready?", (("now", "They are ready now"), _NOT_KNOWN), day=True),
    Question("stairs", "Can they climb stairs?", (("yes", "Yes"), ("with-help", "With help"), ("no", "No"), _NOT_KNOWN)),
    Question(
        "walking", "How do they get about?",
        (("alone", "Walking alone"), ("aid", "With a stick or frame"), ("wheelchair", "In a wheelchair"), ("bed", "They stay in bed"),
         _NOT_KNOWN),
    ),
    Question("two-carers", "Do they need two carers at a time?", (*_YES_NO, _NOT_KNOWN)),
    Question("night", "Do they need help at night?", (*_YES_NO, _NOT_KNOWN)),
    Question("confused", "Are they confused, or do they leave without telling anybody?", (*_YES_NO, _NOT_KNOWN)),
    Question("medicines", "Do they need help with medicines?", (*_YES_NO, _NOT_KNOWN)),
    Question(
        "equipment", "Is equipment needed?",
        (("ordered", "Yes, it is ordered"), ("needed", "Yes, not ordered yet"), ("none", "No"), _NOT_KNOWN),
    ),
    Question("funding", "Is it agreed who pays?", (("agreed", "Yes"), ("applied", "It is applied for"), ("no", "Not yet"))),
    Question("interpreter", "Do they need an interpreter?", (("yes", "Yes"), ("no", "No"), _NOT_KNOWN)),
    Question("smoker", "Do they smoke?", (("yes", "Yes"), ("no", "No"), _NOT_KNOWN)),
    Question("pet", "Do they bring a pet?", (("yes", "Yes"), ("no", "No"), _NOT_KNOWN)),
)  # fmt: skip
BY_CODE: dict[str, Question] = {question.code: question for question in QUESTIONS}
#: A question in own words.
OPEN = Question(
    "", "", (("yes", "Yes"), ("no", "No"), _NOT_KNOWN, ("finding-out", "We are finding out"), ("ring", "Please ring us")), day=True
)


def question(code: str) -> Question:
    """By its code; `OPEN` for none, and for one that is asked no more."""
    return BY_CODE.get(code, OPEN)
