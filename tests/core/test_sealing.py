"""The read audit is sealed: whatever is done to it afterwards shows."""

import threading
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core import acting, audit, sealing
from core.models import AuditEntry, AuditSeal
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def look(count=1):
    audit.record_reads(user=UserFactory(), record_type="patient", record_ids=[uuid.uuid4() for _ in range(count)])


def by_the_owner(statement, *values):
    """What somebody can do who owns the database: the triggers put aside."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        return cursor.rowcount


def seals(monkeypatch=None):
    look(3), sealing.seal(at=timezone.now())
    look(2), sealing.seal(at=timezone.now())
    look(4)
    return sealing.check()


def test_whole_batches_are_found_whole_and_each_entry_is_sealed_once(monkeypatch):
    monkeypatch.setattr(sealing, "BATCH", 2)
    found = seals()
    assert (found.complaints, found.seals, found.entries, found.waiting) == ([], 2, 4, 5)
    assert found.waiting_since == AuditEntry.objects.order_by("id")[4].at
    assert [sealing.seal(at=timezone.now()) for _ in range(4)] == [2, 2, 1, 0]
    said = StringIO()
    call_command("check_audit", stdout=said)
    assert "9 entries under 5 seals; 0 wait" in said.getvalue()


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        ("UPDATE core_auditentry SET purpose = 'curiosity' WHERE id = (SELECT min(id) FROM core_auditentry)", "Entries of seal 1"),
        ("DELETE FROM core_auditentry WHERE id = (SELECT max(id) - 4 FROM core_auditentry)", "was made of 2 entries; there are 1"),
        (
            "INSERT INTO core_auditentry (id, at, user_id, role, action, record_type, record_id, purpose) "
            "SELECT -1, at, user_id, role, action, record_type, gen_random_uuid(), purpose FROM core_auditentry ORDER BY id LIMIT 1",
            "was made of 3 entries; there are 4",
        ),
        ("DELETE FROM core_auditseal WHERE number = 1", "Seal 1 is missing"),
        ("UPDATE core_auditseal SET entries = 1 WHERE number = 2", "Seal 2 is not as it was made"),
    ],
)
def test_whatever_is_changed_taken_away_or_slipped_in_shows(deed, complaint):
    assert seals().complaints == []
    assert by_the_owner(deed) == 1
    complaints = sealing.check().complaints
    assert any(complaint in each for each in complaints), complaints
    with pytest.raises(CommandError, match="not as it was sealed"):
        call_command("check_audit", stdout=StringIO(), stderr=StringIO())


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        ("TRUNCATE core_auditentry", "was made of 3 entries; there are 0"),
        ("DELETE FROM core_auditentry WHERE id > (SELECT max(upto_id) FROM core_auditseal WHERE number = 1)", "was made of 2 entries"),
        ("DELETE FROM core_auditseal WHERE number < 3", "Seal 1 is missing"),
    ],
)
def test_the_newest_taken_away_in_one_go_shows_as_far_as_it_was_sealed(deed, complaint):
    """And of what waits for its seal the log of the seals tells how far it was: every five minutes."""
    seals(), sealing.seal(at=timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(deed)
    assert any(complaint in each for each in sealing.check().complaints)


@pytest.mark.parametrize("table", [AuditEntry, AuditSeal])
@pytest.mark.parametrize("deed", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
def test_whoever_serves_requests_can_neither_change_nor_empty_the_audit(table, deed):
    seals()
    before = table.objects.count()
    with pytest.raises(DatabaseError), acting.for_user(UserFactory()), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed.format(table._meta.db_table))
    assert table.objects.count() == before


def test_what_is_still_being_written_is_left_for_the_next_seal():
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        with transaction.atomic():
            look()
            begun.set()
            go_on.wait(30)
        connection.close()

    other = threading.Thread(target=slowly)
    other.start()
    begun.wait(30)
    look(2)
    assert sealing.seal(at=timezone.now()) == 0, "an entry with a lower number may still appear"
    go_on.set()
    other.join()
    assert sealing.seal(at=timezone.now()) == 3
    assert sealing.check().complaints == []
    assert AuditSeal.objects.count() == 1
