"""Every address by every method for everybody in every relation to one person: more than 20,000 attempts, each of which may leak nothing.

`make nightly` makes all of them (`LUNE_ACCESS_EVERY=1`), prints the number and writes `var/access.json`. Without that each 500th is made,
so that the test itself stays whole; what each role is answered is tested in `test_routes_access.py`.
"""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.core import mail
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from catalogue.models import Organization
from core import sms
from core.models import Event
from notifications.models import PersonChoices
from notifications.notices import choosing
from notifications.notices.kinds import KINDS, Choice, When
from notifications.viewer import topics_seen
from tests.addresses import path_of
from tests.notifications.telling import read_all, send_due, settle_at_once
from tests.routes.full import FRIENDS, STRANGERS, FullWorld, told_unduly
from tests.routes.policy import ANONYMOUS, CURATOR, ELSEWHERE, MANAGER, NOT_ASKED, ROLES
from tests.test_routes_access import SITE, asked_of

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
EVERY = int(os.environ.get("LUNE_ACCESS_EVERY", "500"))
#: Addresses by the id of what is kept of a person.
OF_A_PERSON = (
    "patient", "around", "stay", "referral", "letter", "hold", "note", "document", "follow", "hub", "batch", "episode", "plan", "glass",
    "task", "request",
)  # fmt: skip
#: Who may hear of neither referral.
DEAF = (*STRANGERS, ELSEWHERE, NOT_ASKED, MANAGER, CURATOR, ANONYMOUS)


@pytest.fixture
def world(settings, tmp_path) -> FullWorld:
    settings.DOCUMENTS_ROOT = str(tmp_path)
    world = FullWorld()
    assert Organization.objects.count() > 8
    return world


def attempts():
    """Each relation, address and method, in an order that mixes them."""
    for relation in (*ROLES, *STRANGERS, *FRIENDS):
        for prefix, pattern in SITE:
            for method in METHODS:
                yield relation, prefix, pattern, method


@pytest.mark.req("R087")
def test_of_every_attempt_none_tells_a_stranger_of_the_person(world, caplog):
    made, leaks, broken = Counter(), [], []
    clients: dict[str, Client] = {}
    for number, (relation, prefix, pattern, method) in enumerate(attempts()):
        if number % EVERY:
            continue
        client = clients.setdefault(relation, world.client(relation))
        answer, text = asked_of(client, method, path_of(prefix, pattern, world.values(pattern.name, relation)))
        made[relation] += 1
        if unduly := told_unduly(relation, pattern.name, text):
            leaks.append(f"{relation}: {method} {pattern.name}: {unduly}")
            sys.stdout.write(f"{leaks[-1]}\n")
        if answer.status_code >= 500:
            broken.append(f"{relation}: {method} {pattern.name}: {answer.status_code}")
            sys.stdout.write(f"{broken[-1]}\n")
    for relation, user in world.users.items():
        topics = [f"referral:{world.accepted.referral_id}", f"referral:{world.asked.referral_id}", f"org:{world.patient.organization_id}"]
        for topic in topics:
            made["sockets"] += 1
            if relation in (*STRANGERS, ELSEWHERE, NOT_ASKED, MANAGER, CURATOR, ANONYMOUS) and topics_seen(
                user or AnonymousUser(), [topic]
            ):
                leaks.append(f"{relation}: socket {topic}")
    told = {"attempts": sum(made.values()), "leaks": len(leaks), "failures": len(broken), "by relation": dict(sorted(made.items()))}
    if EVERY == 1:
        Path(__file__).parents[1].joinpath("var", "access.json").write_text(json.dumps(told, indent=1) + "\n")
        assert told["attempts"] >= 20_000
    sys.stdout.write(f"{told['attempts']:,} attempts, {len(leaks)} leaks, {len(broken)} failures\n")
    assert (leaks, broken) == ([], [])
    assert told_unduly("nobody", "log", caplog.text) == []


@pytest.mark.req("R080")
@pytest.mark.req("R087")
def test_nothing_that_leaves_names_the_person_or_repeats_what_is_kept(settings, tmp_path, monkeypatch, caplog):
    """Everything that happens to the person, told to everybody by each way: the journal, notices, messages, jobs and logs."""
    settings.DOCUMENTS_ROOT = str(tmp_path)
    settle_at_once(monkeypatch)
    world = FullWorld()
    now = timezone.now()
    for number, user in enumerate(user for user in world.users.values() if user):
        PersonChoices.objects.create(user=user, mobile=f"+44770090{number:04}", mobile_confirmed_at=now)
        choices = {kind.code: Choice(True, When.NOW, When.NOW) for kind in KINDS}
        choosing.choose(
            by=user, at=now, choices=choices, quiet_from=None, quiet_until=None, urgent_passes=False, daily_hour=8, whole_organization=True
        )
    read_all()
    sent = send_due()
    assert sent.count("sent") > 10, sent
    assert len(sms.KeepingGateway.outbox) > 3
    left = {
        "journal": json.dumps(list(Event.objects.values("type", "topics", "data")), default=str),
        "e-mail": "".join(str(message.message()) for message in mail.outbox),
        "text messages": str(sms.KeepingGateway.outbox),
        "jobs": str([job["args"] for job in ProcrastinateJob.objects.values("args")]),
        "log": caplog.text,
    }
    for model in apps.get_app_config("notifications").get_models():
        left[model._meta.label] = str(list(model._base_manager.values()))
    assert {where: found for where, text in left.items() if (found := told_unduly("nobody", "", text))} == {}
    assert len(left["journal"]) > 5_000


@pytest.mark.req("R087")
def test_the_record_of_another_organisation_is_answered_like_none_at_all(world):
    """Strangers are told 404 for what is there as for what is not, whatever they ask for by its id."""
    differs, asked = [], 0
    clients: dict[str, Client] = {}
    found = [(prefix, pattern) for prefix, pattern in SITE if pattern.name.removeprefix("api-").split("-")[0] in OF_A_PERSON]
    pairs = [(relation, one) for relation in (ELSEWHERE, NOT_ASKED, *STRANGERS) for one in found if "pk" in one[1].pattern.converters]
    for number, (relation, (prefix, pattern)) in enumerate(pairs):
        if number % max(EVERY // 10, 1):
            continue
        values = world.values(pattern.name, relation)
        if values["pk"] in {*world.own_tasks.values(), world.pools[0].service_id}:
            continue
        client = clients.setdefault(relation, world.client(relation))
        answers = []
        for pk in (values["pk"], uuid4()):
            answers.append(asked_of(client, "get", path_of(prefix, pattern, values | {"pk": pk}))[0].status_code)
        asked += 1
        if answers[0] != answers[1] or answers[0] == 200:
            differs.append(f"{relation}: {pattern.name}: {answers}")
    sys.stdout.write(f"{asked} records of others asked for\n")
    assert differs == []
    assert asked > 5
