"""Making one plan: gather, solve, prove, say why. Reached through `flow.planning.operations`."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction

from catalogue.models import User
from core import clock
from flow.models import Plan, PlanLine
from flow.planning import rules, wanting, watching, wording
from flow.planning.gathering import Key, Person, World, gather
from flow.planning.packing import Packed, pack, seats
from matching.allocation import ALLOCATION_VERSION, answer, check
from matching.allocation.changes import Change
from matching.allocation.problem import NONE, Ints, Policy, Problem
from matching.allocation.sides import Sides
from matching.allocation.turns import take_turns
from matching.engine import ENGINE_VERSION
from matching.models import WeightSet

State = PlanLine.State


class Stopped(Exception):
    """Somebody asked for an end while a plan was being drawn up; nothing of it is kept."""


#: The kinds and districts that are kept, where one more place would do most good.
MOST_WANTED = 30


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The option of each person (-1: left out), and the proof that nothing is better."""

    at: Ints
    proof: check.Proof


#: So many options of people at most, and so many seconds, for a proof by an integer program where couples and rooms leave a gap.
PROVED_BELOW, SECONDS = 1_500, 3.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A solved plan before it is kept. `people` are in the order of `packed`, without those whose place the team chose."""

    world: World
    people: list[Person]
    packed: Packed
    base: Problem
    problem: Problem
    side: Sides | None
    solved: Solved


def draw(plan: Plan, user: User, *, tell: Callable[[int], None]) -> None:
    """Fill a plan in and keep its lines: the best there is for everybody who waits, proved."""
    lines = work_out(plan, user, tell=tell)
    with transaction.atomic():
        if Plan.objects.select_for_update().get(pk=plan.pk).stop_requested_at is not None:
            raise Stopped
        plan.save()
        PlanLine.objects.bulk_create(lines)
        # What was suggested instead of a plan before is of no use any more.
        Plan.objects.filter(organization=plan.organization_id, status=Plan.Status.PROPOSED).delete()


def work_out(plan: Plan, user: User, *, tell: Callable[[int], None]) -> list[PlanLine]:
    """Fill a plan in; its lines are returned, and nothing is kept."""
    policy, weights = Policy(), WeightSet.objects.newest()
    before = _before(plan.replaces)
    plan.draw = f"{plan.organization_id} {clock.local_date(plan.at)}"  # lots are drawn anew each day, and not with each repair
    world = gather(user, at=plan.at, tell=tell)
    chosen = _take_chosen(world)
    _keep_to_sites(world, chosen)
    drawn = _solve(world, [p for p in world.people if p.key not in chosen], before, policy, plan)
    plan.weights, plan.weights_version = weights.weights, weights.version
    plan.engine_version, plan.allocation_version, plan.policy = ENGINE_VERSION, ALLOCATION_VERSION, asdict(policy)
    plan.problem = drawn.packed.dump()
    plan.objective, plan.bound = drawn.solved.proof.objective, drawn.solved.proof.bound
    looked = wanting.look(drawn, policy, at=plan.at)
    lines = [
        *_lines(plan, drawn, looked, before),
        *_chosen_lines(plan, world, chosen, before),
        *_offered(plan, world),
    ]
    plan.figures = _figures(plan, drawn, world, lines, looked)
    plan.total = plan.done = len(world.people)
    plan.status, plan.finished_at = Plan.Status.DONE, plan.at
    return lines


def policy_of(plan: Plan) -> Policy:
    """What a point of each thing cost in a plan."""
    return Policy(**plan.policy)


def solve(problem: Problem, side: Sides | None = None, *, prove: bool = True) -> Solved:
    """The best plan, proved; with couples, packages or shared rooms a plan that keeps them, and how far it may be from the best.

    What compiles is loaded when somebody could go somewhere.
    """
    if not len(problem.pool):
        nowhere = np.full(problem.people, NONE, np.int64)
        return Solved(nowhere, check.prove(problem, nowhere, np.zeros(len(problem.places), np.int64)))
    if side is None:
        from matching.allocation.solve import solve as best

        plan = best(problem)
        return Solved(plan.at, plan.proof)
    from matching.allocation import mip, repair

    sided = repair.solve_with(problem, side)
    if prove and not sided.proof.optimal and len(problem.pool) <= PROVED_BELOW:
        sided = mip.prove(problem, side, sided, seconds=SECONDS)
    return Solved(sided.at, sided.proof)


def _before(previous: Plan | None) -> dict[Key, UUID | None]:
    """What the plan before suggested for each; None: no place."""
    if previous is None:
        return {}
    lines = previous.lines.exclude(state=State.OFFERED)
    return {(episode, part): pool for episode, part, pool in lines.values_list("episode", "part", "pool")}


def _take_chosen(world: World) -> dict[Key, UUID]:
    """Give those for whom the team chose a place that place, the longest wait first, where one is still free."""
    given = {}
    for person in world.people:
        pool = world.chosen.get(person.key)
        if pool is None or not any(option.pool == pool for option in person.options):
            continue
        if world.places.get(pool, 0) > 0 and world.rules.lets_in(pool, person.cohort):
            world.places[pool] -= 1
            world.rules.take(pool, person.cohort)
            given[person.key] = pool
            if person.family is not None and not person.part:
                world.anchors[person.family] = {world.rules.sites[pool]}
    return given


def _keep_to_sites(world: World, chosen: dict[Key, UUID]) -> None:
    """Whoever stays together with somebody who has a place, or for whom one is asked, can only go there."""
    for person in world.people:
        if person.family is None or person.key in chosen:
            continue
        if person.part:
            person.notes.append(rules.PACKAGE_ALONE)
        elif sites := world.anchors.get(person.family):
            person.options = [option for option in person.options if world.rules.sites.get(option.pool) in sites]
            person.notes.append(rules.WITH_OTHER)


def _solve(world: World, people: list[Person], before: dict[Key, UUID | None], policy: Policy, plan: Plan) -> Drawn:
    told = {key: pool for key, pool in before.items() if pool is not None}
    packed = pack(people, world.places, told, policy, world.rules)
    by_key = {person.key: person for person in people}
    base, problem = packed.base(policy, plan.draw), packed.problem(policy, plan.draw)
    side = packed.side(problem)
    return Drawn(world, [by_key[key] for key in packed.keys], packed, base, problem, side, solve(problem, side))


def _lines(plan: Plan, drawn: Drawn, looked: wanting.Looked, before: dict[Key, UUID | None]) -> list[PlanLine]:
    problem, at, packed = drawn.problem, drawn.solved.at, drawn.packed
    pools = problem.pool_of(at)
    came = np.argsort([person.ready_at.timestamp() for person in drawn.people], kind="stable")
    turn = drawn.base.pool_of(take_turns(drawn.base, drawn.packed.side(drawn.base), came.tolist()))
    left = {one.person: one for one in answer.left_out(problem, at, drawn.side)}
    together = _together(drawn.world)
    changes = _changes(drawn, pools, before)
    why = wording.reasons([(person, packed.pools[pools[i]]) for i, person in enumerate(drawn.people) if pools[i] != NONE], at=plan.at)
    lines = []
    for i, person in enumerate(drawn.people):
        pool = packed.pools[pools[i]] if pools[i] != NONE else None
        nth = next((n for n, option in enumerate(person.options, start=1) if option.pool == pool), 0)
        option = person.options[nth - 1] if nth else None
        was = before.get(person.key)
        lines.append(
            PlanLine(
                plan=plan,
                number=i,
                episode_id=person.episode,
                profile_id=person.profile,
                part=person.part,
                together=together.get(person.key, []),
                state=State.SUGGESTED if option else State.LEFT_OUT,
                pool_id=pool,
                score=option.score if option else None,
                distance_m=option.distance_m if option else None,
                nth=nth,
                options=len(person.options),
                gain=int(drawn.base.left[i] - paid(drawn.base, i, int(pools[i]))),
                why=[*(why[person.key] if option else looked.reasons.get(person.key, [])), *person.notes],
                left_why="" if option else left[i].why,
                helps_pool_id=None if option else looked.helps.get(person.key),
                first_come_id=packed.pools[turn[i]] if turn[i] != NONE else None,
                was_pool_id=was if was != pool else None,
                change=changes.get(i, {}) if person.key in before else {"new": True} if plan.replaces else {},
            )
        )
    return lines


def paid(problem: Problem, person: int, pool: int) -> int:
    """What a person's outcome costs: of a place that there is not among the options, as much as being left out."""
    begin, end = problem.start[person], problem.start[person + 1]
    mine = np.flatnonzero(problem.pool[begin:end] == pool)
    return int(problem.cost[begin + mine[0]] if len(mine) else problem.left[person])


def _changes(drawn: Drawn, pools: Ints, before: dict[Key, UUID | None]) -> dict[int, dict[str, Any]]:
    """Against the plan before: what each changed line gains, and for whom it makes room where it is worse."""
    if not before:
        return {}
    index = {pool: number for number, pool in enumerate(drawn.packed.pools)}
    moves, lost = [], set()
    for i, person in enumerate(drawn.people):
        pool = before.get(person.key)
        # A place that can no longer be had has a number of its own, so that losing it is a change too.
        was = NONE if pool is None else index.get(pool, len(index))
        now = int(pools[i])
        if was == now:
            continue
        could = was != NONE and bool((drawn.base.pool[drawn.base.start[i] : drawn.base.start[i + 1]] == was).any())
        if was != NONE and not could:
            lost.add(i)
        gain = paid(drawn.base, i, was) - paid(drawn.base, i, now)
        moves.append((i, was, now, gain))
    return {
        line.person: {
            "gain": line.gain,
            "lost": line.person in lost,
            "for": [str(drawn.packed.episodes[other]) for other in line.opens_for],
        }
        for line in Change.of(moves).lines
    }


def _together(world: World) -> dict[Key, list[str]]:
    """Of each line, the stays of those whom the person is to stay together with."""
    stays: dict[int, dict[UUID, str]] = {}
    for person in world.people:
        if person.family is not None and not person.part:
            stays.setdefault(person.family, {})[person.patient] = str(person.episode)
    return {
        person.key: [stay for patient, stay in stays[person.family].items() if patient != person.patient]
        for person in world.people
        if person.family is not None and not person.part
    }


def _chosen_lines(plan: Plan, world: World, chosen: dict[Key, UUID], before: dict[Key, UUID | None]) -> list[PlanLine]:
    people = [person for person in world.people if person.key in chosen]
    why = wording.reasons([(person, chosen[person.key]) for person in people], at=plan.at)
    together, lines = _together(world), []
    for number, person in enumerate(people, start=len(world.people)):
        nth = next(n for n, option in enumerate(person.options, start=1) if option.pool == chosen[person.key])
        option, was = person.options[nth - 1], before.get(person.key)
        lines.append(
            PlanLine(
                plan=plan, number=number, episode_id=person.episode, profile_id=person.profile, state=State.CHOSEN, pool_id=option.pool,
                score=option.score, distance_m=option.distance_m, nth=nth, options=len(person.options), why=why[person.key],
                part=person.part, together=together.get(person.key, []),
                was_pool_id=was if was != option.pool else None,
            )
        )  # fmt: skip
    return lines


def _offered(plan: Plan, world: World) -> list[PlanLine]:
    first = 2 * len(world.people)
    return [
        PlanLine(plan=plan, number=number, episode_id=o.episode, profile_id=o.profile, state=State.OFFERED, pool_id=o.pools[0])
        for number, o in enumerate(world.offers, start=first)
    ]


def _figures(plan: Plan, drawn: Drawn, world: World, lines: list[PlanLine], looked: wanting.Looked) -> dict[str, Any]:
    """Counts and comparisons, with no person in them: what a manager reads."""
    base = drawn.base
    at = seats(base, drawn.problem.pool_of(drawn.solved.at))
    came = np.argsort([person.ready_at.timestamp() for person in drawn.people], kind="stable")
    states = [line.state for line in lines]
    return {
        "states": {state.value: states.count(state) for state in State},
        "unsearched": world.unsearched,
        "changed": sum("gain" in line.change for line in lines),
        "changes": sum(bool(line.change) for line in lines),
        "gained": sum(int(line.change.get("gain", 0)) for line in lines),
        "places": int(drawn.packed.places.sum()),
        "compare": [asdict(each) for each in answer.compare(base, at, came=came, side=drawn.packed.side(base))],
        "groups": [asdict(each) for each in answer.by_group(base, at, [person.pathway for person in drawn.people])],
        "kept": _kept(drawn),
        "shares": watching.shares(drawn.problem, drawn.solved.at, drawn.packed.pools),
        "equity": watching.groups(drawn, plan),
        "wanted": [asdict(each) for each in looked.wanted[:MOST_WANTED]],
    }


def _kept(drawn: Drawn) -> dict[str, int]:
    """How many of each rule the plan keeps beyond those of one person."""
    packed = drawn.packed
    bundles = drawn.side.bundles if drawn.side else ()
    return {
        "together": sum(bundle.together for bundle in bundles),
        "packages": sum(not bundle.together for bundle in bundles),
        "rooms": len(packed.fixed),
        "limits": len(packed.ward_limit) + len(packed.service_limit),
        "share": drawn.world.rules.share,
    }
