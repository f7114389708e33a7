"""The plan in force is looked at again after changes, better ones are suggested and taken over by a person, and old ones are emptied."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

import capacity.operations as places
from core.errors import Conflict, NotAllowed, NotFound
from core.models import Event
from flow.models import EpisodeHold, Plan, PlanDecision, PlanLine
from flow.planning import keeping, renewing
from flow.planning import operations as planning
from flow.planning.queries import board, changes, current_plan, newest, proposal
from flow.tasks import forget_plans, look_at_plans
from tests.factories import UserFactory
from tests.flow.helpers import provider_of
from tests.flow.waiting import home, waits

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MINUTE = timedelta(minutes=1)
State = PlanLine.State


@pytest.fixture
def team():
    return UserFactory()


def looked(team, at) -> str:
    return renewing.look_again(organization_id=team.organization_id, at=at)


def test_a_better_plan_is_suggested_with_what_each_change_gains_and_for_whom_and_a_person_takes_it_over(team):
    told = home(9_000)
    stay = waits(team, patient__given_name="Ada", patient__family_name="Byron")
    plan = planning.draw_up(by=team, at=NOW)
    assert looked(team, NOW + MINUTE) == "as good as can be"
    assert Plan.objects.get(pk=plan.pk).looked_at == NOW + MINUTE
    best = home(0)
    assert looked(team, NOW + 2 * MINUTE) == "suggested"
    better = proposal(team, plan)
    assert (current_plan(team), newest(team)) == (plan, plan), "the plan in force stays until somebody takes the other over"
    (line,) = changes(team, better, NOW)
    assert line.change.startswith(f"{told.service.name} before; {best.service.name} now: ")
    assert (line.gains > 0, better.figures["changes"], better.gap) == (True, 1, 0)
    assert looked(team, NOW + 3 * MINUTE) == "suggested already"
    assert proposal(team, plan) == better, "the same is not suggested as something new"
    for stranger in (UserFactory(), UserFactory(provider=True)):
        with pytest.raises(NotFound):
            renewing.take_over(plan_id=better.pk, by=stranger, at=NOW + 3 * MINUTE)
    renewing.take_over(plan_id=better.pk, by=team, at=NOW + 4 * MINUTE)
    assert (current_plan(team), board(team, better, NOW)[0].place.id) == (better, best.pk)
    assert not EpisodeHold.objects.exists(), "nothing is held or sent by it"
    assert better.lines.get(episode=stay).pool == best


def test_a_decision_or_another_plan_makes_a_suggestion_void(team):
    home(9_000)
    first = waits(team, days=9)
    plan = planning.draw_up(by=team, at=NOW)
    home(0)
    looked(team, NOW + MINUTE)
    better = proposal(team, plan)
    planning.accept(line_id=plan.lines.get(episode=first).pk, by=team, at=NOW + 2 * MINUTE)
    assert proposal(team, plan) is None
    with pytest.raises(Conflict, match="has changed since"):
        renewing.take_over(plan_id=better.pk, by=team, at=NOW + 3 * MINUTE)
    assert looked(team, NOW + 3 * MINUTE) == "as good as can be", "an offer is frozen: nobody is moved from a place that is held"
    assert not Plan.objects.filter(status=Plan.Status.PROPOSED).exists()
    again = planning.draw_up(by=team, at=NOW + 4 * MINUTE)
    waits(team, days=1)
    looked(team, NOW + 5 * MINUTE)
    assert proposal(team, again) is not None
    planning.draw_up(by=team, at=NOW + 6 * MINUTE)
    assert not Plan.objects.filter(status=Plan.Status.PROPOSED).exists(), "a plan drawn up by hand leaves none behind"


def test_a_plan_decided_upon_while_another_is_worked_out_is_not_overtaken(team, monkeypatch):
    home(0)
    stay = waits(team)
    plan = planning.draw_up(by=team, at=NOW)
    home(100, available=4)
    original = renewing.work_out

    def decided_meanwhile(better, user, *, tell):
        lines = original(better, user, tell=tell)
        planning.reject(line_id=plan.lines.get(episode=stay).pk, by=team, at=NOW + 2 * MINUTE, reason="far")
        return lines

    monkeypatch.setattr(renewing, "work_out", decided_meanwhile)
    assert looked(team, NOW + MINUTE) == "overtaken"
    assert not Plan.objects.filter(status=Plan.Status.PROPOSED).exists()


def test_only_a_young_plan_about_which_something_has_changed_is_looked_at_and_not_too_often(team, settings):
    pool = home(0)
    waits(team)
    planning.draw_up(by=team, at=NOW)
    later = NOW + timedelta(minutes=5)
    assert renewing.due(later) == [], "nothing has changed"
    places.report(pool_id=pool.pk, by=provider_of(pool), at=NOW + MINUTE, available=2, via="web")
    assert renewing.due(later) == [team.organization_id]
    assert renewing.due(NOW + MINUTE) == [], "at most every two minutes"
    looked(team, later)
    assert renewing.due(later + timedelta(minutes=5)) == []
    waits(team)
    assert renewing.due(later + timedelta(minutes=5)) == [team.organization_id]
    assert renewing.due(NOW + timedelta(hours=13)) == [], "of yesterday's plan nobody expects it"
    settings.PLAN_LOOK_SECONDS = 0
    assert renewing.due(later + timedelta(minutes=5)) == []
    region = UserFactory(manager=True)
    settings.PLAN_LOOK_SECONDS = 120
    planning.draw_up(by=region, at=later)
    places.report(pool_id=pool.pk, by=provider_of(pool), at=later + MINUTE, available=1, via="web")
    assert renewing.due(later + timedelta(minutes=5)) == [team.organization_id], "nobody acts on a region's figures"


def test_what_is_to_be_looked_at_is_asked_for_once(team):
    from procrastinate.contrib.django.models import ProcrastinateJob

    waits(team)
    planning.draw_up(by=team, at=timezone.now() - timedelta(minutes=5))
    pool = home(0)
    places.report(pool_id=pool.pk, by=provider_of(pool), at=timezone.now(), available=2, via="web")
    assert (look_at_plans(0), look_at_plans(0)) == (1, 1)
    (job,) = ProcrastinateJob.objects.filter(task_name="flow.tasks.look_again")
    assert (job.lock, job.args) == (f"plan {team.organization_id}", {"organization_id": str(team.organization_id)})


def test_two_teams_read_on_their_boards_that_the_last_place_is_wanted_twice_and_not_by_whom(team):
    last = home(0)
    mine, rival = waits(team), UserFactory()
    plan = planning.draw_up(by=team, at=NOW)
    stay = waits(rival)
    told = Event.objects.filter(type="people.changed", topics=[f"org:{team.organization_id}"]).count()
    theirs = planning.draw_up(by=rival, at=NOW)
    assert [line.also for line in board(team, plan, NOW)] == [line.also for line in board(rival, theirs, NOW)] == [True]
    assert Event.objects.filter(type="people.changed", topics=[f"org:{team.organization_id}"]).count() == told + 1, (
        "an open board hears of it"
    )
    places.report(pool_id=last.pk, by=provider_of(last), at=NOW + MINUTE, available=2, via="web")
    assert not any(line.also for line in board(team, plan, NOW + MINUTE)), "there is room for both"
    planning.draw_up(by=UserFactory(manager=True), at=NOW + MINUTE)
    assert not any(line.also for line in board(team, plan, NOW + MINUTE)), "a region's figures want nothing"
    assert not any(line.also for line in board(team, plan, NOW + timedelta(days=2)))
    assert {mine.pk, stay.pk} == set(PlanLine.objects.exclude(plan__organization__kind="icb").values_list("episode", flat=True))


def test_old_plans_are_emptied_but_for_what_was_decided_and_the_one_in_force_stays(team, settings, capsys):
    home(9_000), home(0)
    ada, will = waits(team, days=9), waits(team, days=2)
    first = planning.draw_up(by=team, at=NOW)
    line = first.lines.get(episode=ada)
    planning.reject(line_id=line.pk, by=team, at=NOW, reason="far", reason_text="No bus")
    second, third = current_plan(team), planning.draw_up(by=team, at=NOW + MINUTE)
    for plan, days in ((first, 200), (second, 150), (third, 120)):
        Plan.objects.filter(pk=plan.pk).update(at=NOW - timedelta(days=days))
    call_command("export_plans")
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert [row[8:12] for row in rows[1:]] == [["rejected", str(line.pool_id), "far", "No bus"]]
    assert forget_plans(0) == 2
    assert list(Plan.objects.order_by("at")) == [first, third], "the plan in force stays, however old; and what was decided"
    assert (current_plan(team), Plan.objects.current().count()) == (third, 1)
    kept = Plan.objects.get(pk=first.pk)
    assert (kept.problem, list(kept.lines.values_list("episode", flat=True))) == (None, [ada.pk])
    assert PlanDecision.objects.get().by == team
    assert keeping.forget(at=NOW) == 0, "there is nothing more to empty"
    plan = planning.draw_up(by=team, at=NOW)
    assert plan.lines.get(episode=ada).pool_id != line.pool_id, "what was refused is still not suggested for the same stay"
    assert plan.lines.get(episode=will).pool_id == line.pool_id


def test_several_old_plans_in_a_row_of_which_nothing_was_decided_are_deleted(team):
    home(0)
    waits(team)
    *old, last = [planning.draw_up(by=team, at=NOW + n * MINUTE) for n in range(4)]
    Plan.objects.filter(pk__in=[plan.pk for plan in old]).update(at=NOW - timedelta(days=200))
    assert keeping.forget(at=NOW) == 3
    connection.check_constraints()  # at the end of a night's work the database looks: nothing may point at a plan that has gone
    assert Plan.objects.get().replaces_id is None
    assert current_plan(team) == last


def test_a_suggestion_that_a_worker_took_away_while_somebody_pressed_is_not_taken_over(team):
    home(9_000)
    waits(team)
    plan = planning.draw_up(by=team, at=NOW)
    home(0)
    looked(team, NOW + MINUTE)
    better = proposal(team, plan)

    def while_it_waits(execute, sql, *rest):
        if "FOR NO KEY UPDATE" in sql:
            Plan.objects.filter(pk=better.pk).delete()
        return execute(sql, *rest)

    with connection.execute_wrapper(while_it_waits), pytest.raises(NotFound, match="not suggested any more"):
        renewing.take_over(plan_id=better.pk, by=team, at=NOW + 2 * MINUTE)
    assert current_plan(team) == plan


def test_a_plan_of_somebody_who_has_moved_to_another_organisation_is_not_made_with_other_people(team, monkeypatch):
    monkeypatch.setattr(planning, "AT_ONCE", 1)
    home(0)
    waits(team)
    plan = planning.draw_up(by=team, at=NOW)
    waits(team)
    waiting = planning.draw_up(by=team, at=NOW + MINUTE)
    elsewhere = UserFactory()
    waits(elsewhere)
    team.organization = elsewhere.organization
    team.save()
    assert renewing.due(NOW + timedelta(minutes=5)) == []
    assert renewing.look_again(organization_id=plan.organization_id, at=NOW + timedelta(minutes=5)) == "no plan"
    with pytest.raises(NotAllowed):
        planning.carry_out(plan_id=waiting.pk, at=lambda: NOW + MINUTE)
    assert not Plan.objects.exclude(pk__in=[plan.pk, waiting.pk]).exists()
