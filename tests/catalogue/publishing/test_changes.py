"""The change feed misses nothing, also while a slow transaction runs, and tells a secret never, not even that there was one."""

import threading

import psycopg
import pytest
from django.db import connection, transaction
from django.test import Client

from catalogue.models import Organization, Phone, PublicationChange, Service, ServiceAtLocation
from catalogue.publishing import changes as feed
from tests.factories import LocationFactory, OrganizationFactory, ServiceFactory

from .samples import BASE, get

pytestmark = pytest.mark.django_db(transaction=True)


def changes(since: str = "", **parameters) -> dict:
    return get("/changes", **({"since": since} if since else {}), **parameters)


def actions(told: dict) -> list[tuple[str, str]]:
    return [(entry["action"], entry["id"]) for entry in told["contents"]]


def settled() -> None:
    """Return when every row is settled: the database may be looking after itself with a transaction of its own."""
    last = PublicationChange.objects.order_by("-xid").first()
    while last is not None and last.xid >= feed.bounds().settled:
        continue


def all_since(since: str, per_page: int = 2, *, wait: bool = True) -> tuple[list[tuple[str, str]], str]:
    """Everything from a place on, as a consumer reads it, and the place where it ends."""
    found, more = [], True
    if wait:
        settled()
    while more:
        told = changes(since, per_page=per_page)
        found += actions(told)
        since, more = told["next"], told["more"]
    return found, since


class Slow:
    """A transaction on a connection of its own that stays open until it is told to end."""

    def __init__(self, work) -> None:
        self._worked, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=[work])

    def _run(self, work) -> None:
        try:
            with transaction.atomic():
                work()
                self._worked.set()
                assert self._may_end.wait(30)
        finally:
            connection.close()

    def __enter__(self) -> "Slow":
        self._thread.start()
        assert self._worked.wait(30)
        return self

    def end(self) -> None:
        self._may_end.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def __exit__(self, *error: object) -> None:
        self.end()


@pytest.mark.req("R101")
def test_a_service_is_told_when_it_comes_when_it_changes_and_when_it_goes():
    service = ServiceFactory()
    key = str(service.pk)
    told, place = all_since("")
    assert told == [("changed", key)]
    assert all_since(place) == ([], place)
    Phone.objects.create(service=service, number="1")
    told, place = all_since(place)
    assert told == [("changed", key)]
    service.delete()
    told, place = all_since(place)
    assert told == [("gone", key)]
    assert all_since("")[0] == [("gone", key)]


@pytest.mark.req("R101")
def test_what_stops_being_public_is_gone_by_its_id_alone_and_may_come_back():
    other = ServiceFactory()
    hiding = [
        {"is_confidential": True}, {"is_internal": True}, {"status": "inactive"}, {"status": "temporarily closed"},
        {"merged_into": other.pk}, {"organization": "confidential"},
    ]  # fmt: skip
    services = [ServiceFactory(name=f"Larkspur {number}") for number in range(len(hiding))]
    _, place = all_since("")
    for service, hide in zip(services, hiding, strict=True):
        if "organization" in hide:
            Organization.objects.filter(pk=service.organization_id).update(is_confidential=True)
        else:
            Service.objects.filter(pk=service.pk).update(**hide)
    settled()
    answer = Client().get(f"{BASE}/changes", {"since": place, "full": "true"})
    assert [set(entry) for entry in answer.json()["contents"]] == [{"id", "action", "changed_at"}] * len(hiding)
    assert sorted(actions(answer.json())) == sorted(("gone", str(service.pk)) for service in services)
    assert "Larkspur" not in answer.content.decode()
    Organization.objects.update(is_confidential=False)
    Service.objects.update(is_confidential=False, is_internal=False, status="active", merged_into=None)
    told = all_since(answer.json()["next"])[0]
    assert sorted(told) == sorted(("changed", str(service.pk)) for service in services)


def test_what_never_was_public_is_never_told_of():
    secret = ServiceFactory(is_confidential=True)
    Phone.objects.create(service=secret, number="1")
    with transaction.atomic():  # public for a moment that nobody else could see
        brief = ServiceFactory()
        Service.objects.filter(pk=brief.pk).update(is_confidential=True)
    secret.delete()
    assert all_since("")[0] == []
    assert not PublicationChange.objects.exists()


@pytest.mark.req("R101")
def test_nothing_slips_under_a_place_already_read_while_a_slow_transaction_runs():
    first = ServiceFactory()
    _, place = all_since("")
    with Slow(lambda: Phone.objects.create(service=first, number="slow")) as slow:
        quick = ServiceFactory()  # begins later and ends sooner
        told, between = all_since(place, wait=False)
        slow.end()
    later, end = all_since(between)
    assert sorted(told + later) == sorted([("changed", str(first.pk)), ("changed", str(quick.pk))])
    assert ("changed", str(first.pk)) in later
    assert all_since(end)[0] == []


@pytest.mark.req("R101")
def test_now_is_a_place_before_whatever_has_not_ended():
    service = ServiceFactory()
    with Slow(lambda: Service.objects.filter(pk=service.pk).update(name="Slow")) as slow:
        place = changes("now")["next"]
        slow.end()
    assert all_since(place)[0] == [("changed", str(service.pk))]


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
        return cursor.fetchone()[0]


def meeting(slow_work, quick_work) -> None:
    """Two transactions that overlap: the second begins while the first is open, and may have to wait for it."""
    done = threading.Event()

    def run() -> None:
        try:
            quick_work()
        finally:
            connection.close()
            done.set()

    thread = threading.Thread(target=run)
    with Slow(slow_work) as slow:
        thread.start()
        while not done.is_set() and not somebody_waits():
            continue
        slow.end()
    thread.join(30)
    assert done.is_set()


@pytest.mark.parametrize("order", [1, -1])
def test_two_that_meet_are_both_told(order):
    """Whichever comes first: the one who publishes and the one who adds a part; the one who hides the organisation and the one who adds."""
    service = ServiceFactory(is_internal=True)
    publish = lambda: Service.objects.filter(pk=service.pk).update(is_internal=False)  # noqa: E731
    add = lambda: Phone.objects.create(service=service, number="1")  # noqa: E731
    meeting(*[publish, add][::order])
    seen = PublicationChange.objects.get(pk=service.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(xmin::text::bigint) FROM catalogue_phone WHERE service_id = %s", [service.pk])
        added_by = cursor.fetchone()[0]
    assert seen.is_public
    assert seen.xid % 2**32 >= added_by

    organization = OrganizationFactory()
    hide = lambda: Organization.objects.filter(pk=organization.pk).update(is_confidential=True)  # noqa: E731
    meeting(*[hide, lambda: ServiceFactory(name="Late", organization=organization)][::order])
    assert not PublicationChange.objects.filter(is_public=True, service__name="Late").exists()


def test_a_place_that_moves_while_a_service_comes_to_it_is_told():
    service, location = ServiceFactory(), LocationFactory(name="Old")
    _, place = all_since("")
    meeting(
        lambda: ServiceAtLocation.objects.create(service=service, location=location),
        lambda: type(location).objects.filter(pk=location.pk).update(name="New"),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text::bigint FROM catalogue_location WHERE id = %s", [location.pk])
        moved_by = cursor.fetchone()[0]
    assert PublicationChange.objects.get(pk=service.pk).xid % 2**32 == moved_by
    assert all_since(place)[0] == [("changed", str(service.pk))]


@pytest.mark.req("R101")
def test_rows_written_in_bulk_are_told_each_once():
    organization = OrganizationFactory()
    _, place = all_since("")
    services = Service.objects.bulk_create([Service(name=f"Bulk {n}", organization=organization) for n in range(30)])
    Phone.objects.bulk_create([Phone(service=service, number="1") for service in services])
    told, place = all_since(place, per_page=7)
    assert sorted(told) == sorted(("changed", str(service.pk)) for service in services)
    Service.objects.filter(name__in=["Bulk 3", "Bulk 4"]).update(status="defunct")
    Service.objects.filter(name="Bulk 5").delete()
    assert sorted(all_since(place)[0]) == sorted(("gone", str(services[n].pk)) for n in (3, 4, 5))


@pytest.mark.req("R101")
def test_the_feed_and_a_copy_kept_by_it_agree():
    """A consumer that begins with everything and follows the feed ends up with exactly what is public."""
    services = ServiceFactory.create_batch(6)
    place = changes("now")["next"]
    copy = {document["id"] for document in get("/services", minimal="true")["contents"]}
    Service.objects.filter(pk=services[0].pk).update(is_confidential=True)
    services[1].delete()
    ServiceFactory()
    Service.objects.filter(pk=services[2].pk).update(name="Other")
    settled()
    told = changes(place, full="true")["contents"]
    copy |= {entry["id"] for entry in told if entry["action"] == "changed"}
    copy -= {entry["id"] for entry in told if entry["action"] == "gone"}
    assert copy == {str(key) for key in Service.objects.public().values_list("pk", flat=True)}
    assert {entry["service"]["name"] for entry in told if entry["id"] == str(services[2].pk)} == {"Other"}


@pytest.mark.django_db
@pytest.mark.parametrize("since", ["7", "a.b", "1." + "g" * 32, "1", "-1." + "0" * 32, "0" * 8 + "." + "9" * 25 + "." + "0" * 32])
def test_a_place_that_is_none_is_refused(since):
    answer = Client().get(f"{BASE}/changes", {"since": since})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "since")


@pytest.mark.django_db
def test_a_place_of_another_life_of_the_directory_is_told_to_begin_anew():
    """Numbers that were not reached yet; and numbers that were, in a life whose changes this one may not know."""
    life, xid, key = changes("now")["next"].split(".")
    assert changes(f"{life}.{xid}.{key}")["size"] == 0
    for since in (f"{life}.{2**40}.{key}", f"{'0' * 8}.{xid}.{key}"):
        answer = Client().get(f"{BASE}/changes", {"since": since})
        assert answer.status_code == 409
        assert "Leave `since` out" in answer.json()["detail"]


def test_a_transaction_in_another_database_of_the_server_holds_nothing_up():
    """Its number is lower and it does not end: a night's work of some other application."""
    with psycopg.connect(**{**connection.get_connection_params(), "dbname": "postgres", "cursor_factory": None}) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        service = ServiceFactory()
        assert ("changed", str(service.pk)) in all_since("")[0]
        elsewhere.rollback()


def test_rows_of_a_restored_copy_are_told_again():
    """Their transactions have numbers that the new database has not reached: without care they would never be told of."""
    services = ServiceFactory.create_batch(2)
    PublicationChange.objects.filter(pk=services[0].pk).update(xid=str(2**40), first_xid=str(2**40))
    changes()
    assert sorted(all_since("")[0]) == sorted(("changed", str(service.pk)) for service in services)
    _, place = all_since("")
    key = str(services[0].pk)
    services[0].delete()
    assert all_since(place)[0] == [("gone", key)]
