"""What is done with what was learned: learn each night, switch it on when it is better than a guess, switch it off, keep it honest."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app

from catalogue.models import User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.acceptance import examples as past
from flow.acceptance.examples import Examples, Whom
from flow.acceptance.history import Tally
from flow.models import AcceptanceModel, AcceptanceSwitch
from matching import chances
from matching.chances import MOST_POINTS, Lean

if TYPE_CHECKING:
    from flow.acceptance.learning import Learned, Result

#: Of the versions that were never switched on, so many of the newest are kept.
KEPT = 30
_FOR_ADMINISTRATORS = "Only an administrator can switch this on or off."


@dataclass(frozen=True, slots=True)
class Night:
    """What a run did. `told`: for how many pools the chance is told now; `switched_off`: why the version that was on is not any more."""

    model: AcceptanceModel
    told: int
    switched_off: str = ""


def learn(*, by: User | None, at: datetime) -> Night:
    """Learn from all answers that are certain by now, and keep what came out, however good it is. Nothing is switched on by it.

    The version that is switched on, if any, gets the answers since; if it has become no better than a guess on them, it is switched off.
    """
    examples, whom = past.read(at)
    from flow.acceptance import learning

    found = learning.learn(examples)
    with transaction.atomic():
        model = _keep(examples, whom, found, at)
        on = AcceptanceModel.objects.select_for_update().filter(is_on=True).first()
        why = _no_better_now(on, examples) if on else ""
        if on and why:
            _turn_off(on, reason=why, by=by, at=at)
        told = chances.tell(_leans(learning.Learned.from_json(on.learned), examples)) if on and not why else 0
    return Night(model, told, why)


@transaction.atomic
def switch_on(*, model_id: UUID, points: int, reason: str, by: User, at: datetime) -> AcceptanceModel:
    """Let a version count for so many points in each ranking from now on. The one that was on before is switched off.

    What each pool leans to is told by a worker (`tell`): a year of answers is read for it, and every pool's row is written.

    Raises NotAllowed, NotFound, Invalid, and Conflict for a version that was no better than telling everybody the same.
    """
    reason = _checked(by, reason)
    if not 1 <= points <= MOST_POINTS:
        raise Invalid(f"Give a whole number of points from 1 to {MOST_POINTS}.", field="points")
    models = list(AcceptanceModel.objects.select_for_update().order_by("pk"))
    model = next((each for each in models if each.pk == model_id), None)
    if model is None:
        raise NotFound("There is no such version any more.")
    if not model.beats_constant:
        raise Conflict("This version was no better than telling everybody the same, so it cannot be switched on.", code="no-better")
    if model.is_on:
        raise Conflict("This version is switched on already.", code="moved-on")
    for other in models:
        if other.is_on:
            _mark(other, on=False, points=0, reason=f"Version {model.version} was switched on instead.", by=by, at=at)
    _mark(model, on=True, points=points, reason=reason, by=by, at=at)
    note = f"How likely a yes is: version {model.version} was switched on."
    chances.switch(chances=model.learned["chances"], points=points, note=note, by=by, at=at)
    app.configure_task("flow.tasks.tell_chances").defer()
    return model


def tell(*, at: datetime) -> int:
    """Tell the ranking what each pool leans to by the version that is on. Returns for how many; while nothing is on, for none."""
    examples, _ = past.read(at)
    from flow.acceptance.learning import Learned

    with transaction.atomic():
        on = AcceptanceModel.objects.select_for_update().filter(is_on=True).first()
        return chances.tell(_leans(Learned.from_json(on.learned), examples)) if on else 0


@transaction.atomic
def switch_off(*, reason: str, by: User, at: datetime) -> AcceptanceModel:
    """Let nothing that was learned count any more. Raises NotAllowed, Invalid, and Conflict when nothing is on."""
    reason = _checked(by, reason)
    model = AcceptanceModel.objects.select_for_update().filter(is_on=True).first()
    if model is None:
        raise Conflict("Nothing is switched on.", code="moved-on")
    _turn_off(model, reason=reason, by=by, at=at)
    return model


def _checked(by: User, reason: str) -> str:
    if not by.is_administrator:
        raise NotAllowed(_FOR_ADMINISTRATORS)
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid("Say why: others will ask.", field="reason")
    if len(reason) > 300:
        raise Invalid("Say why in at most 300 characters.", field="reason")
    return reason


def _keep(examples: Examples, whom: Whom, found: "Result | None", at: datetime) -> AcceptanceModel:
    newest = AcceptanceModel.objects.select_for_update().order_by("-version").first()
    model = AcceptanceModel(version=newest.version + 1 if newest else 1, learned_at=at, answers=len(examples), outcomes=dict(whom.outcomes))
    if len(examples):
        model.first_at, model.last_at = _instant(examples.sent[0]), _instant(examples.sent[-1])
    if found is not None:
        from flow.acceptance.judging import audit

        groups = {name: [labels[line] for line in found.held_out] for name, labels in whom.groups.items()}
        model.learned, model.figures, model.library = found.learned.to_json(), found.figures.to_json(), found.library
        model.audit = audit(found.said, examples.yes[found.held_out], groups)
        model.learned_from, model.beats_constant = found.learned_from, found.figures.beats_constant
    model.save()
    unused = AcceptanceModel.objects.filter(switches=None)
    unused.exclude(pk__in=list(unused.order_by("-version").values_list("pk", flat=True)[:KEPT])).delete()
    return model


def _no_better_now(on: AcceptanceModel, examples: Examples) -> str:
    """Why a version should not stay on, from the answers to requests that were sent after all that it was learned and judged from."""
    from flow.acceptance.judging import judge
    from flow.acceptance.learning import Learned, tell

    assert on.last_at is not None
    later = examples.sent > on.last_at.timestamp()
    if not later.any():
        return ""
    said = tell(Learned.from_json(on.learned), examples)[later]
    guess = on.figures["guess"]
    services = [place.service for place, is_later in zip(examples.places, later, strict=True) if is_later]
    figures = judge(said, examples.yes[later], constant=guess, group=said, services=services)
    if not figures.enough or figures.than_constant.mean < 0:
        return ""
    return f"On {figures.answers} answers since it was learned it was no better than telling everybody {round(100 * guess)} in 100."


def _leans(learned: "Learned", examples: Examples) -> list[Lean]:
    """What every pool leans to, by all answers."""
    from flow.acceptance.learning import leaning

    tally = Tally()
    for place, yes in zip(examples.places, examples.yes.tolist(), strict=True):
        tally.add(place, yes=yes)
    leans = []
    for pool, place in past.places_of().items():
        own = tally.of(place)
        leans.append(Lean(pool, leaning(learned, own, tally.group(place)), own.yes, own.answers))
    return leans


def _turn_off(model: AcceptanceModel, *, reason: str, by: User | None, at: datetime) -> None:
    _mark(model, on=False, points=0, reason=reason, by=by, at=at)
    chances.switch(chances={}, points=0, note=f"How likely a yes is: version {model.version} was switched off.", by=by, at=at)
    chances.tell([])


def _mark(model: AcceptanceModel, *, on: bool, points: int, reason: str, by: User | None, at: datetime) -> None:
    model.is_on = on
    model.save(update_fields=["is_on"])
    AcceptanceSwitch.objects.create(model=model, on=on, points=points, reason=reason, by=by, at=at)


def _instant(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
