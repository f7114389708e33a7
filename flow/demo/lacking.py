"""What the demonstration region lacks: searches of the last weeks that found nobody, so that a manager sees where, of what and why."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from catalogue.models import Organization
from core import clock
from core.ids import derived
from flow.demo.logins import HOSPITAL, NETWORK
from flow.demo.world import SOURCE
from matching.models import Tariff, UnmetNeed

DAYS = 28
#: Kind of care, first half of the postcode, the rule that left fewest, what else was needed, who looked, how many.
LACKING = (
    ("home-dementia-nursing", "LA1", "distance", ("dementia",), HOSPITAL, 11),
    ("home-dementia-nursing", "FY4", "place", ("dementia",), HOSPITAL, 8),
    ("home-care", "LA6", "catchment", (), HOSPITAL, 9),
    ("home-care", "PR25", "place", (), HOSPITAL, 6),
    ("reablement", "LA14", "distance", (), HOSPITAL, 7),
    ("talking-therapies", "BB5", "language", (), NETWORK, 7),
    ("transport", "LA6", "catchment", ("wheelchair",), NETWORK, 5),
    ("befriending", "PR7", "age", (), NETWORK, 3),
)
#: Pounds a week, and a day in a hospital bed. Round numbers of nobody's tariff.
TARIFFS = {"home-dementia-nursing": 1200, "home-care": 400, "reablement": 450, "talking-therapies": 90, Tariff.BED_DAY: 350}


def load(*, seed: int, at: datetime) -> int:
    """Write the needs and the tariffs. Returns how many needs. The region must be there."""
    needs = list(_needs(random.Random(f"{seed}/lacking"), seed, at))
    UnmetNeed.objects.bulk_create(needs, ignore_conflicts=True)
    Tariff.objects.bulk_create(
        [Tariff(code=code, pounds=Decimal(pounds), note="Invented for the demonstration") for code, pounds in TARIFFS.items()],
        ignore_conflicts=True,
    )
    return len(needs)


def _needs(chance: random.Random, seed: int, at: datetime) -> Iterator[UnmetNeed]:
    teams = {team.name: team for team in Organization.objects.filter(source=SOURCE, name__in={HOSPITAL, NETWORK})}
    for kind, outcode, reason, needs, team, many in LACKING:
        for number in range(many):
            pk = derived("demo", str(seed), "unmet", f"{kind} {outcode} {number}")
            looked = at - timedelta(days=chance.randrange(DAYS), hours=chance.randrange(8))
            met = looked + timedelta(days=chance.randint(1, 6))
            yield UnmetNeed(
                id=pk, at=looked, on=clock.local_date(looked), digest=pk.hex * 2, care_types=[kind], outcode=outcode, needs=list(needs),
                reason=reason, in_hospital=team == HOSPITAL, organization=teams[team],
                resolved_at=met if met < at and chance.random() < 0.4 else None,
            )  # fmt: skip
