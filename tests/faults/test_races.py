"""Many at once, on connections of their own: a place is given once, a person placed once, and nobody waits in a circle."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

import capacity.operations as places
from capacity.models import CapacityReport, FreshnessPolicy, Reservation, ServiceCapacity
from catalogue.dedupe.operations import merge
from core.errors import Conflict, LuneError
from core.models import Event
from flow import operations
from flow.models import ReferralTask
from flow.workflow import Reason, Status
from tests.factories import NeedProfileFactory, OrganizationFactory, PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db(transaction=True)


def race(*acts: Callable[[], object]) -> list[object]:
    """Start all at the same instant, each on its own connection; the results in order, refusals as their code.

    Anything but a refusal in words (a deadlock, a broken constraint) is raised.
    """
    gate = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            results[number] = act()
        except LuneError as error:
            results[number] = error.code
        except BaseException as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    broken = [result for result in results if isinstance(result, BaseException)]
    assert not broken, broken
    return results


def reconcile(pool: ServiceCapacity) -> None:
    """A pool's figures, its open holds and its history tell the same story."""
    pool.refresh_from_db()
    assert pool.held == pool.reservations.filter(state=Reservation.State.HELD).count()
    rows = list(pool.reports.order_by("version"))
    assert [row.version for row in rows] == list(range(2, pool.version + 1))
    newest = [row for row in rows if row.kind != CapacityReport.Kind.LATE][-1:]
    assert [(row.available, row.held) for row in newest] == ([(pool.available, pool.held)] if newest else [])
    shown = [row for row in rows if row.kind != CapacityReport.Kind.LATE]
    assert Event.objects.filter(type="capacity.changed", topics__contains=[f"pool:{pool.pk}"]).count() == len(shown)


def test_sixteen_who_want_the_last_place_get_it_once():
    pool = PoolFactory(available=1)
    holders = OrganizationFactory.create_batch(16)
    at = timezone.now()
    results = race(*[lambda o=o: places.hold(pool_id=pool.pk, organization=o, by=None, at=at) for o in holders])
    assert Counter(r if isinstance(r, str) else "held" for r in results) == {"held": 1, "no-place": 15}
    reconcile(pool)
    assert pool.free == 0


def test_two_teams_who_send_for_the_last_place_place_one_person():
    pool, other = PoolFactory(available=1), PoolFactory(available=1)
    teams = UserFactory.create_batch(4)
    bodies = [
        {
            "patient_id": PatientFactory(organization=team.organization).pk,
            "profile_id": NeedProfileFactory(organization=team.organization).pk,
            "pool_ids": [p.pk for p in pools],
            "hold_pool_ids": [p.pk for p in pools],
        }
        for team, pools in zip(teams, ([pool, other], [other, pool]) * 2, strict=True)
    ]
    at = timezone.now()
    results = race(*[
        lambda team=team, body=body: operations.send(**body, by=team, at=at, consent=True) and "sent"
        for team, body in zip(teams, bodies, strict=True)
    ])  # fmt: skip
    assert Counter(results) == {"sent": 1, "no-place": 3}
    assert ReferralTask.objects.count() == 2
    reconcile(pool)
    reconcile(other)


def test_two_acceptances_of_the_last_place_take_it_once():
    pool = PoolFactory(available=1)
    tasks = [send(UserFactory(), [pool]).tasks.get() for _ in range(6)]
    answerer, at = provider_of(pool), timezone.now()
    results = race(*[lambda t=t: operations.accept(task_id=t.pk, by=answerer, at=at).status for t in tasks])
    assert Counter(results) == {Status.ACCEPTED: 1, "no-place": 5}
    reconcile(pool)
    assert pool.available == 0


@pytest.mark.req("R008")
def test_two_services_that_say_yes_to_one_person_leave_one_yes():
    sender = UserFactory()
    pools = PoolFactory.create_batch(4)
    FreshnessPolicy.objects.update(holds_per_person=4)
    referral = send(sender, pools, hold=pools)
    at = timezone.now()
    acts = [(task.pk, provider_of(task.pool)) for task in referral.tasks.select_related("pool__service")]
    results = race(*[lambda pk=pk, by=by: operations.accept(task_id=pk, by=by, at=at).status for pk, by in acts])
    assert Counter(results) == {Status.ACCEPTED: 1, "moved-on": 3}
    assert Counter(referral.tasks.values_list("status", flat=True)) == {Status.ACCEPTED: 1, Status.CANCELLED: 3}
    for pool in pools:
        reconcile(pool)
    assert sum(pool.available for pool in pools) == 11


def test_a_yes_and_a_withdrawal_at_once_end_the_same_way_whoever_is_first():
    pool = PoolFactory(available=1)
    sender, answerer, at = UserFactory(), provider_of(pool), timezone.now()
    for _ in range(6):
        task = send(sender, [pool], hold=[pool]).tasks.get()
        race(
            lambda task=task: operations.accept(task_id=task.pk, by=answerer, at=at).status,
            lambda task=task: operations.withdraw(task_id=task.pk, by=sender, at=at, reason=Reason.PATIENT_CHOICE).status,
        )
        task.refresh_from_db()
        assert task.status == Status.CANCELLED
        reconcile(pool)
        assert (pool.available, pool.held) == (1, 0)


def test_a_hold_that_runs_out_while_it_is_taken_gives_one_place():
    pool = PoolFactory(available=1)
    sender, answerer = UserFactory(), provider_of(pool)
    later = timezone.now() + places.HOLD_FOR + timedelta(minutes=1)
    for _ in range(6):
        places.report(pool_id=pool.pk, available=1, by=None, at=timezone.now())
        task = send(sender, [pool], hold=[pool]).tasks.get()
        race(
            lambda task=task: operations.accept(task_id=task.pk, by=answerer, at=later).status,
            lambda: places.expire_due(at=later),
        )
        task.refresh_from_db()
        assert task.status == Status.ACCEPTED
        reconcile(pool)
        assert (pool.available, pool.held) == (0, 0)


def test_lowering_a_figure_while_places_are_held_never_goes_below_what_is_held():
    pool = PoolFactory(available=4)
    holders, at = OrganizationFactory.create_batch(4), timezone.now()
    race(
        *[lambda o=o: places.hold(pool_id=pool.pk, organization=o, by=None, at=at) and "held" for o in holders],
        *[lambda n=n: places.report(pool_id=pool.pk, available=n, by=None, at=at) and "told" for n in (0, 1, 2, 3)],
    )
    reconcile(pool)
    assert pool.held <= pool.available


def test_an_edit_on_the_same_version_is_made_once():
    pool = PoolFactory(available=1)
    at = timezone.now()
    results = race(*[
        lambda n=n: places.report(pool_id=pool.pk, available=n, by=None, at=at, expected_version=1).version for n in range(8)
    ])  # fmt: skip
    assert Counter(results) == {2: 1, "stale-version": 7}


def test_crossing_answers_over_the_same_places_do_not_wait_in_a_circle():
    """Referrals that ask the same pools in opposite orders, answered, withdrawn and reported on together."""
    sender = UserFactory()
    pools = PoolFactory.create_batch(3, available=6)
    FreshnessPolicy.objects.update(holds_per_person=3)
    referrals = [send(sender, pools if n % 2 else pools[::-1], hold=pools) for n in range(5)]
    answerers, at = {pool.pk: provider_of(pool) for pool in pools}, timezone.now()
    acts: list[Callable[[], object]] = []
    for number, referral in enumerate(referrals):
        chosen, second = referral.tasks.all()[:2]
        acts.append(lambda t=chosen: operations.accept(task_id=t.pk, by=answerers[t.pool_id], at=at).status)
        if number % 2:
            acts.append(lambda t=second: operations.decline(task_id=t.pk, by=answerers[t.pool_id], at=at, reason=Reason.CAPACITY).status)
        else:
            acts.append(lambda t=chosen: operations.withdraw(task_id=t.pk, by=sender, at=at, reason_text="Not now").status)
    acts += [lambda p=pool: places.report(pool_id=p.pk, available=6, by=None, at=at) and "told" for pool in pools]
    race(*acts)
    for pool in pools:
        reconcile(pool)


def test_the_same_request_sent_twice_at_once_is_done_once():
    sender, pool = UserFactory(), PoolFactory()
    body = {
        "patient": str(PatientFactory(organization=sender.organization).pk),
        "profile": str(NeedProfileFactory(organization=sender.organization).pk),
        "pools": [str(pool.pk)],
        "consent": True,
    }

    def post() -> object:
        api = APIClient()
        api.force_authenticate(sender)
        answer = api.post("/api/v1/referrals/", body, headers={"Idempotency-Key": "once"})
        return (answer.status_code, answer.json()["id"])

    results = race(*[post] * 4)
    assert len(set(results)) == 1
    assert results[0][0] == 201
    assert ReferralTask.objects.count() == 1


def test_a_conflict_is_not_swallowed_by_the_race_itself():
    def refuse() -> None:
        raise Conflict("No.", code="no-place")

    assert race(refuse, lambda: 1) == ["no-place", 1]


@pytest.mark.parametrize("_round", range(4))
def test_a_record_is_merged_away_or_asked_and_never_both(_round):
    pool, kept = PoolFactory(), PoolFactory()
    hospital, curator, now = OrganizationFactory(hospital=True), UserFactory(curator=True), timezone.now()
    sender = UserFactory(organization=hospital)
    person, need = PatientFactory(organization=hospital), NeedProfileFactory(organization=hospital)

    def ask() -> object:
        return operations.send(patient_id=person.pk, profile_id=need.pk, pool_ids=[pool.pk], consent=True, by=sender, at=now)

    asked, merged = race(ask, lambda: merge(kept_id=kept.service_id, gone_id=pool.service_id, by=curator, at=now))
    pool.service.refresh_from_db()
    open_tasks = ReferralTask.objects.filter(pool=pool).count()
    assert (asked in ("no-place", "no-such-pool"), merged == "in-use") in [(True, False), (False, True)]
    assert (bool(pool.service.merged_into_id), open_tasks) == ((False, 1) if merged == "in-use" else (True, 0))
