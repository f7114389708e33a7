"""The plan board as a page or a file: filters from its address, the proof in plain words, figures as bars and tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from flow.models import Episode, Plan, PlanLine
from flow.planning import watching
from flow.planning.queries import BoardLine
from frontend.environment import plural
from frontend.presenters import charts
from frontend.presenters.charts import Bar

State = PlanLine.State
PATHWAYS = [("", "All pathways"), *Episode.Pathway.choices]
SHOW = [
    ("", "Everybody"),
    ("open", "To decide"),
    ("news", "Out of date"),
    ("changed", "Changed with this plan"),
    (State.SUGGESTED.value, "With a suggestion"),
    (State.LEFT_OUT.value, "Without a place"),
    (State.OFFERED.value, "Asked already"),
    ("decided", "Decided"),
]
#: How the engine's comparisons are called on the page.
_WAYS = {
    "this plan": "This plan",
    "first come, first served": "First come, first served",
    "longest wait and highest priority first": "Longest wait and highest priority first",
}
#: Bars that are drawn; all rows are in the table.
BARS = 8


@dataclass(frozen=True)
class Filters:
    """What the address asks for. An unknown value counts as not asked."""

    show: str = ""
    pathway: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> "Filters":
        def one_of(name: str, options: Iterable[tuple[str, str]]) -> str:
            return query.get(name, "") if query.get(name, "") in {value for value, _ in options} else ""

        return cls(show=one_of("show", SHOW), pathway=one_of("pathway", PATHWAYS))

    def leave(self, line: BoardLine) -> bool:
        """Whether a line is shown."""
        if self.pathway and line.pathway != self.pathway:
            return False
        match self.show:
            case "":
                return True
            case "open":
                return line.open
            case "news":
                return bool(line.news)
            case "changed":
                return bool(line.change)
            case "decided":
                return bool(line.decision)
            case state:
                return line.state == state


def proof(plan: Plan) -> str:
    """How good the plan is, for somebody who never heard of a bound."""
    if plan.objective is None:
        return ""
    if not plan.gap:
        return "Proved: by the points in force, no other way of giving these places to these people is better for them all together."
    gap = f"{plan.gap:.1f}" if plan.gap >= 0.1 else "0.1"
    return f"At most {gap}% from the best there can be: so much is proved, with everything that must be kept."


def kept(plan: Plan) -> str:
    """What the plan keeps beyond each person's own rules, as a sentence; empty when there is nothing of the kind."""
    told = plan.figures.get("kept", {})
    kinds = [
        ("together", "couple or family together", "couples and families together"),
        ("packages", "package of several services", "packages of several services"),
        ("rooms", "shared room", "shared rooms"),
        ("limits", "limit of newcomers a day", "limits of newcomers a day"),
    ]
    said = [plural(told[name], one, many) for name, one, many in kinds if told.get(name)]
    said += [f"a ceiling of {told['share']}% for one provider"] if told.get("share") else []
    return f"It keeps {', '.join(said[:-1])}{' and ' if said[1:] else ''}{said[-1]}." if said else ""


def few(number: int | None) -> str:
    """A number of people, or that it is not told because it, or another, is of too few."""
    return "not told" if number is None else str(number)


def pathways(plan: Plan, *, exact: bool) -> list[Mapping[str, Any]]:
    """People with a place by pathway: all numbers for those who see the people, for others without small ones."""
    rows = plan.figures.get("groups", [])
    return [*(rows if exact else watching.hide(rows))]


def counts(plan: Plan) -> list[tuple[str, int]]:
    """People by what the plan says of them."""
    states = plan.figures.get("states", {})
    return [
        ("with a suggestion", states.get(State.SUGGESTED, 0) + states.get(State.CHOSEN, 0)),
        ("without a place", states.get(State.LEFT_OUT, 0)),
        ("asked already", states.get(State.OFFERED, 0)),
    ]


def ways(plan: Plan) -> list[Mapping[str, Any]]:
    """The plan beside other ways of giving the same places to the same people."""
    rows = plan.figures.get("compare", [])
    if not rows or not rows[0]["people"]:
        return []
    best = rows[0]
    return [
        row
        | {
            "label": _WAYS.get(row["label"], row["label"]),
            "left": row["people"] - row["placed"],
            "dearer": row["cost"] - best["cost"],
        }
        for row in rows
    ]


def against_turns(plan: Plan) -> str:
    """The difference from first come, first served, as a sentence; empty when there is none."""
    rows = {row["label"]: row for row in plan.figures.get("compare", [])}
    this, turns = rows.get("this plan"), rows.get("first come, first served")
    if not this or not turns or turns["cost"] == this["cost"]:
        return ""
    more = this["placed"] - turns["placed"]
    said = f"First come, first served would be {turns['cost'] - this['cost']:,} points worse"
    if more > 0:
        return f"{said}, and {plural(more, 'person', 'people')} more would have no place."
    if more < 0:
        return f"{said}, though {plural(-more, 'person', 'people')} more would have a place."
    return f"{said}, with as many people placed."


def wanted(plan: Plan) -> list[Mapping[str, Any]]:
    """Where one more place would do most good, the most first."""
    return list(plan.figures.get("wanted", []))


def wanted_bars(plan: Plan) -> list[Bar]:
    """The same as bars, the first few."""
    rows = wanted(plan)[:BARS]
    return charts.bars([(f"{row['kind']}, {row['area']}", [row["points"]]) for row in rows], [("plain", "Points")])


COLUMNS = (
    "Name", "Age", "Ward", "Pathway", "Days", "Line", "Service", "Place", "Miles", "Points", "Choice", "Of", "Gain", "Why", "Out of date",
    "Decision",
)  # fmt: skip


def file_rows(lines: Iterable[BoardLine]) -> Iterable[tuple[object, ...]]:
    """The lines for a spreadsheet."""
    for line in lines:
        yield (
            line.name, line.age, line.ward, line.pathway, line.days, line.state_words,
            line.place.service_name if line.place else "", line.place.name if line.place else "",
            line.miles, line.score, line.nth or "", line.options, line.gain, " ".join((*line.why, line.together)).strip(), line.news,
            line.decision_words or line.decision,
        )  # fmt: skip


FIGURES = ("Figure", "What", "Value", "Note")


def figure_rows(plan: Plan) -> Iterable[tuple[object, ...]]:
    """The figures for a spreadsheet: no person in them."""
    for label, number in counts(plan):
        yield ("People", label, number, "")
    for row in ways(plan):
        yield ("Placed", row["label"], row["placed"], f"{row['dearer']} points worse than this plan")
    for row in pathways(plan, exact=False):
        yield ("Placed of a pathway", row["label"], few(row["placed"]), f"of {few(row['people'])}")
    for row in plan.figures.get("shares", []):
        people = "" if row["of_placed"] is None else f"{row['of_placed']}% of people, "
        yield ("Provider", row["provider"], few(row["placed"]), f"{people}{row['of_places']}% of places")
    for kind, rows in plan.figures.get("equity", {}).items():
        for row in rows:
            yield (kind, row["group"], few(row["placed"]), f"of {few(row['people'])}")
    for row in wanted(plan):
        yield ("One more place", f"{row['kind']}, {row['area']}", row["points"], f"{row['pools']} services, {row['full']} of them full")
