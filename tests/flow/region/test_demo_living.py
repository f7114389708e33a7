"""The directory of the demonstration lives: a second directory overlaps it, and people say what is wrong."""

from datetime import timedelta

import pytest
from django.utils import timezone

from capacity.models import ServiceCapacity
from catalogue.models import DuplicateCandidate, ImportRun, MistakeReport, ProposedChange, Service, SourceRecord, UsageCount, User
from flow.demo import in_use, living, logins
from matching.unmet import ledger
from tests.flow.region.checks import AT


@pytest.fixture
def lived(region, db):
    """Takes longer than what is asked of it, which is therefore asked in one test."""
    living.load(seed=7, at=AT)


def test_the_directory_is_read_corrected_and_found_wanting(lived, subtests):
    for said in (
        a_second_directory_overlaps_the_first_and_its_doubles_are_found,
        what_its_publisher_forgot_is_named_in_quarantine,
        a_curator_finds_something_to_do,
        a_manager_sees_what_is_lacking_and_what_it_would_cost,
    ):
        with subtests.test(said.__name__):
            said()


def a_second_directory_overlaps_the_first_and_its_doubles_are_found() -> None:
    copies = set(Service.objects.filter(source=living.DIRECTORY, source_records__isnull=False).values_list("pk", flat=True))
    assert len(copies) == SourceRecord.objects.filter(source__name=living.DIRECTORY).count() == living.DOUBLES + 3 * len(living.GATHERINGS)
    pairs = DuplicateCandidate.objects.filter(score__gt=0.5).values_list("one", "other")
    across = [pair for pair in pairs if len(copies & set(pair)) == 1]
    assert len(across) >= 0.9 * living.DOUBLES


def what_its_publisher_forgot_is_named_in_quarantine() -> None:
    run = ImportRun.objects.get(feed__name=living.DIRECTORY)
    assert (run.status, run.rejected) == (ImportRun.Status.DONE, 3)


def a_curator_finds_something_to_do() -> None:
    assert MistakeReport.objects.filter(status="open").count() == len(living.MISTAKES)
    assert ProposedChange.objects.filter(status="waiting", organization=None).count() == len(living.GROUPS)
    assert living.is_loaded()
    # groups have places at each session, some taken, and the directory was read
    coming = ServiceCapacity.objects.filter(service__organization__name=logins.CHARITY, session_of__isnull=False)
    assert coming.values("session_of").distinct().count() == len(in_use.GROUPS)
    assert {pool.available == pool.maximum for pool in coming} == {True, False}
    first = UsageCount.objects.order_by("day").first()
    assert first.day == timezone.localdate(AT) - timedelta(days=in_use.READ_DAYS)
    assert set(UsageCount.objects.values_list("kind", flat=True)) == set(UsageCount.Kind)


def a_manager_sees_what_is_lacking_and_what_it_would_cost() -> None:
    today = timezone.localdate(AT)
    seen = ledger(User.objects.get(email=f"manager@{logins.DOMAIN}"), first=today - timedelta(days=28), last=today)
    assert (len(seen.rows), seen.few >= 1) == (7, True), "one kind is lacking too seldom to be told"
    assert seen.needs == sum(row.needs for row in seen.rows)
    assert seen.a_week > 0
    assert seen.in_beds > 0
