"""Every address by every method for everybody in every relation to one person: more than 20,000 attempts, each of which may leak nothing.

`make nightly` makes all of them (`LUNE_ACCESS_EVERY=1`), prints the number and writes `var/access.json`. Without that each 500th is made,
so that the test itself stays whole; what each role is answered is tested in `test_routes_access.py`.
"""

import json
import os
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from catalogue.models import Organization, User
from core.models import Event
from flow import operations
from flow.models import Grant, ReferralTask, SharingAgreement
from flow.models.sharing import LegalBasis, Purpose
from flow.workflow import Reason
from notifications.viewer import topics_seen
from tests.addresses import path_of
from tests.factories import PoolFactory, UserFactory
from tests.routes.policy import NAMES_THE_PERSON, OWN, ROLES
from tests.routes.world import World
from tests.test_routes_access import SITE, asked_of, named_in

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
DECLINED, WITHDRAWN, RETRACTED = "provider that said no", "provider whose request was taken back", "provider asked by mistake"
EXPIRED, REVOKED = "referrer whose grant ran out", "referrer whose grant was revoked"
#: Who stands in these relations may be told of the person nowhere at all.
STRANGERS = (DECLINED, WITHDRAWN, RETRACTED, EXPIRED, REVOKED)


@pytest.fixture
def world() -> World:
    world = World()
    world.own_tasks = {}
    sender, now = world.users["own referrer"], timezone.now()
    pools = PoolFactory.create_batch(3)
    referral = operations.send(
        patient_id=world.patient.pk, profile_id=world.asked.referral.profile_id, pool_ids=[pool.pk for pool in pools],
        reason="Canary reason", consent=True, by=sender, at=now,
    )  # fmt: skip
    for relation, pool in zip((DECLINED, WITHDRAWN, RETRACTED), pools, strict=True):
        user = UserFactory(provider=True, organization=pool.service.organization)
        task = ReferralTask.objects.get(referral=referral, pool=pool)
        if relation == DECLINED:
            operations.decline(task_id=task.pk, by=user, at=now, reason=Reason.OTHER, reason_text="Not now")
        elif relation == WITHDRAWN:
            operations.withdraw(task_id=task.pk, by=sender, at=now, reason_text="Zebedee Quillfeather changed his mind")
        else:
            operations.accept(task_id=task.pk, by=user, at=now)
            operations.retract(task_id=task.pk, by=sender, at=now, reason_text="Not Zebedee Quillfeather")
        world.users[relation] = user
        world.own_tasks[relation] = task.pk
    for relation, ended in ((EXPIRED, {"ends_at": now - timedelta(minutes=1)}), (REVOKED, {"revoked_at": now})):
        user = UserFactory()
        span = {"starts_at": now - timedelta(days=9), "ends_at": now + timedelta(days=9), "created_at": now - timedelta(days=9)}
        agreement = SharingAgreement.objects.create(
            organization=sender.organization, with_organization=user.organization, purpose=Purpose.SHARED_CARE,
            legal_basis=LegalBasis.DIRECT_CARE, reference="A", **span,
        )  # fmt: skip
        Grant.objects.create(
            organization=sender.organization, to_organization=user.organization, patient=world.patient, purpose=Purpose.SHARED_CARE,
            agreement=agreement, **(span | ended),
        )  # fmt: skip
        world.users[relation] = user
    assert Organization.objects.count() > 8
    return world


def attempts():
    """Each relation, address and method, in an order that mixes them."""
    for relation in (*ROLES, *STRANGERS):
        for prefix, pattern in SITE:
            for method in METHODS:
                yield relation, prefix, pattern, method


def may_be_named(relation: str, name: str) -> bool:
    return relation == OWN or (relation not in STRANGERS and name in NAMES_THE_PERSON.get(relation, set()))


@pytest.mark.req("R087")
def test_of_every_attempt_none_tells_a_stranger_of_the_person(world, caplog):
    every = int(os.environ.get("LUNE_ACCESS_EVERY", "500"))
    made, leaks, broken = Counter(), [], []
    clients: dict[str, Client] = {}
    for number, (relation, prefix, pattern, method) in enumerate(attempts()):
        if number % every:
            continue
        client = clients.setdefault(relation, world.client(relation))
        values = world.values(pattern.name, relation)
        if relation in world.own_tasks:  # the request that this provider was sent itself
            values["task_id"] = world.own_tasks[relation]
            values["pk"] = values["task_id"] if values["pk"] == world.accepted.pk else values["pk"]
        path = path_of(prefix, pattern, values)
        answer, text = asked_of(client, method, path)
        made[relation] += 1
        if named_in(text) and not may_be_named(relation, pattern.name):
            leaks.append(f"{relation}: {method} {pattern.name}: {named_in(text)}")
        if answer.status_code >= 500:
            broken.append(f"{relation}: {method} {pattern.name}: {answer.status_code}")
    for relation, user in world.users.items():
        if not isinstance(user, User):
            continue
        topics = [f"referral:{world.accepted.referral_id}", f"referral:{world.asked.referral_id}", f"org:{world.patient.organization_id}"]
        for topic in topics:
            made["sockets"] += 1
            if relation in STRANGERS and topics_seen(user, [topic]):
                leaks.append(f"{relation}: socket {topic}")
    told = {"attempts": sum(made.values()), "leaks": len(leaks), "failures": len(broken), "by relation": dict(sorted(made.items()))}
    if every == 1:
        Path(__file__).parents[1].joinpath("var", "access.json").write_text(json.dumps(told, indent=1) + "\n")
        assert told["attempts"] >= 20_000
    sys.stdout.write(f"{told['attempts']:,} attempts, {len(leaks)} leaks, {len(broken)} failures\n")
    assert (leaks, broken) == ([], [])
    assert named_in(caplog.text) == []
    assert named_in(json.dumps(list(Event.objects.values("type", "topics", "data")), default=str)) == []
    assert named_in("".join(str(message.message()) for message in mail.outbox)) == []
