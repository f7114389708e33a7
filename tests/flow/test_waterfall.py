"""One service after the other, several that are wanted, deadlines that pass, and what is looked at again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

import capacity.operations as places
from capacity.models import Reservation
from catalogue.models import Service
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from core.working_time import add_working
from flow import asking, fit, lateness, moves, operations, packages
from flow.consents import Purpose
from flow.models import QueuedAsk, Referral, ReferralTask
from flow.moves import Mover
from flow.workflow import Reason, Status
from tests.factories import EligibilityFactory, EpisodeFactory, NeedProfileFactory, PatientFactory, PoolFactory, UserFactory
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender():
    return UserFactory()


def in_order(sender, pools, **fields) -> Referral:
    return send(sender, pools, in_order=True, **fields)


def asked(referral) -> list[tuple[str, str]]:
    """The services asked so far with their states, in the order of asking."""
    tasks = referral.tasks.order_by("requested_at", "pk").select_related("pool__service")
    return [(task.pool.service.name, str(task.status)) for task in tasks]


def listed(referral) -> list[str]:
    return list(referral.queue.order_by("position").values_list("state", flat=True))


def task_of(referral, pool) -> ReferralTask:
    return referral.tasks.get(pool=pool)


@pytest.mark.req("R008")
def test_one_is_asked_after_the_other_and_the_first_yes_ends_the_list(sender):
    one, two, three = pools = PoolFactory.create_batch(3)
    referral = in_order(sender, pools)
    assert asked(referral) == [(one.service.name, "requested")]
    assert not ReferralTask.objects.visible_to(provider_of(two)).exists()
    assert not QueuedAsk.objects.visible_to(provider_of(two)).exists()
    operations.decline(task_id=task_of(referral, one).pk, by=provider_of(one), at=timezone.now(), reason=Reason.CAPACITY)
    assert asked(referral) == [(one.service.name, "rejected"), (two.service.name, "requested")]
    assert task_of(referral, two).transitions.get().by is None
    operations.accept(task_id=task_of(referral, two).pk, by=provider_of(two), at=timezone.now())
    assert listed(referral) == ["asked", "asked", "dropped"]
    assert not referral.tasks.filter(pool=three).exists()


def test_who_is_full_or_no_longer_fits_is_passed_over_and_the_reason_is_written(sender):
    one, two, three, four, five = pools = PoolFactory.create_batch(5)
    at = timezone.now()
    referral = in_order(sender, pools)
    places.report(pool_id=two.pk, available=0, by=provider_of(two), at=at)
    EligibilityFactory(service=three.service, minimum_age=18, maximum_age=30)
    Service.objects.filter(pk=four.service_id).update(status="inactive")
    operations.withdraw(task_id=task_of(referral, one).pk, by=provider_of(one), at=at + timedelta(minutes=1), reason_text="A flood")
    assert asked(referral)[1:] == [(five.service.name, "requested")]
    why = list(referral.queue.filter(state="passed").order_by("position").values_list("because", flat=True))
    assert why[0] == "It was full when its turn came."
    assert "age" in why[1]
    assert "no longer listed" in why[2]


@pytest.mark.parametrize("keep", [False, True], ids=["withdrawn", "stays asked"])
def test_a_deadline_that_passes_asks_the_next_once_whoever_looks_and_however_late(sender, keep):
    one, two = pools = PoolFactory.create_batch(2)
    referral = in_order(sender, pools, keep_asked=keep, answer_within=timedelta(hours=3))
    due = task_of(referral, one).respond_by
    assert due == task_of(referral, one).requested_at + timedelta(hours=3)
    assert lateness.look(at=due) == 0
    late = due + timedelta(hours=1)
    assert lateness.look(at=late) == 1
    assert lateness.look(at=late) == 0
    assert [status for _, status in asked(referral)] == ["requested" if keep else "cancelled", "requested"]
    if not keep:
        assert task_of(referral, one).status_reason_text.startswith("No answer by ")
    assert Event.objects.filter(type="referral.overdue").count() == 1
    # The last stays asked: to take it back would only lose a possible yes. Each height is told once, in order.
    lateness.look(at=late + timedelta(days=3))
    lateness.look(at=late + timedelta(days=3))
    told = [event.data.get("level") for event in Event.objects.filter(type="referral.escalated", data__task=str(task_of(referral, two).pk))]
    assert told == ["team", "manager"]
    assert task_of(referral, two).status == Status.REQUESTED


def test_a_hold_is_for_whoever_is_asked_and_goes_along(sender):
    one, two = pools = PoolFactory.create_batch(2)
    referral = in_order(sender, pools, hold=pools)
    assert Reservation.objects.filter(state="held").get().pool == one
    operations.decline(task_id=task_of(referral, one).pk, by=provider_of(one), at=timezone.now(), reason=Reason.DISTANCE)
    assert Reservation.objects.filter(state="held").get().pool == two
    operations.accept(task_id=task_of(referral, two).pk, by=provider_of(two), at=timezone.now())
    two.refresh_from_db()
    assert (two.available, two.held) == (2, 0)


def test_two_of_four_are_wanted_and_then_the_rest_is_withdrawn(sender):
    pools = PoolFactory.create_batch(4)
    referral = send(sender, pools, wanted=2)
    for pool in pools[:2]:
        assert referral.tasks.filter(status="requested").count() > 1
        operations.accept(task_id=task_of(referral, pool).pk, by=provider_of(pool), at=timezone.now())
    assert sorted(status for _, status in asked(referral)) == ["accepted", "accepted", "cancelled", "cancelled"]
    with pytest.raises(IntegrityError, match="As many services as are wanted"), transaction.atomic():
        ReferralTask.objects.filter(pk=task_of(referral, pools[3]).pk).update(status="accepted")
    with pytest.raises(Invalid, match="from 1 to 4"):
        send(sender, pools, wanted=5)


@pytest.mark.req("R072")
def test_of_three_parts_two_are_enough(sender):
    pools = PoolFactory.create_batch(3)
    person = PatientFactory(organization=sender.organization)
    needs = NeedProfileFactory.create_batch(3, organization=sender.organization)
    parts = [packages.Part(profile_id=need.pk, match_run_id=None, pool_ids=[pool.pk]) for need, pool in zip(needs, pools, strict=True)]
    sent = packages.send(patient_id=person.pk, parts=parts, parts_wanted=2, by=sender, at=timezone.now(), consent=True)
    for referral, pool in list(zip(sent, pools, strict=True))[:2]:
        operations.accept(task_id=task_of(referral, pool).pk, by=provider_of(pool), at=timezone.now())
    assert [referral.tasks.get().status for referral in sent] == ["accepted", "accepted", "cancelled"]
    with pytest.raises(IntegrityError), transaction.atomic():
        sent[2].tasks.update(status="accepted")


def test_the_sender_reorders_asks_the_next_adds_and_closes_and_nobody_else_does(sender):
    one, two, three = pools = PoolFactory.create_batch(3)
    referral, at = in_order(sender, pools), timezone.now()
    last = referral.queue.get(pool=three)
    asking.move(entry_id=last.pk, up=True, by=sender, at=at)
    asking.move(entry_id=last.pk, up=True, by=sender, at=at)  # it cannot pass who was asked
    assert list(referral.queue.order_by("position").values_list("pool", flat=True)) == [one.pk, three.pk, two.pk]
    assert asking.ask_next(referral_id=referral.pk, by=sender, at=at).pool == three
    asking.leave_out(entry_id=referral.queue.get(pool=two).pk, by=sender, at=at)
    with pytest.raises(Conflict, match="Nobody is left"):
        asking.ask_next(referral_id=referral.pk, by=sender, at=at)
    more = PoolFactory()
    assert asking.ask_also(referral_id=referral.pk, pool_ids=[more.pk], by=sender, at=at) == []  # two are being asked: it waits
    for stranger, refusal in ((UserFactory(), NotFound), (provider_of(one), NotFound)):
        with pytest.raises((refusal, NotAllowed)):
            asking.close(referral_id=referral.pk, reason="Mine", by=stranger, at=at)
    asking.close(referral_id=referral.pk, reason="They moved in with a daughter", by=sender, at=at)
    assert {status for _, status in asked(referral)} == {"cancelled"}
    assert moves.of_referral(Referral.objects.get(pk=referral.pk), at).side == Mover.NOBODY


def test_a_provider_is_told_what_has_changed_and_says_yes_even_so_but_never_without_a_place(sender):
    pool = PoolFactory(available=2)
    task, answerer, at = task_of(send(sender, [pool]), pool), provider_of(pool), timezone.now()
    places.report(pool_id=pool.pk, available=1, by=answerer, at=at)
    EligibilityFactory(service=pool.service, minimum_age=18, maximum_age=30)
    found = fit.changes(task, at)
    assert [(change.code, change.to_confirm) for change in found] == [("age", True), ("free", False)]
    assert "82" not in " ".join(change.words for change in found)
    with pytest.raises(Conflict, match="you no longer take people like this") as refused:
        operations.accept(task_id=task.pk, by=answerer, at=at)
    assert refused.value.code == "changed-since"
    places.report(pool_id=pool.pk, available=0, by=answerer, at=at + timedelta(minutes=1))
    with pytest.raises(Conflict, match="no place is free"):
        operations.accept(task_id=task.pk, by=answerer, at=at + timedelta(minutes=2), even_so=True)
    places.report(pool_id=pool.pk, available=1, by=answerer, at=at + timedelta(minutes=3))
    assert operations.accept(task_id=task.pk, by=answerer, at=at + timedelta(minutes=4), even_so=True).status == Status.ACCEPTED


def test_what_no_longer_fits_is_not_asked_unless_the_sender_says_so(sender):
    pool = PoolFactory()
    EligibilityFactory(service=pool.service, minimum_age=18, maximum_age=30)
    with pytest.raises(Conflict, match="does not fit this person now: age") as refused:
        send(sender, [pool])
    assert refused.value.code == "no-longer-fits"
    assert not Referral.objects.exists()
    assert send(sender, [pool], even_so=True).tasks.count() == 1


def test_whose_move_it_is_from_the_first_question_to_nobody_left(sender):
    one, _ = pools = PoolFactory.create_batch(2)
    stay = EpisodeFactory(patient=PatientFactory(organization=sender.organization))
    referral, at = in_order(sender, pools, patient=stay.patient, episode_id=stay.pk), timezone.now()
    move = moves.of_referral(referral, at)
    assert (move.side, move.who, move.step, move.overdue_since) == (Mover.PROVIDER, one.service.name, "answer", None)
    assert moves.of_referral(referral, at + timedelta(days=2)).overdue_since == move.by
    for pool in pools:
        operations.decline(task_id=task_of(referral, pool).pk, by=provider_of(pool), at=at, reason=Reason.DISTANCE)
    move = moves.of_referral(referral, at)
    assert (move.side, move.step) == (Mover.REFERRER, "ask")
    assert move.by > at
    again = send(sender, PoolFactory.create_batch(1), patient=stay.patient, episode_id=stay.pk)
    assert moves.of_referral(referral, at).side == Mover.NOBODY, "the sender has moved: another was sent"
    task = again.tasks.get()
    operations.accept(task_id=task.pk, by=provider_of(task.pool), at=at)
    move = moves.of_referral(again, at)
    assert (move.side, move.step) == (Mover.PROVIDER, "start")
    assert move.by == at + timedelta(days=7)


def test_working_time_leaves_out_nights_weekends_and_bank_holidays():
    friday = datetime(2026, 12, 18, 16, tzinfo=UTC)
    assert add_working(friday, timedelta(hours=2)) == datetime(2026, 12, 21, 10, tzinfo=UTC)
    christmas_eve = datetime(2026, 12, 24, 16, 30, tzinfo=UTC)
    assert add_working(christmas_eve, timedelta(hours=1)) == datetime(2026, 12, 29, 9, 30, tzinfo=UTC)
    summer = datetime(2026, 7, 6, 6, tzinfo=UTC)
    assert add_working(summer, timedelta(hours=8)) == datetime(2026, 7, 6, 16, tzinfo=UTC), "17:00 in London"


@pytest.mark.parametrize("purpose", [Purpose.CARE, Purpose.SHARING])
def test_nobody_is_asked_against_what_the_person_agrees_to(sender, purpose):
    one, two = pools = PoolFactory.create_batch(2)
    referral, at = in_order(sender, pools), timezone.now()
    kind = two.service.organization.kind if purpose == Purpose.SHARING else ""
    said = {"purpose": purpose, "kind": kind, "source": "said"}
    decision = "refused" if purpose == Purpose.SHARING else "withdrawn"
    operations.record_consent(patient_id=referral.patient_id, decision=decision, by=sender, at=at, **said)
    operations.decline(task_id=task_of(referral, one).pk, by=provider_of(one), at=at, reason=Reason.DISTANCE)
    assert asked(referral) == [(one.service.name, "rejected")]
    assert referral.queue.get(pool=two).because == "What the person agrees to did not allow to ask it when its turn came."


def test_what_is_asked_even_so_is_so_when_its_turn_comes(sender):
    one, two, three = PoolFactory.create_batch(3)
    for pool in (two, three):
        EligibilityFactory(service=pool.service, minimum_age=18, maximum_age=30)
    referral, at = in_order(sender, [one, two], even_so=True), timezone.now()
    asking.ask_also(referral_id=referral.pk, pool_ids=[three.pk], by=sender, at=at, even_so=True)
    for pool in (one, two):
        operations.decline(task_id=task_of(referral, pool).pk, by=provider_of(pool), at=at, reason=Reason.DISTANCE)
    assert task_of(referral, three).status == Status.REQUESTED


def test_who_was_told_and_waits_takes_nobodys_turn_and_what_fails_stops_no_other(sender, monkeypatch, caplog):
    at = timezone.now()
    broken, told, urgent = [send(sender, [PoolFactory()], at=at).tasks.get() for _ in range(3)]
    late = at + timedelta(hours=25)
    ReferralTask.objects.filter(pk=told.pk).update(late=lateness.OVERDUE)
    ReferralTask.objects.filter(pk=urgent.pk).update(late=lateness.TEAM, respond_by=at - timedelta(days=3))
    tell = lateness._tell

    def fails_once(task, number):
        if task == broken:
            raise ValueError("Ivy Marsh")
        tell(task, number)

    monkeypatch.setattr(lateness, "_tell", fails_once)
    monkeypatch.setattr(lateness, "AT_ONCE", 1)
    assert lateness.look(at=late) == 1
    assert ReferralTask.objects.get(pk=urgent.pk).late == lateness.MANAGER
    assert "ValueError in fails_once" in caplog.text
    assert "Marsh" not in caplog.text


@pytest.mark.req("R008")
def test_once_the_stay_has_ended_nobody_else_is_asked(sender):
    """Another referral of the same stay has begun: neither a no nor the sender makes Lune ask a further service."""
    one, two, home, other = PoolFactory.create_batch(4)
    person = PatientFactory(organization=sender.organization)
    stay = EpisodeFactory(patient=person)
    referral = in_order(sender, [one, two], patient=person, episode_id=stay.pk)
    begun = send(sender, [home], patient=person, episode_id=stay.pk).tasks.get()
    for step in (operations.accept, operations.start):
        step(task_id=begun.pk, by=provider_of(home), at=timezone.now())
    with pytest.raises(Conflict, match="has ended") as refused:
        asking.ask_also(referral_id=referral.pk, pool_ids=[other.pk], by=sender, at=timezone.now())
    assert refused.value.code == "ended"
    with pytest.raises(Conflict, match="has ended"):
        asking.ask_next(referral_id=referral.pk, by=sender, at=timezone.now())
    operations.decline(task_id=task_of(referral, one).pk, by=provider_of(one), at=timezone.now(), reason=Reason.CAPACITY)
    assert asked(referral) == [(one.service.name, "rejected")]
    assert listed(referral) == ["asked", "dropped"]


@pytest.mark.req("R008")
def test_of_two_that_are_wanted_the_second_is_still_found_once_the_first_has_begun(sender):
    one, two, three, more = PoolFactory.create_batch(4)
    person = PatientFactory(organization=sender.organization)
    stay = EpisodeFactory(patient=person)
    referral = in_order(sender, [one, two, three], wanted=2, patient=person, episode_id=stay.pk)
    for step in (operations.accept, operations.start):
        step(task_id=task_of(referral, one).pk, by=provider_of(one), at=timezone.now())
    for pool in (two, three):
        operations.decline(task_id=task_of(referral, pool).pk, by=provider_of(pool), at=timezone.now(), reason=Reason.CAPACITY)
    asking.ask_also(referral_id=referral.pk, pool_ids=[more.pk], by=sender, at=timezone.now())
    stay.refresh_from_db()
    assert (asked(referral)[-1], stay.ended_at) == ((more.service.name, "requested"), None)
    asking.close(referral_id=referral.pk, reason="One is enough", by=sender, at=timezone.now())
    stay.refresh_from_db()
    assert stay.ended_at is not None, "what has begun is all that is waited for"
