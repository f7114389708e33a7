"""A change reaches every screen that may see it, and no other."""

import contextlib
import json
import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from capacity import operations, queries
from capacity.models import ServiceCapacity
from catalogue.models import Service
from core.events import publish
from core.models import Event
from notifications import journal
from tests.factories import OrganizationFactory, PoolFactory, ReferralTaskFactory, UserFactory
from tests.stack.live import Browser, Stack, eventually

pytestmark = pytest.mark.django_db(transaction=True)


def tell(pool: ServiceCapacity, available: int) -> int:
    """A provider says a number. Returns the pool's new version."""
    return operations.report(pool_id=pool.pk, available=available, by=None, at=timezone.now()).version


@pytest.mark.req("R003")
@pytest.mark.req("R024")
def test_a_figure_told_by_a_provider_reaches_an_open_page_without_asking(stack: Stack):
    pool = PoolFactory(available=3)
    page = Browser(stack, pools=[pool.pk]).open()
    assert page.pools[str(pool.pk)]["free"] == 3
    tell(pool, 7)
    page.until(lambda: page.pools[str(pool.pk)]["free"] == 7, "the page shows 7")
    assert page.pools[str(pool.pk)]["timeline"][0][1:3] == ["green", "7 free"]
    assert page.kinds.count("snapshot") == 1


def test_snapshot_and_events_are_the_same_as_a_fresh_snapshot(stack: Stack):
    pools = [PoolFactory(available=1) for _ in range(5)]
    page = Browser(stack, pools=[pool.pk for pool in pools]).open()
    last = {str(pool.pk): tell(pool, number) for number in range(6) for pool in pools}
    page.until(lambda: {pk: state["version"] for pk, state in page.pools.items()} == last, "all last versions are here")
    fresh = Browser(stack, pools=[pool.pk for pool in pools]).open()
    known = {pk: {**state, "timeline": [entry[1:] for entry in state["timeline"]]} for pk, state in page.pools.items()}
    assert known == {pk: {**state, "timeline": [entry[1:] for entry in state["timeline"]]} for pk, state in fresh.pools.items()}
    now = timezone.now()
    assert {pk: state["free"] for pk, state in known.items()} == {
        str(pk): state.free for pk, state in queries.pool_states([pool.pk for pool in pools], now).items()
    }


def test_versions_never_go_back_and_a_burst_is_coalesced(stack: Stack):
    pool = PoolFactory(available=1, maximum=100)
    page = Browser(stack, pools=[pool.pk]).open()
    for number in range(100):
        last = tell(pool, number)
    page.until(lambda: page.pools[str(pool.pk)]["version"] == last, "the last of a hundred is here")
    seen = [version for _, version in page.versions]
    assert seen == sorted(seen)
    assert len(seen) < 100


@pytest.mark.req("R004")
def test_sender_and_receiver_both_learn_of_a_step_and_a_stranger_learns_nothing(stack: Stack):
    stack.settle()
    task = ReferralTaskFactory()
    referral = task.referral
    sender, receiver, stranger = (
        UserFactory(organization=referral.organization),
        UserFactory(provider=True, organization=task.provider),
        UserFactory(),
    )
    topics = [f"referral:{referral.pk}", f"org:{referral.organization_id}", f"org:{task.provider_id}", "region"]
    pages = [Browser(stack, user, topics=topics).open() for user in (sender, receiver, stranger, None)]
    with transaction.atomic():
        publish("canary.step", topics=topics[:3], data={"canary": "c4n4ry"}, audience=[referral.organization_id, task.provider_id])
        publish("canary.figures", topics=["region"])
    pages[0].until(lambda: {*topics[:2], "region"} <= {*pages[0].topics}, "the sender is told")
    pages[1].until(lambda: {topics[0], topics[2], "region"} <= {*pages[1].topics}, "the receiver is told")
    pages[2].until(lambda: "region" in pages[2].topics, "the stranger is told that the region changed")
    pages[3].settle()
    assert topics[2] not in pages[0].topics
    assert topics[1] not in pages[1].topics
    assert pages[2].topics == ["region"]
    assert pages[3].topics == []
    for page in pages:
        assert "canary" not in page.heard
        assert "Featherstonehaugh" not in page.heard


def test_an_audience_keeps_a_shared_topic_from_other_organisations(stack: Stack):
    stack.settle()
    ours, other = UserFactory(), UserFactory()
    pages = [Browser(stack, user, topics=["region"]).open() for user in (ours, other)]
    with transaction.atomic():
        publish("canary", topics=["region"], audience=[ours.organization_id])
    pages[0].until(lambda: pages[0].topics == ["region"], "its own organisation is told")
    pages[1].settle()
    assert pages[1].topics == []


def test_who_loses_an_organisation_is_told_nothing_more_of_it(stack: Stack):
    user = UserFactory()
    topic = f"org:{user.organization_id}"
    stays, goes = (Browser(stack, each, topics=[topic]).open() for each in (UserFactory(organization=user.organization), user))
    user.organization = OrganizationFactory(hospital=True)
    user.save()
    with transaction.atomic():
        publish("canary", topics=[topic])
    stays.until(lambda: stays.topics == [topic], "a colleague is told")
    goes.until(lambda: goes.close_code == 4401, "the socket is closed")
    assert goes.topics == []


def test_a_place_that_becomes_confidential_is_told_to_the_public_no_more(stack: Stack):
    pool = PoolFactory(available=1)
    public, professional = Browser(stack, pools=[pool.pk]).open(), Browser(stack, UserFactory(), pools=[pool.pk]).open()
    Service.objects.filter(pk=pool.service_id).update(is_confidential=True)
    version = tell(pool, 2)
    professional.until(lambda: professional.pools[str(pool.pk)]["version"] == version, "the professional is told")
    public.settle()
    assert public.pools[str(pool.pk)]["version"] < version
    assert Browser(stack, pools=[pool.pk]).open().pools == {}


def test_signing_out_closes_the_socket(stack: Stack):
    page = Browser(stack, UserFactory(), topics=["region"]).open()
    page.session.logout()
    page.until(lambda: page.close_code == 4401, "the socket is closed")
    assert page.close_code == 4401


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not-json"),
        ("[1]", "unknown-action"),
        ('{"action": "drop"}', "unknown-action"),
        ('{"action": "watch", "pools": "all"}', "wrong-form"),
        ('{"action": "watch", "pools": ["x"]}', "wrong-form"),
        ('{"action": "watch", "topics": [1]}', "wrong-form"),
        (json.dumps({"action": "watch", "topics": [str(n) for n in range(201)]}), "too-many"),
        ("[" * 100_000, "not-json"),
        ('"' + "x" * 140_000 + '"', "too-long"),
    ],
)
def test_a_bad_message_gets_a_plain_answer(stack: Stack, text: str, code: str):
    page = Browser(stack).open()
    page.send(text)
    page.until(lambda: page.errors, "an error is told")
    assert page.errors == [code]
    assert "Traceback" not in page.heard


def test_a_browser_that_talks_too_much_is_cut_off(stack: Stack):
    page = Browser(stack).open()
    # Far more than it may, for what it may grows with each second; it may be cut off while it still talks.
    with contextlib.suppress(ConnectionClosed):
        for _ in range(60):
            page.send("{}")
    page.until(lambda: page.close_code == 1008, "the socket is closed")
    assert page.errors[-1] == "too-fast"


def test_an_unknown_or_foreign_origin_is_turned_away(stack: Stack):
    page = Browser(stack)
    page._origin = "http://elsewhere.example"
    with pytest.raises(AssertionError, match="It never came true"):
        page.until(lambda: page.kinds, "a word is said", patience=1)
    assert page.heard == ""


def test_a_slower_transaction_is_not_lost(stack: Stack):
    """The first to begin is the last to commit: its number is lower than one that was already read."""
    slow, quick = PoolFactory(available=1), PoolFactory(available=1)
    page = Browser(stack, pools=[slow.pk, quick.pk]).open()
    written, go_on = threading.Event(), threading.Event()

    def dawdle() -> None:
        try:
            with transaction.atomic():
                tell(slow, 2)
                written.set()
                go_on.wait(20)
        finally:
            connection.close()

    dawdler = threading.Thread(target=dawdle)
    dawdler.start()
    assert written.wait(20)
    quicker = tell(quick, 2)
    # Told at once, although an older transaction is still open …
    page.until(lambda: page.pools[str(quick.pk)]["version"] == quicker, "the quick one is told")
    early = page.cursor
    go_on.set()
    dawdler.join()
    page.until(lambda: page.pools[str(slow.pk)]["free"] == 2, "the slow one is told")
    # … and the cursor of that moment did not run ahead of the slow one.
    again = Browser(stack, pools=[slow.pk, quick.pk], cursor=early).open()
    assert str(slow.pk) in again.pools


def test_a_browser_that_comes_back_is_told_what_it_missed_and_only_that(stack: Stack):
    stack.settle()
    changed, same = PoolFactory(available=1), PoolFactory(available=1)
    tell(same, 2)
    page = Browser(stack, UserFactory(), pools=[changed.pk, same.pk], topics=["region"]).open()
    newest = Event.objects.order_by("xid", "id").last().cursor
    page.until(lambda: page.cursor == newest, "it knows of all there is")
    page.close()
    page.versions.clear()
    page.topics.clear()
    version = tell(changed, 5)
    page.open()
    assert page.kinds.count("snapshot") == 1
    assert set(page.versions) == {(str(changed.pk), version)}
    assert "region" in page.topics


@pytest.mark.parametrize("cursor", ["5.5", "0.0", "18446744073709551615.9223372036854775807", "nonsense", "1." + "9" * 60])
def test_an_unknown_cursor_gets_a_snapshot(stack: Stack, cursor: str):
    pool = PoolFactory()
    page = Browser(stack, pools=[pool.pk], cursor=cursor).open()
    assert (page.kinds[0], list(page.pools)) == ("snapshot", [str(pool.pk)])


def test_a_pruned_cursor_gets_a_snapshot_and_a_kept_one_does_not(stack: Stack):
    pool = PoolFactory(available=1)
    for number in (2, 3):
        tell(pool, number)
    *_, old, kept = Event.objects.order_by("xid", "id")
    with connection.cursor() as sql:  # rows of the journal cannot be changed; a test may
        sql.execute("ALTER TABLE core_event DISABLE TRIGGER USER")
        sql.execute("UPDATE core_event SET at = at - interval '15 days'")
        sql.execute("ALTER TABLE core_event ENABLE TRIGGER USER")
    assert journal.prune(at=timezone.now()) >= 1
    assert list(Event.objects.all()) == [kept]  # the newest stays, however old: it vouches for the hubs' place
    assert journal.prune(at=timezone.now() + timedelta(days=30)) == 0
    assert Browser(stack, pools=[pool.pk], cursor=old.cursor).open().kinds[0] == "snapshot"
    assert Browser(stack, pools=[pool.pk], cursor=kept.cursor).open().kinds[0] == "events"


def test_only_one_relay_is_active_and_a_second_takes_over(stack: Stack):
    stack.standby.start()
    eventually(lambda: "standing by" in stack.standby.log(), "the second stands by")
    assert "relay: active" not in stack.standby.log()
    pool = PoolFactory(available=1)
    page = Browser(stack, pools=[pool.pk]).open()
    stack.relay.kill()
    version = tell(pool, 2)
    eventually(lambda: "relay: active" in stack.standby.log(), "the second takes over")
    page.until(lambda: page.pools[str(pool.pk)]["version"] == version and page.live, "the change is told")
    assert stack.standby.stop() == 0


def test_many_writers_at_once_and_every_last_word_arrives(stack: Stack):
    pools = [PoolFactory(available=0, maximum=1000) for _ in range(8)]
    page = Browser(stack, pools=[pool.pk for pool in pools]).open()
    last: dict[str, int] = {}

    def write(pool: ServiceCapacity) -> None:
        try:
            for number in range(1, 26):
                last[str(pool.pk)] = tell(pool, number)
                time.sleep(0.001)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[pool]) for pool in pools]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    page.until(lambda: {pk: state["version"] for pk, state in page.pools.items()} == last, "each pool's last version is here")
    assert all(state["free"] == 25 for state in page.pools.values())


def test_a_connection_to_postgresql_that_dies_is_replaced(stack: Stack):
    pool = PoolFactory(available=1)
    page = Browser(stack, pools=[pool.pk]).open()
    page.until(lambda: page.live, "the relay is at work")
    known = connection.get_connection_params()
    with psycopg.connect(**{key: known[key] for key in ("dbname", "user", "host") if key in known}, autocommit=True) as other:
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lune relay' AND datname = current_database()"
        )
        # A page that is live has heard the relay a moment ago. On a busy machine it may be between two connections just now.
        eventually(lambda: other.execute(kill).rowcount == 1, "the relay has a connection, and loses it")
    version = tell(pool, 2)
    page.until(lambda: page.pools[str(pool.pk)]["version"] == version, "the change is told")
    page.until(lambda: page.live, "the relay is back")
    assert stack.relay.lives
