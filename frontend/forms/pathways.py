"""Setting up a pathway: what it is, its questions, the steps expected and what roles are called."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms import formset_factory

from catalogue.models import Area, TaxonomyTerm
from catalogue.models.taxonomy import CARE_TYPE
from flow.models import Hub, PathwayVersion
from flow.pathways.configuration import (
    AFTER,
    KINDS,
    MILESTONES,
    ROLES,
    SHOWN,
    UNITS,
    Configuration,
    Expected,
    Question,
    RoleName,
    read,
)

#: Empty rows below those that are filled in.
MORE = 2


class NewPathwayForm(forms.Form):
    name = forms.CharField(label="Name", max_length=100, error_messages={"required": "Enter a name"})
    code = forms.CharField(
        label="Code",
        help_text="Small letters, digits and hyphens, such as cancer-support. It stays.",
        max_length=40,
        error_messages={"required": "Enter a code"},
    )
    for_whom = forms.CharField(label="For whom", max_length=300, error_messages={"required": "Say for whom it is"})


class PathwayForm(forms.Form):
    """What is said once. Name, description and hubs hold at once; the rest from when the version is published."""

    name = forms.CharField(label="Name", max_length=100, error_messages={"required": "Enter a name"})
    for_whom = forms.CharField(label="For whom", max_length=300, error_messages={"required": "Say for whom it is"})
    hubs = forms.ModelMultipleChoiceField(
        label="Hubs that take it", queryset=Hub.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    care_types = forms.MultipleChoiceField(
        label="Kinds of care that belong to it",
        help_text="None ticked: any.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    outcome_tools = forms.CharField(
        label="Outcome tools", help_text="One on each line, such as ONS4.", required=False, widget=forms.Textarea, max_length=1000
    )
    note = forms.CharField(label="What changed?", required=False, max_length=200)

    def __init__(self, *args: Any, hubs: QuerySet[Hub], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hubs"].queryset = hubs  # type: ignore[attr-defined]
        self.fields["care_types"].choices = [(term.code, term.name) for term in TaxonomyTerm.objects.of(CARE_TYPE)]  # type: ignore[attr-defined]


class QuestionForm(forms.Form):
    text = forms.CharField(label="Question", max_length=200, required=False)
    key = forms.CharField(label="Code", max_length=40, required=False)
    kind = forms.ChoiceField(label="Answer", choices=list(KINDS.items()), initial="yes-no", required=False)
    choices = forms.CharField(label="Answers to choose from, one on each line", required=False, widget=forms.Textarea)
    shown = forms.ChoiceField(label="A service reads it", choices=list(SHOWN.items()), initial=AFTER, required=False)
    required = forms.BooleanField(label="Must be answered", required=False)

    def question(self) -> Question | None:
        """None for an empty row."""
        data = self.cleaned_data
        if not data.get("text") and not data.get("key"):
            return None
        choices = tuple(line.strip() for line in data["choices"].splitlines() if line.strip())
        return Question(
            key=data["key"] or _code_from(data["text"]),
            text=data["text"],
            kind=data["kind"],
            required=data["required"],
            shown=data["shown"] or AFTER,
            choices=choices if data["kind"] == "choice" else (),
        )


class StepForm(forms.Form):
    milestone = forms.ChoiceField(label="Step", choices=[("", "None"), *MILESTONES.items()], required=False)
    within = forms.IntegerField(label="Within", min_value=1, max_value=1000, required=False)
    unit = forms.ChoiceField(label="Counted in", choices=list(UNITS.items()), required=False)

    def step(self) -> Expected | None:
        data = self.cleaned_data
        return Expected(data["milestone"], data["within"] or 0, data["unit"]) if data.get("milestone") else None


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=[("", "None"), *ROLES.items()], required=False)
    area = forms.ChoiceField(label="Where", required=False)
    name = forms.CharField(label="Is called", max_length=60, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        districts = Area.objects.filter(kind=Area.Kind.DISTRICT).order_by("name").values_list("code", "name")
        self.fields["area"].choices = [("", "Everywhere"), *districts]  # type: ignore[attr-defined]

    def role_name(self) -> RoleName | None:
        data = self.cleaned_data
        return RoleName(data["role"], data["name"], data["area"]) if data.get("role") else None


QuestionSet = formset_factory(QuestionForm, extra=MORE, max_num=40)
StepSet = formset_factory(StepForm, extra=MORE, max_num=12)
RoleSet = formset_factory(RoleForm, extra=MORE, max_num=20)


class Editor:
    """All the forms of one draft."""

    def __init__(self, version: PathwayVersion, hubs: QuerySet[Hub], data: Any = None) -> None:
        now = read(version)
        self.form = PathwayForm(
            data,
            hubs=hubs,
            initial={
                "name": version.pathway.name,
                "for_whom": version.pathway.for_whom,
                "hubs": [hub.pk for hub in version.pathway.hubs.all()],
                "care_types": now.care_types,
                "outcome_tools": "\n".join(now.outcome_tools),
                "note": version.note,
            },
        )
        questions = [
            {"text": q.text, "key": q.key, "kind": q.kind, "choices": "\n".join(q.choices), "shown": q.shown, "required": q.required}
            for q in now.questions
        ]
        self.questions = QuestionSet(data, initial=questions, prefix="q")
        steps = [{"milestone": step.milestone, "within": step.within, "unit": step.unit} for step in now.steps]
        self.steps = StepSet(data, initial=steps, prefix="s")
        names = [{"role": name.role, "area": name.area, "name": name.name} for name in now.role_names]
        self.roles = RoleSet(data, initial=names, prefix="r")

    def is_valid(self) -> bool:
        """Whether each part can be read; what each says is checked by `flow.pathways.configuration`."""
        parts: Iterable[Any] = (self.form, self.questions, self.steps, self.roles)
        valid = [part.is_valid() for part in parts]
        if not all(valid) and valid[0]:
            self.form.add_error(None, "Something in the questions, steps or roles cannot be read. Numbers are whole.")
        return all(valid)

    def configuration(self) -> Configuration:
        data = self.form.cleaned_data
        return Configuration(
            questions=tuple(asked for form in self.questions if (asked := form.question())),
            steps=tuple(found for form in self.steps if (found := form.step())),
            care_types=tuple(data["care_types"]),
            outcome_tools=tuple(line.strip() for line in data["outcome_tools"].splitlines() if line.strip()),
            role_names=tuple(name for form in self.roles if (name := form.role_name())),
        )


def _code_from(text: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    words = [word for word in kept.split("-") if word]
    return "-".join(words)[:40].strip("-") or "question"
