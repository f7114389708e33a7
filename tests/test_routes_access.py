"""Every address of the site, by every method, for every role: what it answers, and that no answer names a person to a stranger.

The addresses are walked, the policy is declared below: an address without a policy fails, so that nobody adds one without deciding who
may use it.

A refusal that only the kind of work decides (403) is tried with one of the roles that do this work, and one that only the method decides
(405) with one of all roles: another with each address, always the same. `make nightly` tries each with every role (LUNE_ACCESS_EVERY=1).
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

import pytest
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from core.models import Event
from flow import operations
from tests.addresses import addresses, path_of
from tests.routes.policy import (
    ADMINISTRATOR,
    ANONYMOUS,
    ASKED,
    CURATOR,
    MANAGER,
    MANAGERS,
    NAMES_THE_PERSON,
    OWN,
    PERSON,
    POLICY,
    PROVIDERS,
    REFERRERS,
    ROLES,
    Answers,
)
from tests.routes.world import World

pytestmark = pytest.mark.django_db


def text_of(answer: HttpResponse) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{answer.headers}\n{body.decode(errors='replace')}"


def named_in(text: str) -> list[str]:
    return [canary for canary in PERSON if canary in text]


@pytest.fixture
def world() -> World:
    return World()


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is changed within is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def asked_of(client: Client, method: str, path: str) -> tuple[HttpResponse, str]:
    """The answer to a request, and all of its text. Whatever the request changed is undone."""
    cookies = client.cookies.copy()
    with undone():
        answer = getattr(client, method)(path)
        text = text_of(answer)
    client.cookies = cookies
    return answer, text


SITE = [(prefix, pattern) for prefix, pattern in addresses() if not prefix.startswith("admin/")]
ADMIN = [(prefix, pattern) for prefix, pattern in addresses() if prefix.startswith("admin/")]


#: Whoever has the same kind of work.
KINDS = (REFERRERS, PROVIDERS, MANAGERS)


def is_tried(request: str, answers: Answers, role: str) -> bool:
    """Whether this role makes this request: always, unless another role of which the same decides makes it and is refused alike."""
    if os.environ.get("LUNE_ACCESS_EVERY") == "1" or answers[role] not in (403, 405):
        return True
    peers = set(ROLES) if answers[role] == 405 else next((kind for kind in KINDS if role in kind), {role})
    alike = sorted(peer for peer in peers if answers[peer] == answers[role])
    return alike[crc32(request.encode()) % len(alike)] == role


def test_each_refusal_of_an_address_is_tried_with_each_kind_of_work():
    for name, methods in POLICY.items():
        for method, answers in zip(("get", "post"), methods, strict=True):
            tried = {role for role in ROLES if is_tried(f"{method} {name}", answers, role)}
            assert {answers[role] for role in tried} == set(answers.values())
            assert {role for role in ROLES if answers[role] not in (403, 405)} <= tried
            for kind in KINDS:
                assert 403 not in {answers[role] for role in kind} or 403 in {answers[role] for role in kind & tried}


@pytest.mark.req("R087")
def test_every_address_has_a_policy():
    assert {pattern.name for _, pattern in SITE} == set(POLICY)


@pytest.mark.req("R087")
@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_policy_says_and_no_stranger_reads_of_the_person(world, role, caplog):
    client = world.client(role)
    wrong, leaks = [], []
    for prefix, pattern in SITE:
        path = path_of(prefix, pattern, world.values(pattern.name, role))
        for method, answers in zip(("get", "post"), POLICY[pattern.name], strict=True):
            if not is_tried(f"{method} {pattern.name}", answers, role):
                continue
            answer, text = asked_of(client, method, path)
            if answer.status_code != answers[role]:
                wrong.append(f"{method} {pattern.name}: {answer.status_code}, not {answers[role]}")
            if named_in(text) and pattern.name not in NAMES_THE_PERSON.get(role, set()):
                leaks.append(f"{method} {pattern.name}: {named_in(text)}")
            for header in ("Content-Security-Policy", "X-Content-Type-Options", "Permissions-Policy", "Referrer-Policy", "X-Frame-Options"):
                if header not in answer.headers:
                    wrong.append(f"{method} {pattern.name}: no {header}")
    assert (wrong, leaks) == ([], [])
    assert named_in(caplog.text) == []
    assert named_in(json.dumps(list(Event.objects.values("type", "topics", "data")))) == []
    assert named_in("".join(str(message.message()) for message in mail.outbox)) == []


@pytest.mark.parametrize("role", [ADMINISTRATOR, CURATOR, MANAGER, OWN, ASKED, ANONYMOUS])
def test_the_administrators_site_lets_in_administrators_alone_and_names_no_patient(world, role):
    client = world.client(role)
    wrong = []
    for prefix, pattern in ADMIN if role in (ADMINISTRATOR, ANONYMOUS) else ADMIN[:8]:
        path = path_of(prefix, pattern, world.values("admin", role))
        for method in ("get", "post"):
            answer, text = asked_of(client, method, path)
            allowed = range(200, 500) if role == ADMINISTRATOR else (302, 403, 405)
            if answer.status_code not in allowed or named_in(text) or "Content-Security-Policy" not in answer.headers:
                wrong.append(f"{method} {path}: {answer.status_code} {named_in(text)}")
    assert wrong == []


def test_nothing_is_posted_without_the_token_of_the_page(world):
    """By somebody whom the policy would let post there: what asks for the token does not look who is asking."""
    clients = {role: world.client(role, enforce_csrf_checks=True) for role in (OWN, ASKED, CURATOR, MANAGER, ADMINISTRATOR)}
    for prefix, pattern in SITE:
        posted = POLICY[pattern.name][1]
        role = next((role for role in clients if posted[role] not in (403, 404, 405)), OWN)
        answer, _ = asked_of(clients[role], "post", path_of(prefix, pattern, world.values(pattern.name, role)))
        assert answer.status_code in (403, 404, 405), f"{pattern.name}: {answer.status_code}, with the token {posted[role]}"


@pytest.mark.parametrize("part", ["task", "api-task"])
def test_a_provider_that_was_asked_reads_no_words_of_the_sender_who_takes_the_request_back(world, part):
    operations.withdraw(task_id=world.asked.pk, by=world.users[OWN], at=timezone.now(), reason_text="Zebedee Quillfeather died")
    prefix, pattern = next((prefix, pattern) for prefix, pattern in SITE if pattern.name == part)
    answer, text = asked_of(world.client(ASKED), "get", path_of(prefix, pattern, world.values(part, ASKED)))
    assert (answer.status_code, named_in(text)) == (200, [])
