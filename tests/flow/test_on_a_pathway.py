"""A referral straight to services on a pathway: whose it is, what it asks, whom it includes, its deadlines and its scores."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import acting
from core.errors import Conflict, Invalid
from flow import asking, operations
from flow.casework import operations as casework
from flow.casework import story
from flow.casework.outcomes import scores, written
from flow.hubs import needs, queries
from flow.hubs import operations as hubs
from flow.models import FollowUp, Pathway, Referral
from flow.pathways import choosing
from flow.pathways.adherence import adherence
from matching import operations as matching
from tests.factories import NeedProfileFactory, OrganizationFactory, PatientFactory, PoolFactory, UserFactory
from tests.factories.sharing import HubFactory, PathwayFactory
from tests.flow.at_hub import Scene
from tests.flow.helpers import provider_of, send

pytestmark = [pytest.mark.django_db, pytest.mark.req("R065")]
NOW = timezone.now()
TODAY = timezone.localdate()
ASKS = {
    "questions": [
        {"key": "stairs", "text": "Are there stairs at home?", "kind": "yes-no", "required": True, "shown": "before"},
        {"key": "matters", "text": "What matters most to them?", "kind": "text"},
    ],
    "steps": [{"milestone": name, "within": 5, "unit": "hours"} for name in ("triaged", "answered")],
    "outcome_tools": ["ONS4", "EQ-5D-5L", "Not yet"],
    "outcome_days": {"ONS4": [0, 42], "EQ-5D-5L": [42]},
}


def newest(pathway):
    return pathway.versions.get()


def test_its_questions_deadlines_and_scores_go_with_a_straight_referral() -> None:
    sender, pool = UserFactory(), PoolFactory()
    version = newest(PathwayFactory(version=ASKS))
    with pytest.raises(Invalid) as refused:
        send(sender, [pool], version_id=version.pk, typed={"matters": "Her garden"})
    assert refused.value.details["field"] == "stairs"
    assert not Referral.objects.exists()
    referral = send(sender, [pool], version_id=version.pk, typed={"stairs": "yes", "matters": "Her garden"}, at=NOW)
    assert (referral.pathway_version, referral.pathway_answers) == (version, {"stairs": "yes", "matters": "Her garden"})
    kept = adherence(referral, NOW + timedelta(days=1))
    assert kept is not None
    assert kept.departures == ["A service has answered within 5 hours: overdue."], "no hub is late with what no hub has"
    task = referral.tasks.get()
    assert task.respond_by == NOW + timedelta(hours=5)
    operations.accept(task_id=task.pk, by=provider_of(pool), at=NOW)
    due = FollowUp.objects.filter(kind="outcome").order_by("due_on", "tool")
    assert [(one.tool, one.due_on, one.assigned_to) for one in due] == [
        ("ONS4", TODAY, sender),
        ("EQ-5D-5L", TODAY + timedelta(days=42), sender),
        ("ONS4", TODAY + timedelta(days=42), sender),
    ]
    assert casework.plan_scores(task=task, at=NOW) == []


def test_only_who_refers_on_it_may_choose_it_and_only_for_its_services() -> None:
    sender, stranger, pool, other = UserFactory(), UserFactory(), PoolFactory(), PoolFactory()
    pathway = PathwayFactory()
    pathway.organizations.set([sender.organization])
    version = newest(pathway)
    version.services.set([pool.service])
    assert choosing.pathways_open_to(stranger) == []
    assert choosing.fitting(choosing.current_versions(sender), [pool.pk, other.pk]) == []
    assert choosing.fitting(choosing.current_versions(sender), [pool.pk]) == [version]
    with pytest.raises(Invalid) as not_theirs:
        send(stranger, [pool], version_id=version.pk)
    assert not_theirs.value.details["field"] == "pathway"
    with pytest.raises(Invalid, match=other.service.name):
        send(sender, [pool, other], version_id=version.pk)
    sent = send(sender, [pool], version_id=version.pk)
    assert sent.pathway_version == version
    with pytest.raises(Invalid, match=other.service.name):
        asking.ask_also(referral_id=sent.pk, pool_ids=[other.pk], by=sender, at=NOW)
    assert sent.tasks.get().pool == pool


def test_a_hub_sends_on_only_to_services_of_the_pathway() -> None:
    scene, pool, other = Scene(), PoolFactory(), PoolFactory()
    version = newest(PathwayFactory())
    version.services.set([pool.service])
    entry = scene.send(version_id=version.pk, at=timezone.now() - timedelta(minutes=5))
    scene.do(hubs.triage, entry, urgency="routine")
    run = needs.search(entry_id=entry.pk, by=scene.worker, at=timezone.now())
    with pytest.raises(Invalid, match=other.service.name):
        scene.do(hubs.route, entry, run_id=run.pk, pool_ids=[pool.pk, other.pk])
    assert not entry.referral.tasks.exists()
    scene.do(hubs.route, entry, run_id=run.pk, pool_ids=[pool.pk])
    # The worker may not refer on it, and still finds it in the queue's filter.
    version.pathway.organizations.set([scene.sender.organization])
    with acting.for_user(scene.worker):
        assert queries.pathways(scene.worker) == [version.pathway]
    assert queries.pathways(UserFactory()) == []


def test_a_newer_version_is_not_overlooked() -> None:
    pathway = PathwayFactory()
    old = newest(pathway)
    pathway.versions.create(number=2, created_at=NOW, published_at=NOW)
    with pytest.raises(Conflict) as refused:
        send(UserFactory(), [PoolFactory()], version_id=old.pk)
    assert refused.value.code == "newer-version"


def test_a_score_is_entered_with_its_day_and_stands_in_the_story() -> None:
    sender, pool = UserFactory(), PoolFactory()
    referral = send(sender, [pool], version_id=newest(PathwayFactory(version=ASKS)).pk, typed={"stairs": "no"})
    operations.accept(task_id=referral.tasks.get().pk, by=provider_of(pool), at=timezone.now())
    one, two, three = FollowUp.objects.filter(kind="outcome").order_by("due_on", "tool")
    said = {"outcome": "", "by": sender, "at": timezone.now()}
    for wrong in ({}, {"score": Decimal(7)}, {"score": Decimal(7), "scored_on": TODAY + timedelta(days=1)}, {"score": Decimal("NaN")}):
        with pytest.raises(Invalid):
            casework.finish(follow_up_id=one.pk, **said | wrong)
    casework.finish(follow_up_id=one.pk, score=Decimal("0.750"), scored_on=TODAY, **said)
    client = Client()
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("follow-up", args=[two.pk])
    refused = client.post(address, {"action": "done", "version": two.version, "score": "many", "scored_on": TODAY.isoformat()})
    assert (refused.status_code, "such as 12 or 0.75" in refused.content.decode()) == (422, True)
    assert client.post(address, {"action": "done", "version": two.version, "outcome": "She would rather not"}).url == address
    assert client.get(reverse("patient-follow-ups", args=[referral.patient_id])).content.decode().count("0.75") == 2
    assert [(each.tool, written(each.score), each.scored_on) for each in scores(sender, referral.patient_id)] == [("ONS4", "0.75", TODAY)]
    told = [entry.more for entry in story.read(user=sender, patient_id=referral.patient_id, kinds=["follow-ups"]).entries]
    assert f"ONS4: 0.75, answered on {TODAY:%-d %B %Y}" in told
    assert "She would rather not" in told
    call = FollowUp.objects.get(kind="accepted")
    with pytest.raises(Invalid, match="names none"):
        casework.finish(follow_up_id=call.pk, score=Decimal(1), scored_on=TODAY, **said | {"outcome": "Well"})
    assert three.score is None


def test_the_form_asks_its_questions_before_it_sends_and_forgets_nothing() -> None:
    sender, pool = UserFactory(), PoolFactory()
    version = newest(PathwayFactory(name="Cancer support", version=ASKS))
    PathwayFactory(name="For others").organizations.set([OrganizationFactory()])
    patient = PatientFactory(organization=sender.organization)
    run = matching.match(NeedProfileFactory(organization=sender.organization), by=sender, at=timezone.now())
    client = Client()
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("send", args=[run.pk])
    shown = client.get(address, {"pools": pool.pk, "patient": patient.pk}).content.decode()
    assert "Cancer support" in shown
    assert "For others" not in shown
    typed = {"pools": [pool.pk], "patient": patient.pk, "urgency": "routine", "reason": "Likes tea", "consent": "on", "pathway": version.pk}
    asked = client.post(address, typed)
    assert (asked.status_code, "Are there stairs" in asked.content.decode(), "Likes tea" in asked.content.decode()) == (200, True, True)
    assert not Referral.objects.exists()
    typed |= {"asked": version.pk, "answer-matters": "Her garden"}
    refused = client.post(address, typed)
    assert (refused.status_code, "Her garden" in refused.content.decode()) == (422, True)
    version.pathway.organizations.set([OrganizationFactory()])
    for pressed in ({}, {"move": f"{pool.pk}:up"}):
        gone = client.post(address, typed | {"answer-stairs": "yes"} | pressed)
        told = gone.content.decode()
        assert (gone.status_code, "This pathway has changed" in told, "Likes tea" in told) == (422, True, True)
    scene = {"hub": HubFactory().pk, "urgency": "routine", "reason": "Likes tea", "consent": "on", "version": version.pk}
    gone = client.post(reverse("patient-hub", args=[patient.pk]), scene)
    told = gone.content.decode()
    assert (gone.status_code, "This pathway has changed" in told, "Likes tea" in told) == (422, True, True)
    assert not Referral.objects.exists()
    version.pathway.organizations.clear()
    client.post(address, typed | {"answer-stairs": "yes"})
    assert Referral.objects.get().pathway_answers == {"stairs": "yes", "matters": "Her garden"}


def test_the_api_tells_pathways_and_sends_on_one() -> None:
    sender, pool = UserFactory(), PoolFactory()
    pathway = PathwayFactory(version=ASKS)
    Pathway.objects.exclude(pk=pathway.pk).update(is_active=False)
    client = Client()
    client.force_login(sender, backend="allauth.account.auth_backends.AuthenticationBackend")
    (told,) = client.get("/api/v1/pathways/").json()
    assert [question["key"] for question in told["questions"]] == ["stairs", "matters"]
    body = {
        "patient": str(PatientFactory(organization=sender.organization).pk),
        "profile": str(NeedProfileFactory(organization=sender.organization).pk),
        "pools": [str(pool.pk)],
        "consent": True,
        "pathway_version": told["version"],
    }
    refused = client.post("/api/v1/referrals/", body, content_type="application/json", headers={"Idempotency-Key": "one"})
    assert refused.status_code == 422
    body["pathway_answers"] = {"stairs": "yes"}
    sent = client.post("/api/v1/referrals/", body, content_type="application/json", headers={"Idempotency-Key": "two"})
    assert (sent.status_code, sent.json()["pathway_version"]) == (201, told["version"])
