"""Who sees a referral is asked for all who are alike at once."""

import pytest

from core.events import publish
from flow import operations as flow
from flow.models import Referral, Team
from notifications.models import JournalPlace
from notifications.notices import hearing, reading
from tests.factories import UserFactory
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
