"""What goes over sockets: ids, figures and versions, never a fact about a person. Whoever is then shown somebody has fetched a page, and a
page is written to the read audit: over a socket nothing is shown that would have to be."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone

from capacity.models import ServiceCapacity
from core.models import AuditEntry, Event
from notifications import watch
from notifications.hub import Hub
from notifications.journal import START, Cursor
from notifications.listener import Listener
from notifications.viewer import Viewer
from tests.routes.full import WHO, FullWorld, told_unduly
from tests.routes.policy import ACCEPTED, OWN
from tests.test_routes_access import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("R087")]

ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TOPIC = re.compile(rf"region|(pool|service|org|referral|user):{ID}")
#: An id, the code of something, or an instant.
BARE = re.compile(rf"{ID}|[a-z][a-z0-9-]{{0,30}}|\d{{4}}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?|")
CURSOR = re.compile(r"\d+\.\d+")
STATE = {
    "id", "service", "name", "unit", "version", "available", "held", "free", "maximum", "status", "note", "conditions", "reported_at",
    "told_by", "timeline",
}  # fmt: skip


@pytest.fixture
def world(settings, tmp_path) -> FullWorld:
    settings.DOCUMENTS_ROOT = str(tmp_path)
    return FullWorld()


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def whatever_is_watched(events: list[Event], world: FullWorld) -> tuple[frozenset[UUID], frozenset[str]]:
    """Each pool there is and each topic of which anything was told, and some of which nothing was."""
    topics = {topic for event in events for topic in event.topics} | {"region"}
    topics |= {f"user:{user.pk}" for user in world.users.values() if user} | {f"service:{pool.service_id}" for pool in world.pools}
    return frozenset(ServiceCapacity.objects.values_list("pk", flat=True)), frozenset(topics)


def frames_of(world: FullWorld, start: Cursor) -> dict[str, list[str]]:
    """What the socket of everybody in any relation is written: the answer without a cursor, that with one, and what the hub then tells."""
    events = list(Event.objects.order_by("id"))
    pools, topics = whatever_is_watched(events, world)
    hub, told, opened = Hub(), {}, []
    for relation, user in world.users.items():
        viewer, texts = Viewer(user or AnonymousUser()), []
        first, answer = (watch.answer(viewer, watch.Watch(pools, topics, cursor), START) for cursor in (None, start))
        texts += [first.text, answer.text]

        async def write(text: str, texts: list[str] = texts) -> None:
            texts.append(text)

        async def cut_off() -> None:
            raise AssertionError("nobody reads too slowly")

        listener = Listener(viewer, write, cut_off)
        hub.watch(listener, answer.pools, answer.topics)
        opened.append((listener, answer))
        told[relation] = texts
    for event in events:
        hub._note(event.topics, event.audience)
    news = hub._question(hub._changes)()

    async def live() -> None:
        for listener, answer in opened:
            listener.answer("", answer.versions)
        hub._fan_out(hub._changes, news, Cursor(1, 1))
        for listener, _ in opened:
            listener.beat(hub.heartbeat())
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(live())
    return told


def test_every_frame_to_everybody_is_ids_figures_and_versions(world):
    start = Event.objects.order_by("id").first()
    told = frames_of(world, Cursor.parse(start.cursor))
    public = {str(pool.pk): pool for pool in ServiceCapacity.objects.all()}
    kinds, named, states = set(), set(), 0
    for relation, texts in told.items():
        assert len(texts) >= 3, f"{relation} is told something by the hub itself"
        for text in texts:
            frame = json.loads(text)
            kinds.add(frame["kind"])
            assert told_unduly("nobody", "", text) == []
            assert not any(who in text for who in WHO)
            assert frame.keys() <= {"kind", "cursor", "pools", "topics", "live", "at"}
            assert CURSOR.fullmatch(frame["cursor"])
            assert all(TOPIC.fullmatch(topic) for topic in frame.get("topics", ()))
            named |= {topic.partition(":")[0] for topic in frame.get("topics", ())}
            for pk, state in frame.get("pools", {}).items():
                states += 1
                assert state.keys() == STATE
                # The only words are the provider's own of its places, as the catalogue tells them to anybody who may see these.
                assert [state[name] or "" for name in ("name", "note")] == [getattr(public[pk], name) or "" for name in ("name", "note")]
    assert kinds == {"snapshot", "events", "heartbeat"}
    assert named >= {"region", "org", "referral"}
    assert states > 50
    strangers = [text for relation, texts in told.items() if world.users[relation] is None for text in texts]
    assert not any("referral:" in text or "org:" in text for text in strangers)
    # What an event carries beside is not sent over sockets, but handed to whoever listens inside: it names nobody either.
    types = set()
    for event in Event.objects.all():
        types.add(event.type)
        assert all(TOPIC.fullmatch(topic) for topic in event.topics), event.type
        for leaf in leaves(event.data):
            assert not isinstance(leaf, str) or BARE.fullmatch(leaf), f"{event.type}: {leaf!r}"
        assert told_unduly("nobody", "", json.dumps(event.data)) == [], event.type
    assert len(types) > 12, sorted(types)


def refetched(world: FullWorld) -> Iterator[tuple[str, str]]:
    """Who fetches which part of a page again when an event comes, where it names the person."""
    patient, accepted = world.patient.pk, world.accepted
    for name, *keys in (
        ("patient", patient), ("patient-story", patient), ("referral", accepted.referral_id), ("task-messages", accepted.pk),
        ("worklist",), ("holds",), ("follow-ups",), ("messages",), ("home",), ("plan",),
    ):  # fmt: skip
        yield OWN, reverse(name, args=keys)
    for name, *keys in (("task", accepted.pk), ("inbox",), ("task-messages", accepted.pk), ("follow-ups",)):
        yield ACCEPTED, reverse(name, args=keys)


def test_what_a_page_fetches_after_an_event_is_a_look_and_without_a_row_it_shows_nobody(world, monkeypatch, time_machine):
    named = []
    for relation, path in refetched(world):
        time_machine.move_to(began := timezone.now() + timedelta(minutes=30), tick=False)
        client = world.client(relation)

        def fetch(client=client, path=path) -> str:
            return text_of(client.get(path, headers={"HX-Request": "true"}))

        def rows(of=relation) -> int:
            return AuditEntry.objects.filter(action="read", user_id=world.users[of].pk).count()

        before = rows()
        if "Quillfeather" not in fetch():
            continue
        named.append(path)
        written = rows() - before
        assert written > 0, f"{path} named somebody without a row"
        fetch()
        assert rows() == before + written, f"{path}: what renews itself is one look for ten minutes"
        time_machine.move_to(began + timedelta(minutes=10, seconds=1), tick=False)
        with monkeypatch.context() as broken:
            broken.setattr(AuditEntry.objects, "bulk_create", fails)
            assert "Quillfeather" not in fetch(), f"{path} shows somebody though it cannot be written down"
        fetch()
        assert rows() > before + written, f"{path}: and then another"
    assert len(named) >= 6, named


def fails(*args, **kwargs):
    raise DatabaseError("the audit is full")
