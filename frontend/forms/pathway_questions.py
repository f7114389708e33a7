"""The questions of a pathway's version as fields of a form: of a referral to a hub, and of one straight to services."""

from typing import Any

from django import forms

from flow.models import PathwayVersion
from flow.pathways.configuration import Question, read

_ANSWER = "answer-"


def add_questions(form: forms.Form, version: PathwayVersion | None) -> list[str]:
    """Add a field for each question; returns their names in the order in which they are asked."""
    names = []
    for question in read(version).questions if version is not None else ():
        name = f"{_ANSWER}{question.key}"
        form.fields[name] = field_for(question)
        names.append(name)
    return names


def typed(form: forms.Form, names: list[str]) -> dict[str, str]:
    """The answers by the question's key, as `flow.pathways.configuration.answers` reads them."""
    found = {name.removeprefix(_ANSWER): form.cleaned_data.get(name) for name in names}
    given = {key: value for key, value in found.items() if value not in (None, "")}
    return {key: value.isoformat() if hasattr(value, "isoformat") else str(value) for key, value in given.items()}


def field_for(question: Question) -> forms.Field:
    """How one question is asked."""
    common: dict[str, Any] = {"label": question.text, "required": question.required, "help_text": question.hint}
    if question.required:
        common["error_messages"] = {"required": f"Answer this: {question.text}"}
    if question.options:
        return forms.ChoiceField(choices=list(question.options.items()), widget=forms.RadioSelect, **common)
    if question.kind == "date":
        common["error_messages"] = {**common.get("error_messages", {}), "invalid": f"Enter a date: {question.text}"}
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common)
    if question.kind == "number":
        return forms.IntegerField(min_value=0, max_value=999_999, **common)
    return forms.CharField(max_length=1000, widget=forms.Textarea, **common)
