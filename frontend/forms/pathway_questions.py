"""The questions of a pathway's version as fields of a form: of a referral to a hub, and of one straight to services."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms

from flow.models import PathwayVersion
from flow.pathways.configuration import Question, read

_ANSWER = "answer-"


def pathway_field(help_text: str) -> forms.ChoiceField:
    """Which pathway; `add_pathway` says which there are."""
    changed = "This pathway has changed, or does not include these services. Choose again."
    return forms.ChoiceField(label="On a pathway?", help_text=help_text, required=False, error_messages={"invalid_choice": changed})


def add_questions(form: forms.Form, version: PathwayVersion | None) -> list[str]:
    """Add a field for each question; returns their names in the order in which they are asked."""
    names = []
    for question in read(version).questions if version is not None else ():
        name = name_of(question.key)
        form.fields[name] = field_for(question)
        names.append(name)
    return names


def add_pathway(form: forms.Form, versions: Collection[PathwayVersion], version: PathwayVersion | None) -> list[str]:
    """Let a form name one of these pathways, and ask the questions of `version`. Without any there is no such field, unless one was
    named: what was chosen and cannot be any more is refused in words, and never left out in silence.
    """
    if versions or (form.is_bound and form.data.get("pathway")):
        named = [(str(each.pk), each.pathway.name) for each in versions]
        form.fields["pathway"].choices = [("", "No pathway"), *named]  # type: ignore[attr-defined]
    else:
        del form.fields["pathway"]
    return add_questions(form, version)


def chosen(form: forms.Form, questions: list[str]) -> dict[str, Any]:
    """The pathway and the answers, as `flow.operations.send` takes them."""
    named = form.cleaned_data.get("pathway")
    return {"version_id": UUID(named) if named else None, "typed": typed(form, questions)}


def name_of(key: str) -> str:
    """What the field of a question is called, by the question's key."""
    return f"{_ANSWER}{key}"


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
