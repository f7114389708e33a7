"""People who wait for a place and places for them, told briefly: what tests of the plan are made of."""

from datetime import timedelta

from django.utils import timezone

from capacity.models import ServiceCapacity
from catalogue.models import User
from flow.models import Episode
from tests.factories import EpisodeFactory, LocationFactory, NeedProfileFactory, PoolFactory, near


def waits(team: User, *, days: int = 2, **fields) -> Episode:
    """Somebody of the team who has waited so long in the middle of Preston. What begins with `patient`, and the pathway, is of the stay."""
    of_stay = {name: fields.pop(name) for name in list(fields) if name.startswith("patient") or name == "discharge_pathway"}
    profile = NeedProfileFactory(organization=team.organization, **fields)
    ready_at = timezone.now() - timedelta(days=days, minutes=5)
    return EpisodeFactory(patient__organization=team.organization, ready_at=ready_at, profile=profile, **of_stay)


def home(metres: float = 0, available: int = 1, **fields) -> ServiceCapacity:
    """A care home so far east of the middle, with so many free beds, which told them an hour ago."""
    told = {"reported_at": timezone.now() - timedelta(hours=1)} | fields
    return PoolFactory(location=LocationFactory(point=near(metres)), available=available, **told)
