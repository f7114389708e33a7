"""Setting up a pathway: what it is, its questions, the steps expected and what roles are called."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.forms import formset_factory

from catalogue.models import Area, Organization, TaxonomyTerm, User
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
    Tool,
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
    organizations = forms.ModelMultipleChoiceField(
        label="Who refers on it",
        help_text="None ticked: everybody who refers.",
        queryset=Organization.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label="What changes with this version?", help_text="One line, for the list of versions.", required=False, max_length=200
    )

    def __init__(self, *args: Any, hubs: QuerySet[Hub], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hubs"].queryset = hubs  # type: ignore[attr-defined]
        refer = User.objects.filter(role=User.Role.REFERRER, is_active=True).order_by().values("organization")
        known = Q(pk__in=refer) | Q(pk__in=[organization.pk for organization in (self.initial.get("organizations") or ())])
        self.fields["organizations"].queryset = Organization.objects.filter(known).order_by("name")  # type: ignore[attr-defined]
        self.fields["care_types"].choices = [(term.code, term.name) for term in TaxonomyTerm.objects.of(CARE_TYPE)]  # type: ignore[attr-defined]


class QuestionForm(forms.Form):
    text = forms.CharField(label="Question", max_length=200, required=False)
    hint = forms.CharField(label="Help below the question", max_length=200, required=False)
    kind = forms.ChoiceField(label="Answer", choices=list(KINDS.items()), initial="yes-no", required=False)
    choices = forms.CharField(
        label="Answers to choose from, one on each line",
        help_text="Only where one of several is chosen.",
        required=False,
        widget=forms.Textarea,
    )
    shown = forms.ChoiceField(label="A service reads it", choices=list(SHOWN.items()), initial=AFTER, required=False)
    required = forms.BooleanField(label="Must be answered", required=False)
    key = forms.CharField(
        label="Code",
        help_text="Keeps its answers together from version to version. Empty: made of the question.",
        max_length=40,
        required=False,
    )

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
            hint=data["hint"],
        )


class StepForm(forms.Form):
    milestone = forms.ChoiceField(label="Step", choices=[("", "None"), *MILESTONES.items()], required=False)
    within = forms.IntegerField(label="Within", min_value=1, max_value=1000, required=False)
    unit = forms.ChoiceField(label="Counted in", choices=list(UNITS.items()), required=False)

    def step(self) -> Expected | None:
        data = self.cleaned_data
        return Expected(data["milestone"], data["within"] or 0, data["unit"]) if data.get("milestone") else None


class ToolForm(forms.Form):
    name = forms.CharField(label="Outcome tool", help_text="Its name, such as ONS4.", max_length=100, required=False)
    days = forms.CharField(
        label="Days after the yes on which its score is due",
        help_text="For example 0, 42, 180. Empty: nobody is asked for it.",
        max_length=100,
        required=False,
    )

    def clean_days(self) -> tuple[int, ...]:
        typed = self.cleaned_data["days"].replace(",", " ").split()
        if not all(day.isascii() and day.isdigit() and len(day) < 6 for day in typed):
            raise forms.ValidationError("Give the days as whole numbers, such as 0, 42, 180")
        return tuple(sorted({int(day) for day in typed}))

    def tool(self) -> Tool | None:
        data = self.cleaned_data
        return Tool(data["name"], data["days"]) if data.get("name") or data.get("days") else None


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
ToolSet = formset_factory(ToolForm, extra=MORE, max_num=12)
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
                "organizations": list(version.pathway.organizations.all()),
                "note": version.note,
            },
        )
        questions = [
            {
                "text": q.text,
                "key": q.key,
                "kind": q.kind,
                "choices": "\n".join(q.choices),
                "shown": q.shown,
                "required": q.required,
                "hint": q.hint,
            }
            for q in now.questions
        ]
        self.questions = QuestionSet(data, initial=questions, prefix="q")
        steps = [{"milestone": step.milestone, "within": step.within, "unit": step.unit} for step in now.steps]
        self.steps = StepSet(data, initial=steps, prefix="s")
        tools = [{"name": tool.name, "days": ", ".join(str(day) for day in tool.days)} for tool in now.outcome_tools]
        self.tools = ToolSet(data, initial=tools, prefix="o")
        names = [{"role": name.role, "area": name.area, "name": name.name} for name in now.role_names]
        self.roles = RoleSet(data, initial=names, prefix="r")

    def is_valid(self) -> bool:
        """Whether each part can be read; what each says is checked by `flow.pathways.configuration`."""
        parts: Iterable[Any] = (self.form, self.questions, self.steps, self.tools, self.roles)
        valid = [part.is_valid() for part in parts]
        if not all(valid) and valid[0]:
            self.form.add_error(None, "Something in the questions, steps, outcome tools or roles cannot be read. Numbers are whole.")
        return all(valid)

    def configuration(self) -> Configuration:
        data = self.form.cleaned_data
        return Configuration(
            questions=tuple(asked for form in self.questions if (asked := form.question())),
            steps=tuple(found for form in self.steps if (found := form.step())),
            care_types=tuple(data["care_types"]),
            outcome_tools=tuple(tool for form in self.tools if (tool := form.tool())),
            role_names=tuple(name for form in self.roles if (name := form.role_name())),
        )


def _code_from(text: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    words = [word for word in kept.split("-") if word]
    return "-".join(words)[:40].strip("-") or "question"
