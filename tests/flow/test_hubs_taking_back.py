"""What a hub or a sender takes back of what was sent on: who is to move, what leaves the hub, and how it comes back."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from core import acting
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.models import Event
from flow import moves
from flow import operations as flow
from flow.hubs import closing, needs, operations, queries
from flow.hubs.steps import HubAction, HubState
from flow.models import Batch, HubEntry, HubStep, Patient, Referral, ReferralTask, SharingAgreement
from flow.workflow import Reason, Status
from flow.worklist import operations as worklists
from tests.factories import EpisodeFactory, PoolFactory, UserFactory
from tests.flow.at_hub import Scene, sent_on
from tests.flow.helpers import provider_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.req("R137")
def test_a_hub_takes_back_what_it_sent_to_a_service_and_asks_another(scene: Scene) -> None:
    pool = PoolFactory(available=1, maximum=3)
    entry, task = sent_on(scene, pool)
    provider = provider_of(pool)
    flow.accept(task_id=task.pk, by=provider, at=timezone.now())
    with pytest.raises(Invalid):
        scene.do(operations.take_back, entry, task_id=task.pk, words=" ")
    scene.do(operations.take_back, entry, task_id=task.pk, words="Too far for her daughter")
    task.refresh_from_db()
    pool.refresh_from_db()
    assert (task.status, task.status_reason_text, pool.available) == (Status.CANCELLED, "Too far for her daughter", 1)
    assert not Patient.objects.visible_to(provider).exists()
    with acting.for_user(scene.worker):
        assert queries.queue(scene.worker).get() == entry
    with acting.for_user(scene.sender):
        assert moves.of_referral(entry.referral, timezone.now()).side == moves.Mover.HUB
    step = queries.standing(entry.referral).told[0]
    assert step.words == "The hub took back the request"
    assert step.reason == f"{pool.service.name}: Too far for her daughter"
    with pytest.raises(Conflict) as refused:
        scene.do(operations.take_back, entry, task_id=task.pk, words="Again")
    assert refused.value.code == "moved-on"


@pytest.mark.parametrize("verb", [flow.withdraw, flow.retract])
def test_what_the_sender_takes_back_is_not_the_hubs_to_move(scene: Scene, verb) -> None:
    entry, task = sent_on(scene, PoolFactory())
    verb(task_id=task.pk, by=scene.sender, at=timezone.now(), reason_text="Her daughter found a place")
    assert moves.of_referral(entry.referral, timezone.now() + timedelta(days=9)).side == moves.Mover.NOBODY
    with acting.for_user(scene.worker):
        assert not queries.queue(scene.worker).exists()
        assert not HubEntry.objects.visible_to(scene.worker).exists()
    standing = queries.standing(entry.referral)
    assert not standing.nobody_left
    assert (standing.words, standing.whose_move, standing.told[0].words) == ("Withdrawn", "", "Closed, because nobody is asked any more")
    assert Event.objects.filter(type="hub.changed", data__state="withdrawn", audience__contains=[scene.hub.organization_id]).count() == 1


@pytest.mark.parametrize("way", ["closed", "stay ended", "found by the clock"])
def test_what_a_hub_sent_on_leaves_its_list_once_nobody_is_asked_and_before_it_stays(scene: Scene, way) -> None:
    stay = EpisodeFactory(patient=scene.patient)
    one, two = PoolFactory.create_batch(2)
    entry = scene.send(at=timezone.now() - timedelta(minutes=5), episode_id=stay.pk)
    scene.do(operations.triage, entry, urgency="routine")
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    scene.do(operations.route, entry, run_id=run.pk, pool_ids=[one.pk, two.pk])
    waits, refused = entry.referral.tasks.get(pool=one), entry.referral.tasks.get(pool=two)
    with acting.for_user(scene.worker):
        assert (queries.counts(scene.worker)["routed"], queries.counts(scene.worker)["all"]) == (1, 1)
    if way == "found by the clock":  # as it stood before a hub's list was closed
        ReferralTask.objects.filter(referral=entry.referral).update(status=Status.CANCELLED)
        assert closing.look(at=timezone.now()) == 1
        assert closing.look(at=timezone.now()) == 0
    else:
        flow.withdraw(task_id=waits.pk, by=scene.sender, at=timezone.now(), reason_text="Too far")
        with acting.for_user(scene.worker):
            assert queries.counts(scene.worker)["routed"] == 1, "the other is still asked"
        flow.decline(task_id=refused.pk, by=provider_of(two), at=timezone.now(), reason=Reason.CAPACITY)
        with acting.for_user(scene.worker):
            assert (queries.counts(scene.worker)["open"], queries.counts(scene.worker)["routed"]) == (1, 0)
        if way == "closed":
            flow.close(referral_id=entry.referral_id, reason="At home", by=scene.sender, at=timezone.now())
        else:
            flow.end_episode(episode_id=stay.pk, by=scene.sender, at=timezone.now())
    with acting.for_user(scene.worker):
        assert set(queries.counts(scene.worker).values()) == {0}
    assert HubEntry.objects.get().state == HubState.WITHDRAWN
    assert HubStep.objects.filter(action=HubAction.END).count() == 1


def test_only_a_hub_takes_back_and_only_what_is_in_its_queue(scene: Scene) -> None:
    entry, task = sent_on(scene, PoolFactory())
    other, others = sent_on(scene, PoolFactory())
    with pytest.raises(NotFound):
        scene.do(operations.take_back, entry, task_id=others.pk, words="Not of this one")
    with pytest.raises(NotAllowed):
        scene.do(operations.take_back, entry, by=scene.sender, task_id=task.pk, words="The sender has a button of its own")
    with pytest.raises(NotFound):
        scene.do(operations.take_back, entry, by=UserFactory(), task_id=task.pk, words="A stranger")
    assert set(ReferralTask.objects.values_list("status", flat=True)) == {Status.REQUESTED}
    assert other.pk != entry.pk


def test_the_page_and_the_api_of_a_hub_take_back_on_the_version_that_was_read(scene: Scene, client) -> None:
    first, second = PoolFactory.create_batch(2)
    entry, task = sent_on(scene, first)
    client.force_login(scene.worker, backend="allauth.account.auth_backends.AuthenticationBackend")
    shown = client.get(f"/hub/{entry.pk}/").content.decode()
    assert "Take it back" in shown
    old = client.post(f"/hub/{entry.pk}/take-back/", {"task_id": task.pk, "words": "A typing mistake", "version": entry.version - 1})
    assert (old.status_code, "A typing mistake" in old.content.decode()) == (409, True)
    done = client.post(f"/hub/{entry.pk}/take-back/", {"task_id": task.pk, "words": "A typing mistake", "version": entry.version})
    assert done.url == f"/hub/{entry.pk}/"
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    scene.do(operations.route, entry, run_id=run.pk, pool_ids=[second.pk])
    read = client.get(f"/api/v1/hub-entries/{entry.pk}/")
    again = next(asked["id"] for asked in read.json()["tasks"] if asked["status"] == "requested")
    address, sent = f"/api/v1/hub-entries/{entry.pk}/take-back/", {"task": again, "words": "The family has found a home"}
    assert client.post(address, sent, content_type="application/json").status_code == 428
    stale = client.post(address, sent, content_type="application/json", headers={"If-Match": '"v1"'})
    assert stale.status_code == 412
    answer = client.post(address, sent, content_type="application/json", headers={"If-Match": read["ETag"]})
    assert {asked["status"] for asked in answer.json()["tasks"]} == {"cancelled"}
    assert [each["id"] for each in client.get("/api/v1/hub-entries/").json()["results"]] == [str(entry.pk)]


def withdrawn_in_bulk(scene: Scene, referral: Referral) -> Batch:
    said = {"by": scene.sender, "at": timezone.now(), "asked": {"reason": "The ward closes"}}
    return worklists.carry_out(batch_id=uuid4(), action="withdraw", keys=[f"r{referral.pk}"], **said)


@pytest.mark.parametrize("one_had_refused", [False, True], ids=["nobody had refused", "one had refused"])
def test_a_withdrawal_that_is_undone_puts_it_back_at_the_hub_as_sent_on(scene: Scene, one_had_refused) -> None:
    one, two = PoolFactory.create_batch(2)
    entry = scene.send(at=timezone.now() - timedelta(minutes=5), reason="Falls at night")
    scene.do(operations.take, entry)
    scene.do(operations.triage, entry, urgency="routine")
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    scene.do(operations.route, entry, run_id=run.pk, pool_ids=[one.pk, two.pk])
    if one_had_refused:
        flow.decline(task_id=entry.referral.tasks.get(pool=two).pk, by=provider_of(two), at=timezone.now(), reason=Reason.CAPACITY)
    with acting.for_user(scene.sender):
        batch = withdrawn_in_bulk(scene, entry.referral)
        undone = worklists.undo(batch_id=batch.pk, by=scene.sender, at=timezone.now())
    assert undone.lines[0]["undone"].startswith("Asked again")
    again = Referral.objects.exclude(pk=entry.referral_id).get()
    assert set(again.tasks.values_list("pool", flat=True)) == ({one.pk} if one_had_refused else {one.pk, two.pk})
    assert [(each.referral, each.state) for each in queries.queue(scene.worker, show="all")] == [(again, HubState.ROUTED)]
    assert queries.counts(scene.worker)["routed"] == 1
    entry.refresh_from_db()
    assert (entry.state, again.hub_entry.assigned_to) == (HubState.WITHDRAWN, scene.worker)
    flow.decline(task_id=again.tasks.get(pool=one).pk, by=provider_of(one), at=timezone.now(), reason=Reason.CAPACITY)
    if not one_had_refused:
        flow.decline(task_id=again.tasks.get(pool=two).pk, by=provider_of(two), at=timezone.now(), reason=Reason.CAPACITY)
    assert moves.of_referral(again, timezone.now()).side == moves.Mover.HUB


def test_an_undo_is_refused_once_the_hub_has_gone_on_or_may_read_it_no_longer(scene: Scene) -> None:
    entry, _ = sent_on(scene, PoolFactory())
    batch = withdrawn_in_bulk(scene, entry.referral)
    SharingAgreement.objects.update(ended_at=timezone.now())
    undone = worklists.undo(batch_id=batch.pk, by=scene.sender, at=timezone.now())
    assert "No agreement is in force" in undone.lines[0]["why"]
    assert Referral.objects.count() == 1
