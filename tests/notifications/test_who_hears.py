"""Who sees a referral is asked for all who are alike at once."""

import pytest

from core.events import publish
from flow import moves
from flow import operations as flow
from flow.hubs import operations as hubs
from flow.models import Referral, Team
from notifications.models import JournalPlace, Notice
from notifications.notices import hearing, reading, words
from tests.factories import PoolFactory, UserFactory
from tests.flow.at_hub import Scene, sent_on
from tests.flow.helpers import provider_of
from tests.notifications.telling import settle_at_once
from tests.notifications.test_notices import NOW, asked, chosen

pytestmark = pytest.mark.django_db


def test_who_sees_is_asked_once_for_all_of_the_same_team_and_apart_for_those_of_another(monkeypatch, django_assert_max_num_queries):
    """What a team keeps to itself is told to its members alone, however many colleagues beside them want to hear of everybody's."""
    settle_at_once(monkeypatch)
    sender, answerer, task = asked()
    team = Team.objects.create(organization=sender.organization, name="Safeguarding", keeps_to_itself=True, created_at=NOW)
    members, others = (UserFactory.create_batch(4, organization=sender.organization) for _ in range(2))
    team.members.add(sender, *members)
    Referral.objects.filter(pk=task.referral_id).update(team=team)
    for user in (*members, *others):
        chosen(user, whole_organization=True)
    flow.decline(task_id=task.pk, by=answerer, at=NOW, reason="22")
    page = reading.after(JournalPlace.objects.get_or_create(name=reading.PLACE)[0])
    with django_assert_max_num_queries(12):
        tellings, _ = hearing.hear(page.events)
    assert {telling.user for telling in tellings if telling.kind.code == "referral-answered"} == {sender, *members}


def test_of_a_session_that_is_off_its_sender_hears_and_of_a_closed_grant_those_who_had_it(monkeypatch):
    settle_at_once(monkeypatch)
    sender, answerer, task = asked()
    UserFactory(organization=sender.organization)
    about = {"task": str(task.pk), "referral": str(task.referral_id), "by": str(answerer.pk)}
    publish("session.called-off", topics=["region"], audience=[sender.organization_id], data={**about, "to": [str(sender.pk)]})
    publish("grant.closed", topics=["region"], audience=[answerer.organization_id], data={"by": str(sender.pk)})
    page = reading.after(JournalPlace.objects.get_or_create(name=reading.PLACE)[0])
    tellings, _ = hearing.hear(page.events)
    told = {(telling.kind.code, telling.user) for telling in tellings if telling.kind.code in ("session-off", "grant")}
    assert told == {("session-off", sender), ("grant", answerer)}
    assert words.inside(Notice(kind="grant", data={"agreement": "a"}), "").startswith("An agreement to share records with you has ended")


@pytest.mark.parametrize("of_the_hub", [False, True], ids=["of another organisation", "of the hub's own"])
def test_what_a_hub_takes_back_is_told_to_the_sender_and_to_the_service_also_where_it_is_of_the_hubs_organisation(monkeypatch, of_the_hub):
    settle_at_once(monkeypatch)
    scene = Scene()
    pool = PoolFactory(service__organization=scene.hub.organization) if of_the_hub else PoolFactory()
    entry, task = sent_on(scene, pool)
    provider = provider_of(pool)
    place = JournalPlace.objects.get_or_create(name=reading.PLACE)[0]
    flow.accept(task_id=task.pk, by=provider, at=task.requested_at)
    place.xid, place.event_id = reading.after(place).upto
    scene.do(hubs.take_back, entry, task_id=task.pk, words="Too far for her daughter")
    tellings, _ = hearing.hear(reading.after(place).events)
    assert {(telling.kind.code, telling.user) for telling in tellings if telling.kind.code.startswith("referral-")} == {
        ("referral-moved", scene.sender),
        ("referral-withdrawn", provider),
    }
    assert [one.refused for one in moves.with_refusals(entry.referral_id)] == [False]
