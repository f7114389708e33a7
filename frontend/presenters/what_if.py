"""A what-if question in words, tables and charts. Nothing in it is of a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from core.geo import METRES_PER_MILE
from flow.models import WhatIf, WhatIfResult
from flow.simulation.compare import Compared, Range
from flow.simulation.figures import MEASURES
from flow.simulation.fitting import FEW
from flow.simulation.laws import Law
from flow.simulation.policies import POLICIES
from flow.whatif import asking
from flow.whatif.queries import Answer
from frontend.environment import plural
from frontend.presenters import what_if_charts as charts

TODAY, CHANGED = "As it is", "With the change"
#: Measures that are told with a digit after the point.
_FAR = {"km": "Miles from home, of all who found a place", "km_mean": "Miles from home, on average"}
_FINE = frozenset({"wait_mean", "wait_p90", "worst", "km_mean"})
#: The three that are drawn for every way of choosing.
_DRAWN = (
    ("bed_days", "Days in hospital while ready to leave"), ("km_mean", "Miles from home, on average"),
    ("unmet", "People without a place"),
)  # fmt: skip
WHAT = {
    "stay": "Time in a place", "answer": "Time until an answer", "search": "From ready until somebody is asked",
    "patience": "From ready until somebody leaves without",
}  # fmt: skip
_ABOUT = (
    (FEW, f"fewer than {FEW} in the region: the law of all"), (50, f"{FEW} to 49 in the region"), (200, "50 to 199 in the region"),
    (float("inf"), "200 or more in the region"),
)  # fmt: skip
#: Fewer people than this are not counted out: a reader may know who they are.
SMALL = 5
POLICY_WORDS = {each.code: (each.name, each.words) for each in POLICIES.values()}


@dataclass(frozen=True, slots=True)
class Row:
    """One measure in words: as it is, as it would be, and the difference."""

    label: str
    before: str
    after: str
    more: str


@dataclass(frozen=True, slots=True)
class Figure:
    id: str
    heading: str
    words: str
    svg: SafeString


def changes(question: WhatIf) -> list[str]:
    """What is different, a sentence each."""
    return [asking.words(each) for each in asking.from_json(question.asked)]


def number(value: float, code: str) -> str:
    return f"{value:,.1f}" if code in _FINE else f"{round(value):,}"


def _shown(found: Range, code: str) -> Range:
    """In the unit that people read: miles instead of kilometres."""
    return found.times(1_000 / METRES_PER_MILE) if code in _FAR else found


def told(found: Range, code: str) -> str:
    found = _shown(found, code)
    return f"{number(found.mean, code)} ({number(found.low, code)} to {number(found.high, code)})"


def difference(found: Range, code: str) -> str:
    """ "412 fewer (300 to 520 fewer)"; where nine of ten do not agree, so."""
    found = _shown(found, code)
    low, high = (number(each, code) for each in (found.low, found.high))
    if low.lstrip("-") == high.lstrip("-") == number(0, code):
        return "no difference"
    if number(abs(found.mean), code) == number(0, code) and (found.low >= 0 or found.high <= 0):
        return "hardly any difference"
    if found.low >= 0 or found.high <= 0:
        word = "more" if found.low >= 0 else "fewer"
        near, far = sorted((abs(found.low), abs(found.high)))
        return f"{number(abs(found.mean), code)} {word} ({number(near, code)} to {number(far, code)} {word})"
    return f"not clear: from {number(-found.low, code)} fewer to {number(found.high, code)} more"


def sentence(question: WhatIf, answer: Answer) -> str:
    """What it means, in one sentence: "Ten more beds: 412 fewer bed-days in 60 days (in nine of ten futures between 300 and 520)"."""
    code, unit = ("bed_days", "bed-day") if answer.measures["bed_days"].before.mean else ("unmet", "person without a place")
    more = answer.measures[code].more
    return f"{question.name}: {_said(more, unit, code)} in {plural(question.days, 'day')}, with “{POLICY_WORDS[answer.policy][0].lower()}”."


def _said(more: Range, unit: str, code: str) -> str:
    units = {"bed-day": "bed-days", "person without a place": "people without a place"}[unit]
    if not round(more.low) and not round(more.high):
        return f"no difference in {units}"
    low, high = sorted((abs(more.low), abs(more.high)))
    if more.is_clear:
        word = "more" if more.mean > 0 else "fewer"
        one = unit if round(abs(more.mean)) == 1 else units
        return f"{number(abs(more.mean), code)} {word} {one} (in nine of ten futures between {number(low, code)} and {number(high, code)})"
    fewer, more_of = number(-more.low, code), number(more.high, code)
    return f"no clear difference in {units} (in nine of ten futures between {fewer} fewer and {more_of} more)"


def rows(measures: Mapping[str, Compared]) -> list[Row]:
    """Every measure in words, in the order of `MEASURES`."""
    return [
        Row(
            _FAR.get(code, words),
            told(measures[code].before, code),
            told(measures[code].after, code),
            difference(measures[code].more, code),
        )
        for code, words, _, _ in MEASURES
    ]


def pathway_rows(answer: Answer) -> list[tuple[str, list[str]]]:
    """By pathway: bed-days, people placed and without a place, as a difference."""
    codes = ("bed_days", "placed", "unmet", "wait_mean")
    return [(name, [difference(measures[code].more, code) for code in codes]) for name, measures in answer.pathways.items()]


#: What ways of choosing are compared by: code and head of the column.
BESIDE = (("bed_days", "Days in hospital"), ("placed", "Found a place"), ("worst", "Longest wait"), ("km_mean", "Miles, on average"))


def policy_rows(answers: Mapping[str, Answer]) -> list[tuple[str, list[str]]]:
    """Ways of choosing with the change: the first as it is, the others as what they differ from it by, future by future."""
    return [(POLICY_WORDS[policy][0], [_beside(answer, code) for code, _ in BESIDE]) for policy, answer in answers.items()]


def _beside(answer: Answer, code: str) -> str:
    return difference(answer.beside[code].more, code) if answer.beside else told(answer.measures[code].after, code)


def figures(question: WhatIf, answer: Answer, answers: Mapping[str, Answer]) -> list[Figure]:
    """The charts, each with a sentence that says the same."""
    today, changed = answer.daily
    last = f"On the last day {round(today[-1].mean)} people wait as it is, and {round(changed[-1].mean)} with the change."
    low, high = (dict(each) for each in answer.bands)
    long = f"{round(low['21+'].mean)} people wait three weeks or longer as it is, and {round(high['21+'].mean)} with the change."
    heading, waited = "People waiting at the end of each day", "How long people wait"
    found = [
        Figure("daily", heading, last, charts.daily([(TODAY, today), (CHANGED, changed)], title=heading, description=last)),
        Figure("bands", waited, long, charts.bands([(TODAY, answer.bands[0]), (CHANGED, answer.bands[1])], title=waited, description=long)),
    ]
    for code, heading in _DRAWN:
        drawn = {
            policy: (_shown(each.measures[code].before, code), _shown(each.measures[code].after, code)) for policy, each in answers.items()
        }
        words = "; ".join(
            f"{POLICY_WORDS[policy][0]}: {number(before.mean, code)} as it is, {number(after.mean, code)} with the change"
            for policy, (before, after) in drawn.items()
        )
        series = [
            (TODAY, [(POLICY_WORDS[policy][0], before) for policy, (before, _) in drawn.items()]),
            (CHANGED, [(POLICY_WORDS[policy][0], after) for policy, (_, after) in drawn.items()]),
        ]
        found.append(Figure(code, heading, f"{words}.", charts.ranges(series, title=heading, description=words)))
    return found


def level(answer: Answer) -> int:
    """How many wait on an average simulated day as it is: beside how many wait now, a check on all that was learned."""
    days, _ = answer.daily
    return round(sum(day.mean for day in days) / len(days))


def daily_rows(answer: Answer) -> list[tuple[int, str, str]]:
    return [(day, told(a, "waiting"), told(b, "waiting")) for day, (a, b) in enumerate(zip(*answer.daily, strict=True), start=1)]


def band_rows(answer: Answer) -> list[tuple[str, str, str]]:
    return [(label, told(a, "placed"), told(b, "placed")) for (label, a), (_, b) in zip(*answer.bands, strict=True)]


def few(count: int) -> str:
    return f"fewer than {SMALL}" if 0 < count < SMALL else f"{count:,}"


def people(count: int) -> str:
    return f"{few(count)} people" if count < SMALL else plural(count, "person", "people")


def arrival_rows(about: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """From where people come, how many a day, and how many came. The rate is left out where it would tell a few."""
    found = []
    for each in about.get("arrivals", []):
        count = each.get("count")
        rate = "not told" if count is None or 0 < count < SMALL else str(each["rate"])
        found.append((each["source"], rate, "not told" if count is None else few(count)))
    return found


def fit_rows(about: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """What was learned: of what, the law, from how much, and how far it is from what was seen."""
    region = about.get("own") is None
    return [
        (WHAT[each["what"]], each["group"], _law(Law.from_json(each["law"])), _seen(each, region), _fits(each))
        for each in about.get("laws", [])
    ]


def _law(law: Law) -> str:
    once = f"{round(100 * law.at_once)} of 100 at once, " if law.at_once >= 0.005 else ""
    return f"{once}half within {law.at(0.5):.1f} days, nine of ten within {law.at(0.9):.1f}"


def _seen(each: Mapping[str, Any], region: bool) -> str:
    """To a trust's manager, who sees no other team's figures, only about how many there are in the region."""
    if each["assumed"]:
        return "assumed: too few seen to the end" if not region else f"assumed: {few(each['ended'])} seen to the end"
    if not region:
        return next(words for most, words in _ABOUT if each["ended"] < most)
    leaned = f"; {round(100 * each['leaned'])}% from all kinds together" if each["leaned"] else ""
    return f"{few(each['ended'])} seen to the end, {few(each['going_on'])} going on{leaned}"


def _fits(each: Mapping[str, Any]) -> str:
    return "not compared" if each["gap"] is None else f"at most {round(100 * each['gap'])} of 100 apart"


COLUMNS = ("future", "ways of choosing", "change", "pathway", *(code for code, _, _, _ in MEASURES), "came", "left")


def file_rows(results: Sequence[WhatIfResult]) -> Iterator[Sequence[object]]:
    """Each simulated time, in all and by pathway, for a spreadsheet."""
    for result in results:
        for name, sums in (("all", result.figures["all"]), *result.figures["pathways"].items()):
            yield (
                result.seed + 1, POLICY_WORDS[result.policy][0], TODAY if result.arm == WhatIfResult.Arm.TODAY else CHANGED, name,
                *(sums[code] for code, _, _, _ in MEASURES), sums["came"], sums["left"],
            )  # fmt: skip
