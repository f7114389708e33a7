"""A referral in a hub: who may take which step, what the sender sees, and that it is never in no hub and never with two people."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core import acting
from core.errors import Conflict, Invalid, LuneError, NotAllowed, NotFound
from core.models import Event
from flow import consents
from flow import operations as flow
from flow.hubs import closing, needs, operations, queries
from flow.hubs.steps import MOVES, HubAction, HubSide, HubState
from flow.models import Grant, HubEntry, HubStep, Patient, Referral, ReferralTask
from flow.sharing import operations as sharing
from flow.workflow import Status
from tests.factories import EpisodeFactory, OrganizationFactory, PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import HubFactory, PathwayFactory, TeamFactory
from tests.flow.at_hub import Scene
from tests.flow.helpers import provider_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.req("R015")
@pytest.mark.req("R137")
def test_a_hub_triages_and_routes_and_the_sender_sees_every_step(scene: Scene) -> None:
    pool = PoolFactory()
    entry = scene.send(reason="Falls at night")
    assert queries.standing(entry.referral).whose_move == scene.hub.name
    scene.do(operations.take, entry)
    scene.do(operations.triage, entry, urgency="urgent")
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    scene.do(operations.route, entry, run_id=run.pk, pool_ids=[pool.pk])
    referral = Referral.objects.get(pk=entry.referral_id)
    assert (referral.organization, referral.created_by, referral.urgency) == (scene.sender.organization, scene.sender, "urgent")
    task = ReferralTask.objects.visible_to(scene.sender).get(referral=referral)
    assert task.status == Status.REQUESTED
    standing = queries.standing(referral)
    assert [step.words for step in standing.told][::-1][0] == "Sent to the hub"
    assert (standing.words, standing.whose_move) == ("Sent on to services", "The services asked")
    flow.accept(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    assert ReferralTask.objects.visible_to(scene.worker).get(pk=task.pk).status == Status.ACCEPTED


def test_what_all_have_declined_is_the_hubs_move_again(scene: Scene) -> None:
    first, second = PoolFactory.create_batch(2)
    entry = scene.send()
    scene.do(operations.triage, entry, urgency="routine")
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    scene.do(operations.route, entry, run_id=run.pk, pool_ids=[first.pk])
    assert not queries.queue(scene.worker).exists()
    flow.decline(task_id=entry.referral.tasks.get().pk, by=provider_of(first), at=timezone.now(), reason="22")
    assert queries.queue(scene.worker).get() == entry
    assert queries.standing(entry.referral).whose_move == scene.hub.name
    with pytest.raises(Conflict) as refused:
        scene.do(operations.route, entry, run_id=run.pk, pool_ids=[first.pk])
    assert refused.value.code == "already-asked"
    scene.do(operations.route, entry, run_id=run.pk, pool_ids=[second.pk])
    assert entry.referral.tasks.count() == 2


def test_only_the_hubs_team_sees_it_and_only_while_it_is_there(scene: Scene) -> None:
    colleague = UserFactory(organization=scene.hub.organization)
    entry = scene.send()
    referrals = Referral.objects.filter(pk=entry.referral_id)
    assert referrals.visible_to(scene.worker).exists()
    assert Patient.objects.visible_to(scene.worker).exists()
    assert not referrals.visible_to(colleague).exists()
    scene.do(operations.return_, entry, words="We only take adults")
    assert not referrals.visible_to(scene.worker).exists()
    assert not queries.queue(scene.worker, show="all").exists()
    assert queries.standing(entry.referral).whose_move == "You"
    scene.do(operations.send_again, entry, by=scene.sender, words="He is 18 now")
    assert queries.queue(scene.worker).get() == entry


def test_without_an_agreement_nothing_is_sent(scene: Scene) -> None:
    Grant.objects.all().delete()
    scene.sender.organization.agreements_given.update(ends_at=timezone.now())
    with pytest.raises(Conflict) as refused:
        scene.send()
    assert refused.value.code == "no-agreement"
    assert not Referral.objects.exists()
    assert not HubEntry.objects.exists()


def test_when_the_agreement_ends_the_hub_sees_nothing_at_once(scene: Scene) -> None:
    entry = scene.send()
    scene.sender.organization.agreements_given.update(ended_at=timezone.now())
    assert not queries.queue(scene.worker).exists()
    with pytest.raises(NotFound):
        scene.do(operations.take, entry)


def test_what_a_hub_may_read_no_longer_goes_back_to_its_sender(scene: Scene) -> None:
    """Whether it was revoked, the agreement ended, or the time ran out unseen: never lost between the two. And both sides are told."""
    manager = UserFactory(manager=True, organization=scene.sender.organization)
    revoked, ended, lapsed = scene.send(), scene.send(), scene.send()
    at = timezone.now()
    with acting.for_user(manager):
        sharing.revoke(grant_id=Grant.objects.get(referral=revoked.referral_id).pk, by=manager, at=at)
    revoked.refresh_from_db()
    assert (revoked.state, queries.standing(revoked.referral).whose_move) == (HubState.RETURNED, "You")
    assert queries.standing(revoked.referral).told[0].who == "Lune"
    told = Event.objects.filter(type="hub.changed", data__entry=str(revoked.pk)).get()
    assert set(told.audience) == {scene.sender.organization_id, scene.hub.organization_id}
    Grant.objects.filter(referral=lapsed.referral_id).update(ends_at=at + timedelta(seconds=1))
    assert closing.look(at=at) == 0
    assert closing.look(at=at + timedelta(seconds=2)) == 1
    lapsed.refresh_from_db()
    ended.refresh_from_db()
    assert (lapsed.state, ended.state) == (HubState.RETURNED, HubState.QUEUED)
    with acting.for_user(manager):
        sharing.end(agreement_id=Grant.objects.get(referral=ended.referral_id).agreement_id, by=manager, at=timezone.now())
    ended.refresh_from_db()
    assert ended.state == HubState.RETURNED
    scene.agree(scene.hub)
    scene.do(operations.send_again, ended, by=scene.sender)
    assert queries.queue(scene.worker).get() == ended


def test_what_is_late_at_a_hub_is_told_once(scene: Scene) -> None:
    entry = scene.send()
    late = entry.due_at + timedelta(minutes=1)
    assert (closing.look(at=late), closing.look(at=late)) == (1, 0)
    told = Event.objects.get(type="referral.overdue")
    assert set(told.data["to"]) == {str(scene.worker.pk), str(scene.sender.pk)}
    scene.do(operations.ask, entry, words="Which floor?")
    entry.refresh_from_db()
    assert closing.look(at=entry.due_at + timedelta(minutes=1)) == 1
    assert Event.objects.filter(type="referral.overdue").latest("id").audience == [scene.sender.organization_id]


def test_a_no_takes_it_from_the_hub_and_keeps_it_away(scene: Scene) -> None:
    entry = scene.send()
    with acting.for_user(scene.sender):
        consents.record_consent(
            patient_id=scene.patient.pk, purpose="direct-care", decision="withdrawn", source="said", by=scene.sender, at=timezone.now()
        )
    assert not queries.queue(scene.worker, show="all").exists()
    assert HubEntry.objects.get(pk=entry.pk).state == HubState.RETURNED
    told = Event.objects.get(type="consent.withdrawn")
    assert set(told.audience) == {scene.sender.organization_id, scene.hub.organization_id}
    with pytest.raises(Conflict) as refused:
        scene.do(operations.send_again, entry, by=scene.sender)
    assert refused.value.code == "consent-withdrawn"


def test_passing_on_moves_it_in_one_step_or_not_at_all(scene: Scene) -> None:
    """It is never in neither hub: without an agreement with the second it stays with the first."""
    other = HubFactory()
    entry = scene.send()
    with pytest.raises(Conflict) as refused:
        scene.do(operations.pass_on, entry, hub_id=other.pk, words="Their area")
    assert refused.value.code == "no-agreement"
    assert queries.queue(scene.worker).get() == entry
    scene.agree(other)
    scene.do(operations.pass_on, entry, hub_id=other.pk, words="Their area")
    assert not queries.queue(scene.worker, show="all").exists()
    assert queries.queue(other.team.members.get()).get() == entry
    standing = queries.standing(entry.referral)
    assert (standing.whose_move, standing.told[0].reason) == (other.name, "Their area")


def test_of_two_the_second_is_told_who_has_it(scene: Scene) -> None:
    colleague = UserFactory(organization=scene.hub.organization, first_name="Asha", last_name="Patel")
    scene.hub.team.members.add(colleague)
    entry = scene.send()
    scene.do(operations.take, entry, by=colleague)
    with pytest.raises(Conflict, match="Asha Patel has taken this already") as refused:
        scene.do(operations.take, entry)
    assert refused.value.code == "taken"
    scene.do(operations.assign, entry, user_id=scene.worker.pk)
    assert queries.queue(scene.worker, show="mine").get() == entry


def test_a_colleague_is_told_what_is_given_to_them_and_the_hub_what_comes(scene: Scene) -> None:
    colleague = UserFactory(organization=scene.hub.organization)
    scene.hub.team.members.add(colleague)
    entry = scene.send()
    queued = Event.objects.get(type="hub.queued")
    assert set(queued.data["to"]) == {str(scene.worker.pk), str(colleague.pk)}
    assert queued.audience == [scene.hub.organization_id]
    scene.do(operations.assign, entry, user_id=colleague.pk)
    assert Event.objects.get(type="hub.assigned").data["to"] == [str(colleague.pk)]
    with pytest.raises(Invalid):
        scene.do(operations.assign, entry, user_id=UserFactory(organization=scene.hub.organization).pk)


#: How to come to each state.
PATHS = {
    HubState.QUEUED: [], HubState.ACCEPTED: ["triage", "put-back"], HubState.ASKED: ["ask"], HubState.RETURNED: ["return"],
    HubState.WITHDRAWN: ["withdraw"],
}  # fmt: skip
VERBS = {
    "take": (operations.take, {}), "put-back": (operations.put_back, {}), "triage": (operations.triage, {"urgency": "routine"}),
    "ask": (operations.ask, {"words": "Which floor?"}), "answer": (operations.answer, {"words": "The third"}),
    "return": (operations.return_, {"words": "Not ours"}), "withdraw": (operations.withdraw, {"words": "Went home"}),
    "send": (operations.send_again, {}),
}  # fmt: skip


@pytest.mark.parametrize("state", PATHS)
def test_each_step_is_allowed_or_refused_as_the_table_says(scene: Scene, state: HubState) -> None:
    """And of the wrong side whatever the state; what is refused leaves no row."""
    sides = {HubSide.HUB: scene.worker, HubSide.SENDER: scene.sender}
    for move in MOVES:
        if move.action not in VERBS:
            continue
        entry = Scene.send(scene)
        for name in PATHS[state]:
            verb, fields = VERBS[name]
            scene.do(verb, entry, by=scene.sender if name == "withdraw" else scene.worker, **fields)
        before = HubStep.objects.filter(entry=entry).count()
        verb, fields = VERBS[move.action]
        gone = move.side == HubSide.HUB and state in (HubState.RETURNED, HubState.WITHDRAWN)
        other = sides[HubSide.HUB if move.side == HubSide.SENDER else HubSide.SENDER]
        with pytest.raises((NotAllowed, NotFound)):
            scene.do(verb, entry, by=other, **fields)
        if state in move.sources and not gone:
            scene.do(verb, entry, by=sides[move.side], **fields)
            assert HubStep.objects.filter(entry=entry).count() == before + 1
        else:
            with pytest.raises(LuneError):
                scene.do(verb, entry, by=sides[move.side], **fields)
            assert HubStep.objects.filter(entry=entry).count() == before


def test_a_reason_is_asked_for_and_an_old_page_is_refused(scene: Scene) -> None:
    entry = scene.send()
    for verb in (operations.ask, operations.return_):
        with pytest.raises(Invalid) as refused:
            scene.do(verb, entry, words=" ")
        assert refused.value.details["field"] == "words"
    scene.do(operations.take, entry)
    with pytest.raises(Conflict) as refused_too:
        scene.do(operations.triage, entry, urgency="routine", expected_version=1)
    assert refused_too.value.code == "stale-version"


def test_what_a_private_team_sends_reaches_the_hub_and_not_its_colleagues(scene: Scene) -> None:
    """A safeguarding referral goes by a hub like any other."""
    team = TeamFactory(organization=scene.sender.organization, private=True, people=[scene.sender])
    stay = EpisodeFactory(patient=scene.patient, team=team)
    entry = scene.send(episode_id=stay.pk)
    assert queries.queue(scene.worker).get() == entry
    assert not Referral.objects.visible_to(UserFactory(organization=scene.sender.organization)).exists()


def test_the_queue_reads_as_often_for_many_as_for_one(scene: Scene, django_assert_num_queries) -> None:
    def read() -> None:
        for entry in queries.queue(scene.worker):
            assert entry.referral.patient.full_name
            assert entry.referral.organization.name
            assert entry.hub.name

    scene.send()
    with django_assert_num_queries(1):
        read()
    for _ in range(3):
        scene.patient = PatientFactory(organization=scene.sender.organization)
        scene.send()
    with django_assert_num_queries(1):
        read()


@pytest.mark.req("R020")
def test_a_pathway_sets_when_a_hub_must_have_looked(scene: Scene) -> None:
    pathway = PathwayFactory(version={"steps": [{"milestone": "triaged", "within": 4, "unit": "hours"}]})
    scene.hub.pathways.add(pathway)
    at = timezone.now()
    entry = scene.send(version_id=pathway.current.pk, at=at)
    assert entry.due_at == at + timedelta(hours=4)
    elsewhere = PathwayFactory()
    with pytest.raises(Invalid) as refused:
        scene.send(version_id=elsewhere.current.pk)
    assert refused.value.details["field"] == "hub"
    assert HubAction.SEND in HubStep.objects.filter(entry=entry).values_list("action", flat=True)


@pytest.mark.parametrize("how", ["closed", "ended"])
def test_what_its_sender_needs_no_more_leaves_the_hub_and_is_not_sent_on_again(scene: Scene, how: str) -> None:
    def over(entry: HubEntry) -> None:
        if how == "closed":
            flow.close(referral_id=entry.referral_id, reason="They went home", by=scene.sender, at=timezone.now())
        else:
            flow.end_episode(episode_id=entry.referral.episode_id, by=scene.sender, at=timezone.now())

    waiting = scene.send(episode_id=EpisodeFactory(patient=scene.patient).pk)
    with acting.for_user(scene.sender):
        over(waiting)
    waiting.refresh_from_db()
    assert waiting.state == HubState.WITHDRAWN
    assert not HubEntry.objects.visible_to(scene.worker).exists()

    sent_on = scene.send(episode_id=EpisodeFactory(patient=scene.patient).pk)
    scene.do(operations.triage, sent_on, urgency="routine")
    run = needs.search(entry_id=sent_on.pk, by=scene.worker, at=timezone.now())
    scene.do(operations.route, sent_on, run_id=run.pk, pool_ids=[PoolFactory().pk])
    over(sent_on)
    with pytest.raises(NotFound):
        scene.do(operations.route, sent_on, run_id=run.pk, pool_ids=[PoolFactory().pk])
    assert set(ReferralTask.objects.values_list("status", flat=True)) == {Status.CANCELLED}


def test_no_other_hub_is_given_what_the_person_does_not_share_with_its_kind(scene: Scene) -> None:
    entry, other = scene.send(), HubFactory(organization=OrganizationFactory(kind="charity"))
    scene.agree(other)
    refused = {"purpose": "sharing", "kind": "charity", "decision": "refused", "source": "said"}
    flow.record_consent(patient_id=scene.patient.pk, by=scene.sender, at=timezone.now(), **refused)
    with pytest.raises(Conflict) as told:
        scene.do(operations.pass_on, entry, hub_id=other.pk, words="Theirs")
    assert told.value.code == "consent-withdrawn"
    assert HubEntry.objects.get().hub == scene.hub
