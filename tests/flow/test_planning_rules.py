"""What a plan keeps beyond each person's own rules: couples, packages, shared rooms, newcomers a day; and who is told what of it."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from capacity.models import AdmissionLimit, SharedRoom
from core.errors import Conflict
from flow import episodes, relations
from flow.holds import hold_place
from flow.models import Episode, EpisodeHold, PlanLine
from flow.planning import drawing, pricing
from flow.planning import operations as planning
from flow.planning.packing import Packed
from flow.planning.queries import board
from matching.allocation import sides
from matching.allocation.problem import lots
from tests.factories import LocationFactory, PoolFactory, UserFactory, near, term
from tests.flow.waiting import home, waits

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)
State = PlanLine.State


@pytest.fixture
def team():
    return UserFactory()


def line_of(plan, stay, part="") -> PlanLine:
    return plan.lines.get(episode=stay, part=part)


def kept_together(team, one, other) -> None:
    relations.keep_together(patient_id=one.patient_id, other=other.patient_id, kind="couple", by=team, at=NOW)


def checked(plan) -> None:
    """What was kept of the plan keeps every rule, by the specification, and costs what it says."""
    packed = Packed.load(bytes(plan.problem))
    problem = packed.problem(drawing.policy_of(plan), plan.draw)
    of = {(line.episode_id, line.part): line.pool_id for line in plan.lines.all()}
    at = np.full(problem.people, -1, np.int64)
    for i, key in enumerate(packed.keys):
        if of[key] is not None:
            mine = np.flatnonzero(problem.pool[problem.start[i] : problem.start[i + 1]] == packed.pools.index(of[key]))
            at[i] = problem.start[i] + mine[0]
    assert sides.faults(problem, packed.side(problem) or sides.Sides(), at) == []
    assert problem.objective(at) == plan.objective >= plan.bound


@pytest.mark.req("R025", "R202")
def test_a_couple_is_placed_at_one_site_and_each_line_says_with_whom(team):
    """Each alone would have the near home; two beds are only in the far one, which has two kinds."""
    near_one = home(0)
    far = LocationFactory(point=near(6_000))
    first, second = (PoolFactory(location=far, available=1, reported_at=NOW - MINUTE) for _ in range(2))
    ada = waits(team, patient__given_name="Ada", patient__family_name="Byron")
    will = waits(team, patient__given_name="Will", patient__family_name="King")
    alone = planning.draw_up(by=team, at=NOW)
    assert near_one in {line.pool for line in alone.lines.all()}
    kept_together(team, will, ada)
    plan = planning.draw_up(by=team, at=NOW + MINUTE)
    assert {line_of(plan, ada).pool, line_of(plan, will).pool} == {first, second}
    checked(plan)
    assert plan.figures["kept"]["together"] == 1
    shown = {line.episode: line for line in board(team, plan, NOW + MINUTE)}
    assert shown[ada.pk].together == "Together with Will King."
    assert will.patient_id in shown[ada.pk].named, "who is named is looked at"
    # Where one of them is given another place, the other follows there or has none: the price says so.
    (offer,) = [each for each in pricing.offers(line_of(plan, ada)) if each.pool == near_one.pk]
    assert [(moved.episode, moved.now) for moved in offer.moved] == [(will.pk, None)]
    # One place is held: the other can only go there, and reads why.
    planning.accept(line_id=line_of(plan, ada).pk, by=team, at=NOW + MINUTE)
    again = planning.draw_up(by=team, at=NOW + 2 * MINUTE)
    assert line_of(again, will).pool.location == far
    assert "Kept to where a place was found for the person they stay together with." in line_of(again, will).why


def test_a_couple_for_whom_no_site_has_room_is_left_out_and_told_why(team):
    home(0)
    home(3_000)
    ada, will, other = waits(team), waits(team), waits(team)
    kept_together(team, ada, will)
    plan = planning.draw_up(by=team, at=NOW)
    assert line_of(plan, other).state == State.SUGGESTED
    assert {line_of(plan, stay).left_why for stay in (ada, will)} == {"together"}
    assert line_of(plan, ada).why[0] == "There is a place that fits, but no one site has room for all who stay together."
    checked(plan)


def test_a_shared_room_takes_one_sex_and_nobody_beside_an_infection(team):
    """Three beds in one room: two women with nothing catching are worth more than a man, or a woman who is kept apart."""
    room = home(0, available=3)
    SharedRoom.objects.create(pool=room)
    women = [waits(team, days=9, sex="female") for _ in range(2)]
    man, apart = waits(team, days=8, sex="male"), waits(team, days=8, sex="female")
    episodes.keep_apart(patient_id=apart.patient_id, infection="flu", by=team, at=NOW)
    plan = planning.draw_up(by=team, at=NOW)
    assert [line_of(plan, stay).pool for stay in women] == [room, room]
    assert {line_of(plan, stay).left_why for stay in (man, apart)} == {"room"}
    checked(plan)
    # The provider says that men are in it.
    SharedRoom.objects.filter(pool=room).update(sex="male")
    plan = planning.draw_up(by=team, at=NOW + MINUTE)
    assert [line.episode for line in plan.lines.filter(pool=room)] == [man]
    checked(plan)
    # A place is held there for the man: the room is his sex's, whatever was said before.
    SharedRoom.objects.filter(pool=room).update(sex="")
    planning.accept(line_id=line_of(plan, man).pk, by=team, at=NOW + MINUTE)
    assert line_of(planning.draw_up(by=team, at=NOW + 2 * MINUTE), women[0]).state == State.LEFT_OUT
    # Another team knows no more than that somebody is expected there.
    other = UserFactory()
    stranger = waits(other, sex="male")
    assert line_of(planning.draw_up(by=other, at=NOW + 2 * MINUTE), stranger).state == State.LEFT_OUT


def test_a_place_that_a_room_or_a_limit_forbids_has_no_price_and_is_not_kept_for_whom_it_was_chosen(team):
    """Women are in one room, and a ward takes nobody more today: of three other places one has a price."""
    best, womens, full, empty = home(0), home(1_000), home(2_000, available=2), home(3_000)
    SharedRoom.objects.create(pool=womens, sex="female")
    SharedRoom.objects.create(pool=empty)
    AdmissionLimit.objects.create(service=full.service, pool=full, a_day=1)
    rival = UserFactory()
    hold_place(episode_id=waits(rival).pk, pool_id=full.pk, by=rival, at=NOW)
    stay = waits(team, sex="male")
    plan = planning.draw_up(by=team, at=NOW)
    assert [offer.pool for offer in pricing.offers(line_of(plan, stay))] == [empty.pk]
    for pool in (womens, full):
        with pytest.raises(Conflict, match="not one that fits"):
            planning.override(line_id=line_of(plan, stay).pk, pool_id=pool.pk, by=team, at=NOW)
    chosen = planning.override(line_id=line_of(plan, stay).pk, pool_id=empty.pk, by=team, at=NOW).plan
    assert (line_of(chosen, stay).state, line_of(chosen, stay).pool) == (State.CHOSEN, empty)
    SharedRoom.objects.filter(pool=empty).update(sex="female")
    again = planning.draw_up(by=team, at=NOW + MINUTE)
    assert (line_of(again, stay).state, line_of(again, stay).pool) == (State.SUGGESTED, best)


def test_newcomers_a_day_are_a_limit_of_a_ward_and_of_a_service(team):
    service = home(0, available=3).service
    ward = PoolFactory(service=service, location=LocationFactory(point=near()), available=3, reported_at=NOW - MINUTE)
    AdmissionLimit.objects.create(service=service, pool=ward, a_day=1)
    AdmissionLimit.objects.create(service=service, a_day=2)
    stays = [waits(team, days=days) for days in (9, 8, 7, 6)]
    plan = planning.draw_up(by=team, at=NOW)
    placed = [line.pool for line in plan.lines.filter(state=State.SUGGESTED)]
    assert (len(placed), placed.count(ward) <= 1) == (2, True)
    assert line_of(plan, stays[3]).left_why == "limit"
    assert plan.gap == 0, "limits are held exactly"
    checked(plan)
    planning.accept(line_id=line_of(plan, stays[0]).pk, by=team, at=NOW)
    again = planning.draw_up(by=team, at=NOW + MINUTE)
    assert again.lines.filter(state=State.SUGGESTED).count() == 1, "whoever is coming already counts"


def test_no_provider_gets_more_than_the_largest_share_where_the_operator_set_one(team, settings):
    mine = home(0, available=4)
    home(3_000, available=4)
    for _ in range(4):
        waits(team)
    free = planning.draw_up(by=team, at=NOW)
    assert free.lines.filter(pool=mine).count() == 4
    settings.PLAN_LARGEST_SHARE = 50
    shared = planning.draw_up(by=team, at=NOW + MINUTE)
    assert shared.lines.filter(pool=mine).count() == 2
    assert (shared.figures["kept"]["share"], shared.gap) == (50, 0)
    checked(shared)
    (offer,) = pricing.offers(shared.lines.exclude(pool=mine)[0])
    assert [moved.was for moved in offer.moved] == [mine.pk], "there is room, but whoever comes in moves somebody out"


@pytest.mark.req("R025")
def test_a_package_is_suggested_whole_and_held_whole(team):
    """Care at home and meals: one of each kind, or none of it; and one press holds both or neither."""
    kinds = ["home-general-residential", "home-dementia-nursing"]
    care = home(0)
    meals = home(2_000, care_type=term("care-type", kinds[1]), service__care_type=term("care-type", kinds[1]))
    stay = waits(team, days=5, care_types=kinds, all_wanted=True)
    plan = planning.draw_up(by=team, at=NOW)
    assert {line.part: line.pool for line in plan.lines.all()} == {kinds[0]: care, kinds[1]: meals}
    assert plan.figures["kept"]["packages"] == 1
    checked(plan)
    assert not [line.news for line in board(team, plan, NOW) if line.news]
    with CaptureQueriesContext(connection) as asked:
        planning.accept(line_id=line_of(plan, stay, kinds[0]).pk, by=team, at=NOW)
    locks = [each["sql"] for each in asked if "FOR NO KEY UPDATE" in each["sql"]]
    first = next(n for n, sql in enumerate(locks) if care.pk.hex in sql or meals.pk.hex in sql)
    assert care.pk.hex in locks[first], "both places are locked at once, so that no two packages block each other"
    assert meals.pk.hex in locks[first]
    assert any(stay.patient_id.hex in sql for sql in locks[:first]), "and the person before them"
    assert {hold.reservation.pool for hold in EpisodeHold.objects.filter(episode=stay)} == {care, meals}
    other = waits(team, care_types=kinds, all_wanted=True)
    home(1_000)
    plan = planning.draw_up(by=team, at=NOW + MINUTE)
    assert {(line.left_why, line.pool) for line in plan.lines.filter(episode=other)} == {("package", None), ("no-option", None)}
    checked(plan)


def test_the_plan_of_the_page_is_the_allocation_solved_anew_and_one_place_more_never_makes_it_dearer(team):
    for metres in (0, 4_000, 8_000):
        home(metres)
    for days in (1, 5, 9, 30):
        waits(team, days=days)
    plan = planning.draw_up(by=team, at=NOW)
    again = drawing.solve(Packed.load(bytes(plan.problem)).problem(drawing.policy_of(plan), plan.draw))
    assert (again.proof.objective, again.proof.bound) == (plan.objective, plan.bound)
    home(500)
    more = planning.draw_up(by=team, at=NOW + MINUTE)
    assert more.objective < plan.objective
    assert more.lines.filter(state=State.SUGGESTED).count() == 4


def test_of_two_alike_the_lot_decides_and_not_who_was_recorded_first(team):
    """The lot is drawn anew each day: over some days each of them has the place."""
    home(0)
    ready = NOW - timedelta(days=3)
    for stay in [waits(team), waits(team)]:
        Episode.objects.filter(pk=stay.pk).update(ready_at=ready)
    plan = planning.draw_up(by=team, at=NOW)
    packed = Packed.load(bytes(plan.problem))
    drawn = lots([str(episode) for episode in packed.episodes], draw=plan.draw)
    assert plan.lines.get(state=State.SUGGESTED).episode_id == packed.episodes[int(np.argmin(drawn))]
    assert len({int(np.argmin(lots(map(str, packed.episodes), draw=f"day {day}"))) for day in range(20)}) == 2
