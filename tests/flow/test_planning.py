"""One plan for everybody who waits: made by the ranking's own rules, proved, decided by people, and made anew when the world changes."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

import capacity.operations as places
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow import operations
from flow.models import EpisodeHold, Plan, PlanDecision, PlanLine
from flow.planning import drawing, pricing
from flow.planning import operations as planning
from flow.planning.packing import Packed
from flow.planning.queries import board, current_plan, since
from flow.tasks import draw_up_plan
from matching.operations import lines as ranked
from matching.operations import match
from tests.factories import AreaFactory, EpisodeFactory, PoolFactory, ReferralFactory, UserFactory
from tests.flow.helpers import provider_of
from tests.flow.waiting import home, waits

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)
State, Kind = PlanLine.State, PlanDecision.Kind


@pytest.fixture
def team():
    return UserFactory()


def line_of(plan, stay) -> PlanLine:
    return plan.lines.get(episode=stay)


def shown(team, plan, stay, at=NOW):
    return next(line for line in board(team, plan, at) if line.episode == stay.pk)


@pytest.mark.req("R025")
def test_the_plan_places_more_than_first_come_first_served_and_is_proved(team):
    """One near home fits both; the other person could also go further. Served in turn, the first would take what the second needs."""
    close, far = home(0), home(9_000)
    long = waits(team, days=9)
    short = waits(team, days=1, max_distance_m=3_000)
    plan = planning.draw_up(by=team, at=NOW)
    assert (plan.status, plan.objective, plan.gap) == (Plan.Status.DONE, plan.bound, 0)
    assert (line_of(plan, short).pool, line_of(plan, long).pool) == (close, far)
    this, turns, _ = plan.figures["compare"]
    assert (this["placed"], turns["placed"]) == (2, 1)
    assert line_of(plan, short).first_come is None
    assert line_of(plan, long).gain > 0
    run = match(long.profile, by=team, at=NOW)
    assert {line.pool_id: line.score for line in ranked(run)}[far.pk] == line_of(plan, long).score, "the very score of the ranking"
    assert line_of(plan, long).nth == 2
    assert not EpisodeHold.objects.exists(), "nothing is sent or held by itself"


def test_who_waits_longer_or_is_urgent_has_the_last_place_and_the_other_reads_why(team):
    AreaFactory(name="Prestonshire")
    home(0)
    full = home(500, available=0)
    short, long = waits(team, days=1), waits(team, days=20)
    plan = planning.draw_up(by=team, at=NOW)
    assert line_of(plan, long).state == State.SUGGESTED
    left = line_of(plan, short)
    assert (left.state, left.left_why, left.helps_pool is not None) == (State.LEFT_OUT, "full", True)
    assert left.why == ["Every place that fits is taken by somebody for whom it does more good."]
    (wanted,) = plan.figures["wanted"]
    assert (wanted["kind"], wanted["area"], wanted["pools"], wanted["full"]) == (full.care_type.name, "Prestonshire", 2, 1)
    assert wanted["points"] > 0
    soon = waits(team, days=1, needed_by=NOW.date() - timedelta(days=2))
    home(300)
    again = planning.draw_up(by=team, at=NOW + MINUTE)
    assert line_of(again, soon).state == State.SUGGESTED
    assert line_of(again, short).state == State.LEFT_OUT


def test_an_urgent_referral_or_a_near_date_is_a_step_of_priority(team):
    home(0)
    calm, urgent = waits(team, days=20), waits(team, days=1)
    asked = ReferralFactory(patient=urgent.patient, episode=urgent, profile=urgent.profile, urgency="urgent")
    assert asked.organization == team.organization
    plan = planning.draw_up(by=team, at=NOW)
    assert (line_of(plan, urgent).state, line_of(plan, calm).state) == (State.SUGGESTED, State.LEFT_OUT)


def test_hard_rules_are_those_of_the_ranking_and_a_rule_is_named_when_nothing_fits(team):
    home(30_000)
    stay = waits(team, max_distance_m=5_000)
    nobody = waits(team, care_types=["home-dementia-nursing"])
    stale = waits(team, care_types=["no-longer-a-word"])
    plan = planning.draw_up(by=team, at=NOW)
    assert (line_of(plan, stay).left_why, line_of(plan, stay).options) == ("no-option", 0)
    assert line_of(plan, stay).why == ["1 would fit if the farthest distance did not matter."]
    assert line_of(plan, nobody).why == ["There is no service of this kind that is open."]
    assert line_of(plan, stale).why == ["What was looked for has words that are no longer in use. Search again for this person."]


def test_a_waiting_list_or_an_unknown_figure_is_no_place(team):
    home(0, status="waitlist", available=2)
    PoolFactory(unknown=True)
    stay = waits(team)
    line = line_of(planning.draw_up(by=team, at=NOW), stay)
    assert line.state == State.LEFT_OUT
    assert line.why == [
        "1 service that fits has a waiting list.",
        "1 service that fits has not told lately whether a place is free. Ask it.",
    ]


def test_a_plan_is_for_ones_own_people_and_figures_alone_are_for_managers(team):
    home(0, available=5)
    stay, elsewhere = waits(team), waits(UserFactory())
    EpisodeFactory(patient__organization=team.organization)  # nobody has looked for this person yet
    plan = planning.draw_up(by=team, at=NOW)
    assert [line.episode for line in plan.lines.all()] == [stay]
    assert plan.figures["unsearched"] == 1
    stranger, trust = UserFactory(), UserFactory(manager=True, organization=team.organization)
    assert current_plan(stranger) is None
    assert current_plan(trust) == plan
    assert board(trust, plan, NOW) == [] == board(stranger, plan, NOW)
    region = UserFactory(manager=True)
    whole = planning.draw_up(by=region, at=NOW)
    assert set(whole.lines.values_list("episode", flat=True)) == {stay.pk, elsewhere.pk}
    assert board(UserFactory(organization=region.organization), whole, NOW) == [], "the region's plan names nobody to anybody"
    for wrong in (UserFactory(provider=True), UserFactory(curator=True)):
        with pytest.raises(NotAllowed):
            planning.draw_up(by=wrong, at=NOW)
    with pytest.raises(NotFound):
        planning.accept(line_id=line_of(plan, stay).pk, by=stranger, at=NOW)
    with pytest.raises(NotFound):
        planning.accept(line_id=line_of(plan, stay).pk, by=trust, at=NOW)


def test_a_line_that_is_accepted_is_a_hold_and_stays_as_it_is(team):
    pool = home(0, available=2)
    first, second = waits(team, days=5), waits(team)
    plan = planning.draw_up(by=team, at=NOW)
    done = planning.accept(line_id=line_of(plan, first).pk, by=team, at=NOW)
    assert (done.plan, done.decision.hold.reservation.pool, done.decision.hold.episode) == (None, pool, first)
    with pytest.raises(Conflict, match="decided already"):
        planning.accept(line_id=line_of(plan, first).pk, by=team, at=NOW)
    assert [line.news for line in board(team, plan, NOW)] == ["", ""], "one's own hold is no news, and the other place is still there"
    again = planning.draw_up(by=team, at=NOW + MINUTE)
    assert (line_of(again, first).state, line_of(again, first).pool) == (State.OFFERED, pool)
    assert line_of(again, second).pool == pool
    assert Packed.load(bytes(again.problem)).places.tolist() == [1], "the held place is promised to nobody else"


def test_a_place_asked_for_without_a_hold_is_not_suggested_to_another(team):
    pool = home(0)
    asked, other = waits(team), waits(team, days=30)
    operations.send(
        patient_id=asked.patient_id, profile_id=asked.profile_id, pool_ids=[pool.pk], by=team, at=NOW, episode_id=asked.pk, consent=True
    )
    plan = planning.draw_up(by=team, at=NOW)
    assert (line_of(plan, asked).state, line_of(plan, other).state) == (State.OFFERED, State.LEFT_OUT)


def test_the_last_place_is_never_given_twice_and_the_plan_is_repaired(team):
    """Two plans of two teams suggest the same last place: whoever is second reads that it has gone, and gets another suggestion."""
    last, other = home(0), home(4_000)
    mine, rival = waits(team), UserFactory()
    plan, theirs = planning.draw_up(by=team, at=NOW), None
    stay = waits(rival)
    theirs = planning.draw_up(by=rival, at=NOW)
    assert line_of(plan, mine).pool == line_of(theirs, stay).pool == last
    planning.accept(line_id=line_of(theirs, stay).pk, by=rival, at=NOW)
    assert shown(team, plan, mine).news.startswith("The place has gone since")
    done = planning.accept(line_id=line_of(plan, mine).pk, by=team, at=NOW + MINUTE)
    assert (done.decision.kind, "was taken at" in done.decision.reason_text) == (Kind.GONE, True)
    assert line_of(done.plan, mine).pool == other
    assert f"{last.service.name} can no longer be had for this person." in shown(team, done.plan, mine).change
    assert EpisodeHold.objects.count() == 1
    with pytest.raises(Conflict, match="replaced by a newer one"):
        planning.accept(line_id=line_of(plan, mine).pk, by=team, at=NOW + MINUTE)


@pytest.mark.req("R202")
def test_a_refused_place_is_not_suggested_for_the_same_stay_again_and_says_why(team):
    close, far = home(0), home(4_000)
    stay = waits(team)
    plan = planning.draw_up(by=team, at=NOW)
    line = line_of(plan, stay)
    for wrong in ({"reason": "x"}, {"reason": "other", "reason_text": " "}, {"reason": "far", "reason_text": "x" * 301}):
        with pytest.raises(Invalid):
            planning.reject(line_id=line.pk, by=team, at=NOW, **wrong)
    done = planning.reject(line_id=line.pk, by=team, at=NOW + MINUTE, reason="person")
    assert (line.pool, line_of(done.plan, stay).pool) == (close, far)
    assert shown(team, plan, stay).decision_words == "Refused: The person or their family chose otherwise."
    assert line_of(planning.draw_up(by=team, at=NOW + 2 * MINUTE), stay).pool == far
    with pytest.raises(IntegrityError), transaction.atomic():
        PlanDecision.objects.filter(pk=done.decision.pk).update(reason="")


def test_a_plan_can_be_solved_again_from_its_row_to_the_same_lines(team):
    for metres in (0, 4_000, 8_000):
        home(metres)
    for days in (1, 5, 9, 30):
        waits(team, days=days)
    made = planning.draw_up(by=team, at=NOW)
    plan = Plan.objects.get(pk=made.pk)
    packed = Packed.load(bytes(plan.problem))
    problem = packed.problem(drawing.policy_of(plan), plan.draw)
    again = drawing.solve(problem)
    pools = problem.pool_of(again.at).tolist()
    expected = {line.episode_id: line.pool_id for line in plan.lines.all()}
    assert {e: packed.pools[p] if p >= 0 else None for e, p in zip(packed.episodes, pools, strict=True)} == expected
    assert again.proof.objective == plan.objective


def test_the_price_of_another_place_is_known_before_and_adds_up(team):
    close, far = home(0), home(9_000)
    long, short = waits(team, days=9), waits(team, days=1, max_distance_m=3_000)
    plan = planning.draw_up(by=team, at=NOW)
    (offer,) = pricing.offers(line_of(plan, long))
    assert (offer.pool, offer.nth) == (close.pk, 1)
    packed, policy = Packed.load(bytes(plan.problem)), drawing.policy_of(plan)
    base = packed.base(policy, plan.draw)

    def cost(stay, pool=None) -> int:
        who = packed.episodes.index(stay.pk)
        return drawing.paid(base, who, -1 if pool is None else packed.pools.index(pool.pk))

    assert offer.price == cost(long, close) + cost(short) - cost(long, far) - cost(short, close) > 0
    assert [(moved.episode, moved.was, moved.now) for moved in offer.moved] == [(short.pk, close.pk, None)]
    done = planning.override(line_id=line_of(plan, long).pk, pool_id=close.pk, by=team, at=NOW + MINUTE)
    assert done.decision.price == offer.price
    chosen = line_of(done.plan, long)
    assert (chosen.state, chosen.pool, line_of(done.plan, short).state) == (State.CHOSEN, close, State.LEFT_OUT)
    with pytest.raises(Conflict, match="not one that fits"):
        planning.override(line_id=line_of(done.plan, short).pk, pool_id=far.pk, by=team, at=NOW)
    later = planning.draw_up(by=team, at=NOW + 2 * MINUTE)
    assert line_of(later, long).state == State.CHOSEN, "a choice stays until somebody refuses it"
    planning.reject(line_id=line_of(later, long).pk, by=team, at=NOW + 3 * MINUTE, reason="clinical")
    assert line_of(current_plan(team), long).pool == far


def test_nobody_is_moved_for_little_and_a_changed_line_says_what_it_gains_and_for_whom(team):
    told = home(9_000)
    first = waits(team, patient__given_name="Ada", patient__family_name="Byron")
    planning.draw_up(by=team, at=NOW)
    home(8_800)
    same = planning.draw_up(by=team, at=NOW + MINUTE)
    assert (line_of(same, first).pool, line_of(same, first).change) == (told, {}), "two hundred metres are not worth a change"
    best = home(0)
    moved = planning.draw_up(by=team, at=NOW + 2 * MINUTE)
    assert (line_of(moved, first).pool, line_of(moved, first).was_pool) == (best, told)
    gain = line_of(moved, first).change["gain"]
    assert shown(team, moved, first).change == f"{told.service.name} before; {best.service.name} now: {gain:,} points better."
    second = waits(team, days=40, max_distance_m=1_500, patient__given_name="Bea", patient__family_name="Webb")
    last = planning.draw_up(by=team, at=NOW + 3 * MINUTE)
    assert (line_of(last, second).pool, shown(team, last, second).change) == (best, "New in the plan.")
    line = shown(team, last, first)
    assert line.change.endswith("points worse, so that Bea Webb can be placed better.")
    assert line.named == {first.patient_id, second.patient_id}
    assert last.figures["changed"] == 1


def test_the_board_says_what_is_out_of_date(team):
    pool, spare = home(0), home(3_000)
    stay, gone = waits(team), waits(team, days=1)
    plan = planning.draw_up(by=team, at=NOW)
    assert not since(team, plan, NOW, board(team, plan, NOW)).anything
    places.report(pool_id=pool.pk, by=provider_of(pool), at=NOW + MINUTE, available=0, via="web")
    operations.end_episode(episode_id=gone.pk, by=team, at=NOW + MINUTE)
    waits(team)
    lines = board(team, plan, NOW + MINUTE)
    news = {line.episode: line.news for line in lines}
    assert news[gone.pk] == "The person no longer waits."
    assert (news[stay.pk] != "") == (line_of(plan, stay).pool == pool)
    found = since(team, plan, NOW + MINUTE, lines)
    assert (found.arrived, found.told) == (1, 1)
    assert found.changed >= 1
    assert spare.available == 1


def test_many_people_are_left_to_a_worker_that_tells_how_far_it_is_and_can_be_stopped(team, monkeypatch):
    monkeypatch.setattr(planning, "AT_ONCE", 1)
    monkeypatch.setattr(planning, "STEP", 1)
    home(0, available=5)
    stays = [waits(team) for _ in range(2)]
    plan = planning.draw_up(by=team, at=NOW)
    assert (plan.status, plan.total, current_plan(team)) == (Plan.Status.WAITING, 2, None)
    with pytest.raises(Conflict, match="being drawn up already"):
        planning.draw_up(by=team, at=NOW)
    planning.stop(plan_id=plan.pk, by=team, at=NOW)
    assert draw_up_plan(str(plan.pk)) == "nothing to do"
    second = planning.draw_up(by=team, at=NOW)
    Plan.objects.filter(pk=second.pk).update(status=Plan.Status.RUNNING, done=1)  # its worker died in the middle
    assert draw_up_plan(str(second.pk)) == "done"
    assert set(current_plan(team).lines.values_list("episode", flat=True)) == {stay.pk for stay in stays}
    third = planning.draw_up(by=team, at=NOW)
    original = planning.draw

    def stopped_meanwhile(plan, user, *, tell):
        planning.stop(plan_id=plan.pk, by=team, at=NOW)
        original(plan, user, tell=tell)

    monkeypatch.setattr(planning, "draw", stopped_meanwhile)
    assert draw_up_plan(str(third.pk)) == "stopped"
    assert current_plan(team) == second
    with pytest.raises(Conflict, match="ended already"):
        planning.stop(plan_id=third.pk, by=team, at=NOW)
    with pytest.raises(NotFound):
        planning.stop(plan_id=third.pk, by=UserFactory(), at=NOW)


def test_a_plan_for_nobody_and_lines_that_cannot_be_changed_afterwards(team):
    empty = planning.draw_up(by=team, at=NOW)
    assert (empty.objective, empty.figures["states"]["suggested"]) == (0, 0)
    home(0)
    waits(team)
    plan = planning.draw_up(by=team, at=NOW)
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        plan.lines.update(score=1)
