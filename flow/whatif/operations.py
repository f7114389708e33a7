"""What a manager does with a question: asks it, stops it, lets it go on. Nothing in the region is changed by any of it."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app

from catalogue.models import Organization, User
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from flow.models import WhatIf, WhatIfResult
from flow.people import tell_colleagues
from flow.simulation import SIMULATION_VERSION
from flow.simulation import changes as numbers
from flow.simulation.draws import Draws
from flow.simulation.engine import simulate
from flow.simulation.figures import figures
from flow.simulation.policies import POLICIES
from flow.simulation.world import World
from flow.whatif import asking
from flow.whatif.copying import copy

logger = logging.getLogger(__name__)

Status, Arm = WhatIf.Status, WhatIfResult.Arm
MOST_DAYS, MOST_SEEDS, LONGEST_NAME = 120, 40, 100
#: How often in a day somebody chooses, in the simulation.
EVERY = 0.25
#: After so many simulated days a worker looks whether it was asked to stop.
LOOKS = 10
#: The copy of the region's state is kept so long after the work on it.
KEPT = timedelta(days=30)


class Stopped(Exception):
    """Somebody asked for an end; what is finished is kept."""


@transaction.atomic
def ask(*, name: str, asked: Sequence[asking.Asked], days: int, seeds: int, policies: Sequence[str], by: User, at: datetime) -> WhatIf:
    """Keep a question and have a worker simulate it. Raises NotAllowed, Invalid and Conflict (`being-simulated`)."""
    if not by.is_manager or by.organization_id is None:
        raise NotAllowed("What-if questions are for managers.")
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"Give the question a name of up to {LONGEST_NAME} letters.", field="name")
    if not asked:
        raise Invalid("Choose at least one thing that would be different.", field="close_name")
    if not 1 <= days <= MOST_DAYS or not 1 <= seeds <= MOST_SEEDS:
        raise Invalid(f"Simulate from 1 to {MOST_DAYS} days, and from 1 to {MOST_SEEDS} futures.", field="days")
    asking.within(asked, days)
    chosen = [code for code in POLICIES if code in policies]
    if not chosen or set(policies) - set(POLICIES):
        raise Invalid("Choose at least one way of choosing places.", field="policies")
    _alone(by.organization_id)
    question = WhatIf.objects.create(
        organization_id=by.organization_id, created_by=by, at=at, name=name, format=asking.FORMAT, asked=asking.to_json(asked),
        days=days, seeds=seeds, policies=chosen, total=seeds * len(chosen) * len(Arm),
    )  # fmt: skip
    _defer(question)
    return question


@transaction.atomic
def stop(*, what_if_id: UUID, by: User, at: datetime) -> WhatIf:
    """Ask the work to end. What was simulated so far is kept, and shown."""
    question = _own(what_if_id, by)
    if not question.is_running:
        raise Conflict("It has ended already. Load the page again.", code="what-if-ended")
    question.status, question.stop_requested_at, question.finished_at = Status.STOPPED, at, at
    question.save(update_fields=["status", "stop_requested_at", "finished_at"])
    return question


@transaction.atomic
def go_on(*, what_if_id: UUID, by: User, at: datetime) -> WhatIf:
    """Take up work that was stopped or failed, on the same copy, where it ended."""
    question = _own(what_if_id, by)
    if not question.can_go_on:
        raise Conflict("There is nothing left to simulate. Load the page again.", code="what-if-ended")
    if question.world is None and question.results.exists():
        raise Conflict("The copy of that day has been thrown away. Ask the question again.", code="copy-gone")
    _alone(question.organization_id)
    question.status, question.stop_requested_at, question.finished_at = Status.WAITING, None, None
    question.save(update_fields=["status", "stop_requested_at", "finished_at"])
    _defer(question)
    return question


def forget(*, at: datetime) -> int:
    """Throw away the copies of questions whose work ended a month ago; what came of them stays. Returns how many."""
    old = WhatIf.objects.filter(finished_at__lt=at - KEPT, world__isnull=False).exclude(status__in=[Status.WAITING, Status.RUNNING])
    return old.update(world=None)


def carry_out(*, what_if_id: UUID, at: Callable[[], datetime]) -> str:
    """Simulate what is not simulated yet, one run after the other, each kept as it comes. Returns how it ended.

    Work whose worker died is taken up by the next: on the copy that was made, with the runs that are kept.
    """
    running = WhatIf.objects.filter(pk=what_if_id, status__in=[Status.WAITING, Status.RUNNING])
    question = running.select_related("created_by__organization").first()
    if question is None:
        return "nothing to do"
    try:
        if question.created_by is None or not question.created_by.is_active or not question.created_by.is_manager:
            raise NotAllowed("Whoever asked this does not sign in here as a manager any more.")
        if question.created_by.organization_id != question.organization_id:
            # Whose figures are shown is said by whoever asked: another organisation's are not shown to this one.
            raise NotAllowed("Whoever asked this works elsewhere now. Ask the question again.")
        running.update(status=Status.RUNNING)
        _simulate(question, _copied(question, at), running)
        ended = running.update(status=Status.DONE, finished_at=at())
    except Stopped:
        return str(Status.STOPPED)
    except LuneError as error:
        running.update(status=Status.FAILED, finished_at=at(), about=question.about | {"problem": error.message})
        return str(Status.FAILED)
    except Exception:
        running.update(status=Status.FAILED, finished_at=at())
        logger.warning("what-if %s: could not be simulated", what_if_id)
        raise
    with transaction.atomic():
        tell_colleagues(question.organization_id)
    return str(Status.DONE if ended else Status.STOPPED)


def _copied(question: WhatIf, at: Callable[[], datetime]) -> World:
    """The world of the question: copied when it is first simulated, and the same from then on."""
    if question.world is None:
        assert question.created_by is not None
        moment = at()
        copied = copy(question.created_by, asking.from_json(question.asked), at=moment)
        question.as_of, question.world, question.about = moment, copied.world.dump(), copied.about
        question.changes, question.simulation_version = numbers.to_json(copied.changes), SIMULATION_VERSION
        question.save(update_fields=["as_of", "world", "about", "changes", "simulation_version"])
        return copied.world
    return World.load(bytes(question.world))


def _simulate(question: WhatIf, world: World, running) -> None:
    changes = numbers.from_json(question.changes)
    own = question.about.get("own")
    source = None if own is None else world.sources.index(own) if own in world.sources else len(world.sources)
    kept = set(question.results.values_list("seed", "policy", "arm"))

    def tell(day: float) -> None:
        if day % LOOKS == 0 and not running.exists():
            raise Stopped

    for seed in range(question.seeds):
        draws = Draws(world, seed, float(question.days))
        for policy in question.policies:
            for arm in Arm:
                if (seed, policy, arm) in kept:
                    continue
                different = changes if arm == Arm.CHANGED else ()
                outcome = simulate(world, draws, POLICIES[policy].make(), changes=different, every=EVERY, tell=tell)
                result = figures(world, outcome, source=source)
                with transaction.atomic():
                    WhatIfResult.objects.get_or_create(what_if=question, arm=arm, policy=policy, seed=seed, defaults={"figures": result})
                    if not running.update(done=question.results.count()):
                        raise Stopped


def _own(what_if_id: UUID, by: User) -> WhatIf:
    question = WhatIf.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=what_if_id).first()
    if question is None:
        raise NotFound("There is no such question.")
    return question


def _alone(organization_id: UUID) -> None:
    """Nothing else of the organisation is being simulated; its row is locked, so that two do not begin at once."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    if WhatIf.objects.filter(organization=organization_id, status__in=[Status.WAITING, Status.RUNNING]).exists():
        raise Conflict("A question of yours is being simulated already. Wait for that, or stop it.", code="being-simulated")


def _defer(question: WhatIf) -> None:
    app.configure_task("flow.tasks.simulate_what_if", lock=f"what-if {question.organization_id}").defer(what_if_id=str(question.pk))
