"""Where no socket opens, a browser asks again and again: the same protocol, the same cursor, and no more to see."""

import threading
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from capacity import operations
from core.events import publish
from core.models import Event
from notifications import journal
from tests.factories import PoolFactory, ServiceFactory, UserFactory
from tests.stack.live import BACKEND, Stack
from tests.stack.proxy import NoUpgrade

pytestmark = pytest.mark.django_db(transaction=True)


class Asker:
    """What `live.js` does when sockets are refused: ask, keep the cursor, ask again."""

    def __init__(self, port: int, user: Any = None, pools: Any = (), topics: Any = ()) -> None:
        self._headers = {}
        if user is not None:
            session = Client()
            session.force_login(user, backend=BACKEND)
            self._headers["Cookie"] = f"sessionid={session.cookies['sessionid'].value}"
        self._url = f"http://127.0.0.1:{port}/live/poll/"
        self._wanted = {"action": "watch", "pools": [str(pool) for pool in pools], "topics": list(topics)}
        self.cursor: str | None = None

    def ask(self) -> list[dict[str, Any]]:
        answer = httpx.post(self._url, json={**self._wanted, "cursor": self.cursor}, headers=self._headers, timeout=30)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
        said = answer.json()
        self.cursor = said[-1]["cursor"]
        assert said[-1]["kind"] == "heartbeat"
        return said


@pytest.mark.req("R003")
def test_who_gets_no_socket_is_told_all_the_same_and_only_what_it_missed(stack: Stack):
    stack.settle()
    pool, other = PoolFactory(available=3), PoolFactory(available=1)
    with NoUpgrade(stack.port) as proxy:
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://127.0.0.1:{proxy.port}/live/", origin=f"http://127.0.0.1:{proxy.port}").close()  # type: ignore[arg-type]
        page = Asker(proxy.port, pools=[pool.pk, other.pk])
        first = page.ask()
        assert [message["kind"] for message in first] == ["snapshot", "heartbeat"]
        assert first[0]["pools"][str(pool.pk)]["free"] == 3
        # what changed between two questions …
        operations.report(pool_id=pool.pk, available=7, by=None, at=timezone.now())
        missed = page.ask()
        assert {pk: state["free"] for pk, state in missed[0]["pools"].items()} == {str(pool.pk): 7}
        assert missed[0]["kind"] == "events"
        # … and what changes while a question waits
        told: list[dict[str, Any]] = []
        waiting = threading.Thread(target=lambda: told.extend(page.ask()))
        waiting.start()
        version = operations.report(pool_id=other.pk, available=0, by=None, at=timezone.now()).version
        waiting.join(30)
        told += page.ask() if not any(message.get("pools") for message in told) else []
        assert version in [state["version"] for message in told for state in message.get("pools", {}).values()]


def test_whoever_asks_sees_no_more_than_at_a_socket(stack: Stack):
    stack.settle()
    refuge = PoolFactory(service=ServiceFactory(is_confidential=True))
    user, stranger = UserFactory(), UserFactory()
    topics = [f"org:{user.organization_id}", "region"]
    public, own, foreign = (Asker(stack.port, who, pools=[refuge.pk], topics=topics) for who in (None, user, stranger))
    assert public.ask()[0]["pools"] == {}
    assert list(own.ask()[0]["pools"]) == [str(refuge.pk)]
    foreign.ask()
    with transaction.atomic():
        publish("canary", topics=topics, audience=[user.organization_id])
    assert next(m for m in (*own.ask(), *own.ask()) if m.get("topics"))["topics"] == sorted(topics)
    for other in (public, foreign):
        assert not any(message.get("topics") for message in other.ask())


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [("{", 422, "not-json"), ('{"action": "drop"}', 422, "unknown-action"), ("x" * 600_000, 413, "too-long"), ("\xff", 422, "not-json")],
)
def test_a_bad_question_gets_a_plain_answer(stack: Stack, body: str, status: int, code: str):
    answer = httpx.post(f"http://127.0.0.1:{stack.port}/live/poll/", content=body.encode("latin-1"), timeout=30)
    assert (answer.status_code, [message["code"] for message in answer.json()]) == (status, [code])
    assert httpx.get(f"http://127.0.0.1:{stack.port}/live/poll/").status_code == 405


def test_a_long_transaction_elsewhere_holds_nothing_up():
    """Numbers of transactions are those of the whole server; one in another database of it can put no row here."""
    known = connection.get_connection_params()
    address = {key: known[key] for key in ("user", "host") if key in known}
    with psycopg.connect(**address, dbname="postgres") as elsewhere, psycopg.connect(**address, dbname=known["dbname"]) as here:
        elsewhere.execute("SELECT pg_current_xact_id()")
        with transaction.atomic():
            event = publish("after", topics=["region"])
        event.refresh_from_db()
        assert str(journal.newest()) == event.cursor
        # one in this database does hold up what comes after it
        here.execute("SELECT pg_current_xact_id()")
        with transaction.atomic():
            later = publish("held up", topics=["region"])
        later.refresh_from_db()
        assert str(journal.newest()) == event.cursor
        here.rollback()
        assert str(journal.newest()) == later.cursor
        elsewhere.rollback()
    with transaction.atomic():  # one's own is not settled before it is committed
        mine = publish("mine", topics=["region"])
        mine.refresh_from_db()
        assert str(journal.newest()) == later.cursor
    assert Event.objects.count() == 3
