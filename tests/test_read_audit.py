"""Whoever is shown a person is written down in the transaction that shows them; when that fails, nothing is shown.

The addresses are walked, by everybody who may know somebody: for each answer the rows written are held against the people named in it.
`make test` asks where people are known to be named; `make nightly` asks everywhere (`LUNE_ACCESS_EVERY=1`).
"""

import os
import re
import sys
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from flow.models import ReleaseCode
from flow.outside import codes
from tests.addresses import path_of
from tests.routes.full import FRIENDS, GLASS, GRANTED, HUB, FullWorld
from tests.routes.policy import ACCEPTED, ASKED, NAMES_THE_PERSON, OWN, TRUST
from tests.test_routes_access import SITE, text_of, undone

pytestmark = pytest.mark.django_db
EVERYWHERE = os.environ.get("LUNE_ACCESS_EVERY") == "1"
#: Where somebody who is neither sender nor provider is known to be named.
ALSO = {
    HUB: {"hub", "hub-csv", "hub-entry", "hub-route", "patient", "referral"},
    GRANTED: {"patient", "patient-story", "note", "document", "home"},
    GLASS: {"glass-record"},
    TRUST: {"glass-review", "glass-reviews", "sharing", "sharing-grant", "looks"},
    ASKED: {"inbox", "task", "api-tasks", "api-task"},
}


@pytest.fixture
def world(settings, tmp_path) -> FullWorld:
    settings.DOCUMENTS_ROOT = str(tmp_path)
    return FullWorld()


def fails(*args, **kwargs):
    raise DatabaseError("the audit is full")


class Known:
    """Each record by which the world tells of somebody: what names it, and by which rows a look at it is written."""

    def __init__(self, world: FullWorld) -> None:
        names = {
            ("patient", world.patient.pk): r"Quillfeather\b|943 ?476 ?5919",
            ("patient", world.double.pk): r"Quillfeatherly",
            ("patient", world.partner.pk): r"Wrenfield|999 ?000 ?0018",
            ("patient", world.merged.pk): r"Bramblewick",
            ("self-referral", world.request.pk): r"Quillfeatherby",
            ("launch", world.launch.pk): r"Quillfeatherton",
        }
        self.names = {record: re.compile(name) for record, name in names.items()}
        referrals = (world.accepted.referral_id, world.asked.referral_id, world.entry.referral_id)
        self.ids = {(kind, pk): {str(pk)} for kind, pk in names} | {("referral", pk): {str(pk)} for pk in referrals}
        self.ids["patient", world.patient.pk] |= {str(world.stay.pk), str(world.asked.reservation_id)}  # a stay or hold is its person's
        self.ids["referral", world.accepted.referral_id].add("The ward, 01772 000000")  # a letter as text has no id
        self.ids["referral", world.entry.referral_id].add(str(world.entry.pk))  # a hub reads it as its entry
        tasks = {world.accepted.pk: world.accepted.referral_id, world.asked.pk: world.asked.referral_id}
        for task, referral in tasks.items():
            self.ids["referral", referral].add(str(task))

    def named_in(self, text: str) -> set[tuple[str, UUID]]:
        return {record for record, name in self.names.items() if name.search(text)}

    def told_in(self, text: str) -> set[tuple[str, UUID]]:
        """Named, or told by an id."""
        return self.named_in(text) | {record for record, ids in self.ids.items() if any(key in text for key in ids)}


def questions(world: FullWorld, relation: str):
    """Each address with the person in the query where that is how they are named, by GET, and what forms bring somebody on a page."""
    run, pool, patient = world.run.pk, world.pools[2].pk, world.patient.pk
    about = {
        "find": {"patient": patient}, "match": {"patient": patient}, "refer": {"patient": patient}, "refer-choose": {"patient": patient},
        "refer-send": {"patient": patient}, "send": {"pools": pool, "patient": patient}, "hold-new": {"patient": patient, "pool": pool},
        "looks": {"record": patient},
    }  # fmt: skip
    number = {"nhs_number": "9434765919", "birth_date": "1941-05-17"}
    # What was typed stands in the answer again: not as the records have it.
    whole = {"given_name": "zebedee", "family_name": "quillfeather", "postcode": "PR1 2HE", "birth_date": "1941-05-17", "sex": "male"}
    sent = {
        "batch-new": {"action": "follow-up", "keys": [str(world.stay.pk)]},
        "looks": number, "patient-new": whole, "api-patients": whole, "patient-edit": {"family_name": ""},
        "glass": number | {"reason": "danger", "words": "They fell and cannot say who they are"},
        "launch-open": {"care": "befriending"}, "worklist-search": {"words": "Quillfeather"},
    }  # fmt: skip
    for prefix, pattern in SITE:
        name = pattern.name
        known = NAMES_THE_PERSON.get(relation, set()) | ALSO.get(relation, set())
        if not EVERYWHERE and name not in known and not (relation == OWN and (name in about or name in sent)):
            continue
        if name.startswith("account_"):
            continue
        values = world.values(name, relation)
        if name in ("refer-choose", "refer-send"):
            values |= {"pk": run, "pool_id": pool}
        path = path_of(prefix, pattern, values)
        yield name, "get", f"{path}?{urlencode(about[name])}" if name in about else path, {}
        if EVERYWHERE or name in sent:
            yield name, "post", path, sent.get(name, {})


def walked(world: FullWorld, relation: str):
    """Each answer: its address and method, status, text, and the rows of the read audit that were written with it."""
    client = world.client(relation)
    for name, method, path, data in questions(world, relation):
        cookies = client.cookies.copy()
        with undone():
            first = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
            answer = getattr(client, method)(path, data)
            text = text_of(answer)
            rows = list(AuditEntry.objects.filter(id__gt=first, action="read").values_list("record_type", "record_id", "purpose"))
        client.cookies = cookies
        # What is asked for by an id in the address is told of by any answer.
        yield f"{relation}: {method} {name}", answer.status_code, f"{text}\n{path}", rows


#: Who may know somebody; that nobody else is told of anybody is what `test_access_matrix.py` walks for.
RELATIONS = (OWN, ACCEPTED, ASKED, TRUST, *FRIENDS)


@pytest.mark.req("R087")
def test_the_rows_written_are_the_records_returned_over_every_surface(world):
    known, wrong, shown, answers = Known(world), [], set(), 0
    for relation in RELATIONS:
        for where, status, text, rows in walked(world, relation):
            answers += 1
            written = {("patient" if kind == "audit" else kind, pk) for kind, pk, _ in rows}
            if missing := known.named_in(text) - written:
                wrong.append(f"{where} ({status}) named {missing} without a row")
            if unneeded := {record for record in written if record in known.ids} - known.told_in(text):
                wrong.append(f"{where} ({status}) wrote {unneeded}, and told nothing of it")
            if len(rows) != len(set(rows)):
                wrong.append(f"{where} ({status}) wrote the same look twice")
            shown |= {where} if known.named_in(text) else set()
    sys.stdout.write(f"{answers:,} answers, {len(shown)} of them name somebody, {len(wrong)} wrong\n")
    assert "\n".join(wrong) == ""
    assert len(shown) > 50


@pytest.mark.req("R087")
def test_when_the_audit_cannot_be_written_nothing_is_shown_anywhere(world, monkeypatch, caplog):
    known, wrong, refused = Known(world), [], 0
    monkeypatch.setattr(AuditEntry.objects, "bulk_create", fails)
    for relation in RELATIONS:
        for where, status, text, _ in walked(world, relation):
            if named := known.named_in(text):
                wrong.append(f"{where} ({status}) named {named}")
            refused += status == 500
    assert "\n".join(wrong) == ""
    assert refused > 50
    assert known.named_in(caplog.text) == set(), "nor does the log"


@pytest.mark.parametrize("works", [True, False], ids=["", "with the audit broken"])
def test_whoever_is_named_behind_a_link_is_a_look_of_the_contact_or_is_not_named(world, monkeypatch, works):
    client = Client(raise_request_exception=False)
    address, version = f"/reply/{world.tokens['reply']}/", world.asked.version
    door = client.post(address, {"do": "accept", "version": version}).headers["Location"]
    client.post(door, {"do": "code"})
    code = codes.make(ReleaseCode.objects.get(), at=timezone.now())
    if not works:
        monkeypatch.setattr(AuditEntry.objects, "bulk_create", fails)
    shown = client.post(door, {"do": "release", "code": code})
    assert (shown.status_code, "Quillfeather" in text_of(shown)) == ((200, True) if works else (500, False))
    looks = AuditEntry.objects.filter(role="reply-contact").values_list("record_type", "record_id")
    assert list(looks) == ([("patient", world.patient.pk)] if works else [])
