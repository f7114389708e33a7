"""What a version of a pathway says: its questions, the steps expected with their deadlines, and the names of roles.

Kept as lists of plain values, so that a version can be read years later; read and checked here alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from catalogue.lexicon import name_of
from catalogue.models import Area, TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE
from core.errors import Invalid
from flow.models import PathwayVersion

#: Types of answer, in words.
KINDS = {"text": "Words", "choice": "One of several", "yes-no": "Yes or no", "date": "A date", "number": "A number"}
#: When a provider reads an answer.
BEFORE, AFTER = "before", "after"
SHOWN = {AFTER: "After it has said yes", BEFORE: "With the request"}
#: What a pathway may expect, in the order in which it comes. All but the first count from when the referral was sent.
MILESTONES = {
    "triaged": "A hub has looked at it",
    "asked": "A service was asked",
    "answered": "A service has answered",
    "accepted": "A service has said yes",
    "started": "Support has started",
    "finished": "Support is finished",
}
UNITS = {"hours": "hours", "working-days": "working days"}
ROLES = {"link-worker": "Link worker", "care-coordinator": "Care coordinator", "hub-worker": "Person at the hub"}
_YES_NO = {"yes": "Yes", "no": "No"}
MOST_QUESTIONS, MOST_WORDS = 30, 1000
#: Of outcome tools: how many, how often each, and the last day.
MOST_TOOLS, MOST_TIMES, LAST_DAY = 10, 12, 700


@dataclass(frozen=True, slots=True)
class Question:
    """One question that the sender answers. `key` stays the same from version to version."""

    key: str
    text: str
    kind: str
    required: bool = False
    shown: str = AFTER
    choices: tuple[str, ...] = ()
    hint: str = ""

    @property
    def options(self) -> dict[str, str]:
        """What may be chosen, as value and words; empty for what is typed."""
        return _YES_NO if self.kind == "yes-no" else {choice: choice for choice in self.choices}


@dataclass(frozen=True, slots=True)
class Expected:
    """By when a milestone is expected."""

    milestone: str
    within: int
    unit: str

    @property
    def words(self) -> str:
        return f"{MILESTONES[self.milestone]} within {self.within} {UNITS[self.unit] if self.within != 1 else UNITS[self.unit][:-1]}"


@dataclass(frozen=True, slots=True)
class RoleName:
    """What a role is called, everywhere (`area` empty) or in one district."""

    role: str
    name: str
    area: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A questionnaire by its name, and on which days after the yes its score is due. Its questions stand elsewhere: many need a licence."""

    name: str
    days: tuple[int, ...] = ()

    @property
    def words(self) -> str:
        if not self.days:
            return f"{self.name}: no days set, so Lune asks nobody for it"
        on = ["on the day of the yes" if day == 0 else f"{day} {'day' if day == 1 else 'days'} after it" for day in self.days]
        return f"{self.name}: {', '.join(on)}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """All of it, checked."""

    questions: tuple[Question, ...] = ()
    steps: tuple[Expected, ...] = ()
    care_types: tuple[str, ...] = ()
    outcome_tools: tuple[Tool, ...] = ()
    role_names: tuple[RoleName, ...] = ()

    def stored(self) -> dict[str, Any]:
        """As the fields of `PathwayVersion`."""
        return {
            "questions": [asdict(question) | {"choices": list(question.choices)} for question in self.questions],
            "steps": [asdict(step) for step in self.steps],
            "care_types": list(self.care_types),
            "outcome_tools": [tool.name for tool in self.outcome_tools],
            "outcome_days": {tool.name: list(tool.days) for tool in self.outcome_tools if tool.days},
            "role_names": [asdict(name) for name in self.role_names],
        }


def read(version: PathwayVersion) -> Configuration:
    """What a version says."""
    return Configuration(
        questions=tuple(Question(**question | {"choices": tuple(question.get("choices", ()))}) for question in version.questions),
        steps=tuple(Expected(**step) for step in version.steps),
        care_types=tuple(version.care_types),
        outcome_tools=tuple(Tool(name, tuple(version.outcome_days.get(name, ()))) for name in version.outcome_tools),
        role_names=tuple(RoleName(**name) for name in version.role_names),
    )


def require_sound(configuration: Configuration) -> None:
    """Raise Invalid for what could not be asked, shown or kept to."""
    keys = [question.key for question in configuration.questions]
    if len(keys) > MOST_QUESTIONS:
        raise Invalid(f"Ask at most {MOST_QUESTIONS} questions: nobody answers more.", field="questions")
    if len(set(keys)) < len(keys):
        raise Invalid("Two questions have the same code. Give each a code of its own.", field="questions")
    for question in configuration.questions:
        _require_question(question)
    _require_steps(configuration.steps)
    _require_tools(configuration.outcome_tools)
    for name in configuration.role_names:
        if name.role not in ROLES or not name.name:
            raise Invalid("Choose a role and say what it is called.", field="role_names")
    known = set(TaxonomyTerm.objects.of(CARE_TYPE).filter(code__in=configuration.care_types).values_list("code", flat=True))
    if unknown := [code for code in configuration.care_types if code not in known]:
        raise Invalid(f"There is no kind of care called “{unknown[0]}”.", field="care_types")


def _require_question(question: Question) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", question.key):
        raise Invalid(f"Write the code “{question.key}” with small letters, digits and hyphens.", field="questions")
    if not question.text or question.kind not in KINDS or question.shown not in SHOWN:
        raise Invalid(f"Say of “{question.key}” what is asked, which kind of answer it has and who reads it.", field="questions")
    if question.kind == "choice" and len(set(question.choices)) < 2:
        raise Invalid(f"Give “{question.text}” at least two answers to choose from, one on each line.", field="questions")
    if question.kind in ("text", "date") and question.shown == BEFORE:
        raise Invalid(
            f"“{question.text}” can be shown only after the service has said yes: words and dates may tell who the person is.",
            field="questions",
        )


def _require_steps(steps: tuple[Expected, ...]) -> None:
    if len({step.milestone for step in steps}) < len(steps):
        raise Invalid("Expect each step once.", field="steps")
    for step in steps:
        if step.milestone not in MILESTONES or step.unit not in UNITS or not 1 <= step.within <= 1000:
            raise Invalid("Give each step a deadline from 1 to 1000 hours or working days.", field="steps")


def _require_tools(tools: tuple[Tool, ...]) -> None:
    if len(tools) > MOST_TOOLS:
        raise Invalid(f"Use at most {MOST_TOOLS} outcome tools.", field="outcome_tools")
    if len({tool.name for tool in tools}) < len(tools):
        raise Invalid("Name each outcome tool once, with all its days.", field="outcome_tools")
    for tool in tools:
        if not 1 <= len(tool.name) <= 100:
            raise Invalid("Give each outcome tool a name of up to 100 letters.", field="outcome_tools")
        if len(tool.days) > MOST_TIMES or not all(0 <= day <= LAST_DAY for day in tool.days):
            most = f"up to {MOST_TIMES} days from 0 to {LAST_DAY}"
            raise Invalid(f"Give “{tool.name}” {most}, counted from the day of the yes.", field="outcome_tools")


def answers(version: PathwayVersion, typed: Mapping[str, str]) -> dict[str, str]:
    """What was answered, checked question by question. Raises Invalid with the question's key in `field`."""
    found: dict[str, str] = {}
    for question in read(version).questions:
        value = (typed.get(question.key) or "").strip()
        if not value:
            if question.required:
                raise Invalid(f"Answer this: {question.text}", field=question.key)
            continue
        found[question.key] = _answer(question, value)
    return found


def _answer(question: Question, value: str) -> str:
    if question.options and value not in question.options:
        raise Invalid(f"Choose one of the answers: {question.text}", field=question.key)
    if question.kind == "date":
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise Invalid(f"Enter a date: {question.text}", field=question.key) from None
    if question.kind == "number" and not re.fullmatch(r"\d{1,6}", value):
        raise Invalid(f"Enter a whole number: {question.text}", field=question.key)
    if len(value) > MOST_WORDS:
        raise Invalid(f"Shorten this to {MOST_WORDS} letters: {question.text}", field=question.key)
    return value


def answered(version: PathwayVersion | None, given: Mapping[str, str], *, known: bool) -> list[tuple[str, str]]:
    """Questions and answers as somebody may read them: all with `known`, else those that the version shows before a yes.

    What is typed freely is never among these, whatever a version says.
    """
    if version is None:
        return []
    return [
        (question.text, _words(question, given[question.key]))
        for question in read(version).questions
        if question.key in given and (known or (question.shown == BEFORE and question.kind not in ("text", "date")))
    ]


def _words(question: Question, value: str) -> str:
    if question.kind == "date":
        day = date.fromisoformat(value)
        return f"{day:%-d %B %Y}"
    return question.options.get(value, value)


def area_names(configuration: Configuration) -> dict[str, str]:
    """The districts that have names of their own for a role, by code."""
    codes = [name.area for name in configuration.role_names if name.area]
    return dict(Area.objects.filter(code__in=codes).values_list("code", "name"))


def care_type_names(codes: Iterable[str]) -> list[str]:
    """Kinds of care in words."""
    return [name_of(CARE_TYPE, code) for code in codes]
