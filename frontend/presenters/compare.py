"""Services side by side: by aspect, what each says, and what tells them apart in words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from capacity.queries import PoolState, pool_states
from catalogue.models import Service, User
from matching.comparing import Compared
from matching.engine.rules import Verdict
from matching.engine.words import miles, pounds, wait
from matching.operations import reason_words

#: What a verdict is called at the head of its sentence.
VERDICTS = {Verdict.MET: "Met", Verdict.UNKNOWN: "Not known", Verdict.FAILED: "Against"}


@dataclass(frozen=True)
class Cell:
    """What one service says. `mark` is what sets it apart, in a word or two; `kind` is the sign beside a rule."""

    text: str
    mark: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Aspect:
    """One line of the comparison: a cell for each service, in order."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        return len({(cell.kind, cell.text) for cell in self.cells}) > 1


@dataclass(frozen=True)
class Column:
    """One service: how it was judged, how it stands now, and how to reach it."""

    compared: Compared
    state: PoolState
    phones: tuple[str, ...]
    email: str
    url: str


def columns(found: Sequence[Compared], *, user: User, at: Any) -> list[Column]:
    """Those of them that `user` may still see."""
    states = pool_states([one.pool_id for one in found], at)
    services = {service.pk: service for service in Service.objects.visible_to(user).filter(pk__in={one.service_id for one in found})}
    numbers: dict[UUID, tuple[str, ...]] = {pk: tuple(phone.number for phone in service.phones.all()) for pk, service in services.items()}
    return [
        Column(one, states[one.pool_id], numbers[one.service_id], services[one.service_id].email, services[one.service_id].url)
        for one in found
        if one.service_id in services
    ]


def facts(found: Sequence[Column]) -> list[Aspect]:
    """What people decide by, but for the live badge and the contacts."""
    ones = [column.compared for column in found]
    ages = [column.state.reported_at.timestamp() if column.state.reported_at else None for column in found]
    return [
        _aspect("Places", [_places(column.state) for column in found], [column.state.free for column in found], max, "most free"),
        _aspect("Age of the figure", [column.state.told or "Never told" for column in found], ages, max, "newest"),
        _aspect("In the list", [f"Number {one.rank}" if one.rank else "Not in the list" for one in ones]),
        _aspect(
            "Points now",
            [f"{one.score:,} of {one.out_of:,}" if one.score is not None else "None: a rule stands against it" for one in ones],
            [one.score for one in ones],
            max,
            "most",
        ),
        _aspect("Distance", [_distance(one) for one in ones], [one.distance_m for one in ones], min, "nearest"),
        _aspect("The way there", [one.travel or "Not known" for one in ones]),
        _aspect(
            "Cost a week",
            ["Not known: ask" if one.price_pence is None else pounds(one.price_pence) if one.price_pence else "Free" for one in ones],
            [one.price_pence for one in ones],
            min,
            "cheapest",
        ),
        _aspect(
            "Care Quality Commission",
            [Service.Quality(one.cqc_rating).label if one.cqc_rating else "Not rated" for one in ones],
            [one.cqc_rating for one in ones],
            max,
            "best rated",
        ),
        _aspect("Waiting time", [_waiting(column) for column in found], [one.wait_days for one in ones], min, "shortest"),
    ]


def rules(found: Sequence[Column]) -> list[Aspect]:
    """Each rule that any of them was judged by: met, not known or against."""
    by_code = [{finding.code: finding for finding in column.compared.findings} for column in found]
    codes = dict.fromkeys(finding.code for column in found for finding in column.compared.findings)
    aspects = []
    for code in codes:
        cells = []
        for said in by_code:
            finding = said.get(code)
            if finding is None:
                cells.append(Cell("Nothing said, nothing asked"))
            else:
                text = " ".join(filter(None, (finding.sentence, finding.change)))
                head = VERDICTS[finding.verdict]
                cells.append(Cell(text if text.startswith(head) else f"{head}: {text}", kind=finding.verdict.value))
        aspects.append(Aspect(reason_words(code).capitalize(), tuple(cells)))
    return aspects


def factors(found: Sequence[Column]) -> list[Aspect]:
    """The points of each factor. Whatever factors there are."""
    by_code = [{term.code: term for term in column.compared.terms} for column in found]
    codes = dict.fromkeys(term.code for column in found for term in column.compared.terms)
    aspects = []
    for code in codes:
        terms = [said.get(code) for said in by_code]
        # `words` is “+210 for distance: 1.2 miles”: the name stands at the head of the line already.
        name = next(term.words for term in terms if term).partition(" for ")[2].partition(":")[0]
        texts = [f"{term.points} of {term.most}: {term.words.partition(': ')[2]}" if term else "–" for term in terms]
        aspects.append(_aspect(name.capitalize(), texts, [term.points if term else None for term in terms], max, "most"))
    return aspects


def _aspect(
    name: str,
    texts: Sequence[str],
    values: Sequence[float | None] = (),
    best: Callable[[Iterable[float]], float] = max,
    mark: str = "",
) -> Aspect:
    """The best of the values gets the mark, if they differ and it is alone with it."""
    told = [value for value in values if value is not None]
    top = best(told) if len(set(told)) > 1 else None
    alone = top is not None and told.count(top) == 1
    marks = [mark if alone and value == top else "" for value in (values or [None] * len(texts))]
    return Aspect(name, tuple(Cell(text, mark=said) for text, said in zip(texts, marks, strict=True)))


def _places(state: PoolState) -> str:
    free = "How many are free is not known" if state.free is None else f"{state.free} free"
    return free if state.maximum is None else f"{free} of {state.maximum}"


def _distance(one: Compared) -> str:
    if one.distance_m is None:
        return "Online, by phone, or not on the map"
    return f"About {miles(one.distance_m)}; the address is confidential" if one.is_confidential else miles(one.distance_m).capitalize()


def _waiting(column: Column) -> str:
    if column.compared.wait_days is not None:
        return f"About {wait(column.compared.wait_days)}"
    return "No list is needed" if column.state.free else "Not known"
