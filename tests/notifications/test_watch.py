"""What a watch is answered, without processes; and the permissions on which that hangs."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from capacity import operations
from core.events import publish
from core.models import Event
from notifications import journal, watch
from notifications.journal import Cursor
from notifications.viewer import Viewer, pools_seen, topics_seen
from tests.factories import OrganizationFactory, PoolFactory, ReferralTaskFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db
NOBODY = AnonymousUser()


def test_each_viewer_may_listen_to_its_own_and_no_more(referrer, provider, manager, administrator):
    task = ReferralTaskFactory(provider=provider.organization)
    sender = UserFactory(organization=task.referral.organization)
    topics = {f"referral:{task.referral_id}", f"org:{provider.organization_id}", "region", f"service:{task.pool.service_id}", "org:", "x:y"}
    referral, org, region, service = (
        next(t for t in topics if t.startswith(kind)) for kind in ("referral:", f"org:{provider.organization_id}", "region", "service:")
    )
    assert topics_seen(provider, topics) == {referral, org, region, service}
    assert topics_seen(sender, topics) == {referral, region, service}
    assert topics_seen(referrer, topics) == topics_seen(manager, topics) == topics_seen(administrator, topics) == {region, service}
    assert topics_seen(NOBODY, topics) == {service}
    provider.is_active = False
    assert topics_seen(provider, topics) & {org, region} == set()


def test_the_public_sees_public_places_only(referrer):
    public, refuge = PoolFactory(), PoolFactory(service=ServiceFactory(is_confidential=True))
    assert pools_seen(NOBODY, [public.pk, refuge.pk]) == {public.pk}
    assert pools_seen(referrer, [public.pk, refuge.pk]) == {public.pk, refuge.pk}
    assert topics_seen(NOBODY, [f"pool:{public.pk}", f"pool:{refuge.pk}", f"service:{refuge.service_id}"]) == {f"pool:{public.pk}"}


def test_viewers_share_a_read_only_when_they_see_the_same(referrer, curator):
    assert Viewer(referrer).catalogue == Viewer(UserFactory()).catalogue
    assert len({Viewer(user).catalogue for user in (NOBODY, referrer, curator)}) == 3


def test_too_much_missed_is_a_snapshot_and_a_little_is_told(referrer, monkeypatch):
    monkeypatch.setattr(watch, "MOST_MISSED", 2)
    pool, other = PoolFactory(available=1), PoolFactory(available=1)
    before = [operations.report(pool_id=pool.pk, available=2, by=None, at=timezone.now()), Event.objects.latest("id")][1]
    start = Cursor.parse(before.cursor)
    wanted = watch.Watch(frozenset({pool.pk, other.pk}), frozenset({"region"}), start)
    for number in (3, 4):
        operations.report(pool_id=pool.pk, available=number, by=None, at=timezone.now())
    who = Viewer(referrer)
    text = watch.answer(who, wanted, start).text
    assert "catalogue" in vars(who), "the hub would write it on the loop, for a thousand sockets in a row"
    assert text.startswith('{"kind":"events"')
    assert str(pool.pk) in text
    assert str(other.pk) not in text
    assert '"topics":["region"]' in text
    operations.report(pool_id=pool.pk, available=5, by=None, at=timezone.now())
    assert watch.answer(Viewer(referrer), wanted, start).text.startswith('{"kind":"snapshot"')


def test_what_was_missed_is_told_within_its_audience(referrer):
    start = publish("first", topics=["region"])
    start.refresh_from_db()
    publish("canary", topics=["region"], audience=[OrganizationFactory().pk])
    wanted = watch.Watch(frozenset(), frozenset({"region"}), Cursor.parse(start.cursor))
    assert '"topics":[]' in watch.answer(Viewer(referrer), wanted, journal.START).text
    publish("for us", topics=["region"], audience=[referrer.organization_id])
    assert '"topics":["region"]' in watch.answer(Viewer(referrer), wanted, journal.START).text


def test_an_answer_never_takes_back_what_another_process_told(referrer):
    here = publish("first", topics=["region"])
    here.refresh_from_db()
    wanted = watch.Watch(frozenset(), frozenset(), Cursor.parse(here.cursor))
    assert f'"cursor":"{here.cursor}"' in watch.answer(Viewer(referrer), wanted, journal.START).text


@transaction.atomic
def change_that_fails() -> None:
    publish("canary", topics=["region"])
    raise ZeroDivisionError


def test_an_event_dies_with_its_change():
    with pytest.raises(ZeroDivisionError):
        change_that_fails()
    assert not Event.objects.exists()


@pytest.mark.parametrize("text", ["", ".", "1", "1.", ".1", "-1.2", "1.2.3", "1e3.4", "²5.1", "1.99999999999999999999", None, 7, ["1.2"]])
def test_what_is_not_a_cursor_is_none(text):
    assert Cursor.parse(text) is None


def test_a_cursor_survives_writing():
    assert Cursor.parse(str(Cursor(2**63, 2**62))) == Cursor(2**63, 2**62)
