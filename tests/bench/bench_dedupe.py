"""How well, and how fast, doubles are found among 2,000 invented services of which 300 are known doubles."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from catalogue.dedupe.compare import SUGGEST, SURE
from catalogue.dedupe.find import find_duplicates
from catalogue.models import DuplicateCandidate
from tests.bench.doubles import Invented
from tests.bench.harness import Measured, bench, timed

#: Never looked at while weights and thresholds were chosen; those were 1 to 4.
SEEDS = (101, 102, 103, 104, 105)
#: The least that anybody who looks for doubles must ask: which two services share a telephone, a postcode or a word-for-word name.
BARE = """
SELECT count(*) FROM (
    SELECT a.service_id, b.service_id AS other FROM catalogue_phone a JOIN catalogue_phone b USING (number)
        WHERE a.service_id < b.service_id
    UNION SELECT a.id, b.id FROM catalogue_service a JOIN catalogue_service b USING (name) WHERE a.id < b.id
    UNION SELECT a.service_id, b.service_id FROM catalogue_serviceatlocation a JOIN catalogue_address x USING (location_id)
        JOIN catalogue_address y USING (postal_code) JOIN catalogue_serviceatlocation b ON b.location_id = y.location_id
        WHERE a.service_id < b.service_id
) AS pairs
"""


@dataclass(frozen=True)
class Quality:
    """How many pairs were named, and which share of them, and of the true ones, is right."""

    pairs: int
    precision: float
    recall: float


def quality(truth: dict[UUID, int], at_least: float) -> Quality:
    """Hold the pairs with at least that score against what is known."""
    found = DuplicateCandidate.objects.filter(score__gte=at_least).values_list("one", "other")
    by_truth: dict[int, list[UUID]] = {}
    for pk, number in truth.items():
        by_truth.setdefault(number, []).append(pk)
    doubles = sum(len(pks) * (len(pks) - 1) // 2 for pks in by_truth.values())
    right = sum(truth[one] == truth[other] for one, other in found)
    return Quality(len(found), right / max(len(found), 1), right / doubles)


@bench("dedupe", unit="s", goal="precision at least 0.98 and recall at least 0.90 at the threshold from which pairs are shown")
def dedupe() -> Measured:
    candidate, floor, told = [], [], []
    for seed in SEEDS:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE catalogue_service, catalogue_organization, catalogue_location CASCADE")  # all comes back
            truth = Invented(seed).write()
            candidate.append(timed(lambda: find_duplicates(at=timezone.now())))
            floor.append(timed(_bare))
            shown, sure = quality(truth, SUGGEST), quality(truth, SURE)
            told.append(
                f"seed {seed}: {shown.pairs} pairs shown, precision {shown.precision:.3f}, recall {shown.recall:.3f}"
                f" (of them sure: {sure.pairs}, {sure.precision:.3f}, {sure.recall:.3f})"
            )
            transaction.set_rollback(True)
    return Measured(
        candidate,
        floor,
        note="; ".join(told) + ". 2,000 services with 300 doubles each. The candidate reads, compares, weighs and writes down every pair;"
        " the floor only joins on telephone, name and postcode as they are written.",
    )


def _bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE)
        cursor.fetchone()
