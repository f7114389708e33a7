"""Something that changes in a world of services, one thing at a time: whatever moves, adds, alters or removes a row of the facts."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import models, transaction

from capacity.models import FreshnessPolicy, ServiceCapacity
from catalogue.models import (
    Area,
    Eligibility,
    EligibilityCriterion,
    Location,
    Organization,
    QualityMark,
    Schedule,
    Service,
    ServiceArea,
    TaxonomyTerm,
)
from matching.models import PoolChance
from matching.queries import refresh_facts
from tests.factories import near
from tests.matching.worlds import AREA_RULES, AT, KINDS, RULES, a_leaning, a_mark, a_pool, some_hours, square


def some(chance: random.Random, model: type[models.Model], **of: Any) -> models.QuerySet[Any]:
    """One row, as a queryset."""
    ids = list(model._default_manager.filter(**of).order_by("pk").values_list("pk", flat=True))
    return model._default_manager.filter(pk__in=chance.sample(ids, min(1, len(ids))))


def kinds() -> dict[str, TaxonomyTerm]:
    return {term.code: term for term in TaxonomyTerm.objects.filter(taxonomy__slug="care-type", code__in=KINDS)}


def told(chance: random.Random) -> None:
    """What happens nearly always: a figure."""
    available = chance.choice([None, 0, 1, 2, 7])
    some(chance, ServiceCapacity).update(
        available=available,
        held=0,
        maximum=chance.choice([None, 10, 30]),
        status=chance.choice(["capacity", "capacity", "no-capacity", "waitlist"]),
        reported_at=AT - timedelta(seconds=chance.choice([0, 5_000, 86_400, 259_200])),
        expected_wait_days=chance.choice([None, 0, 20]),
    )


def opened(chance: random.Random) -> None:
    for pool in some(chance, ServiceCapacity):
        ServiceCapacity.objects.filter(pk=pool.pk).update(is_open=not pool.is_open)


def of_another_kind(chance: random.Random) -> None:
    some(chance, ServiceCapacity, session_of=None).update(care_type=chance.choice(list(kinds().values())))


def moved(chance: random.Random) -> None:
    some(chance, Location).update(point=chance.choice([None, near(chance.uniform(-12_000, 12_000), chance.uniform(-12_000, 12_000))]))


def of_the_service(chance: random.Random) -> None:
    some(chance, Service).update(
        status=chance.choice(["active", "active", "active", "inactive"]),
        price_week=chance.choice([None, 0, 900]),
        cqc_rating=chance.choice([None, 1, 4]),
        catchment_m=chance.choice([None, 5_000]),
        assured_date=chance.choice([None, AT.date()]),
        is_confidential=chance.random() < 0.2,
    )


def criterion(chance: random.Random) -> None:
    for term in some(chance, TaxonomyTerm, taxonomy__slug__in=("need", "condition", "funding", "language")):
        for service in some(chance, Service):
            EligibilityCriterion.objects.update_or_create(service=service, term=term, defaults={"rule": chance.choice(RULES)})


def no_criterion(chance: random.Random) -> None:
    some(chance, EligibilityCriterion).delete()


def ages(chance: random.Random) -> None:
    some(chance, Eligibility).update(minimum_age=chance.choice([None, 18, 80]), maximum_age=None, sex=chance.choice(["", "male"]))


def area(chance: random.Random) -> None:
    for service in some(chance, Service):
        where = {"area": some(chance, Area).get()} if chance.random() < 0.5 else {"extent": square(chance)}
        ServiceArea.objects.create(service=service, rule=chance.choice(AREA_RULES), **where)


def drawn_anew(chance: random.Random) -> None:
    """The row of the facts stays as it is: only the outline changes."""
    some(chance, ServiceArea, extent__isnull=False).update(extent=square(chance))


def no_area(chance: random.Random) -> None:
    some(chance, ServiceArea).delete()


def mark(chance: random.Random) -> None:
    for service in some(chance, Service):
        QualityMark.objects.create(**a_mark(chance, service))


def hours(chance: random.Random) -> None:
    some(chance, Schedule).update(**some_hours(chance))
    some(chance, Schedule).delete()
    for service in some(chance, Service):
        Schedule.objects.create(service=service, **some_hours(chance))


def leaning(chance: random.Random) -> None:
    some(chance, PoolChance).delete()
    some(chance, PoolChance).update(**a_leaning(chance))
    pools = some(chance, ServiceCapacity).filter(chance=None)
    PoolChance.objects.bulk_create(PoolChance(pool=pool, **a_leaning(chance)) for pool in pools)


def refuge(chance: random.Random) -> None:
    """Every service of it moves to the middle of its square."""
    for organization in some(chance, Organization):
        Organization.objects.filter(pk=organization.pk).update(is_confidential=not organization.is_confidential)


def came(chance: random.Random) -> None:
    terms = {("care-type", code): term for code, term in kinds().items()}
    for service in some(chance, Service):
        location, pool = [None, *a_pool(chance, service, terms, f"new {chance.random()}")][-2:]
        if location:
            location.save()
        pool.save()


def went(chance: random.Random) -> None:
    some(chance, ServiceCapacity, session_of=None, per="").delete()


def policy(chance: random.Random) -> None:
    """Every row of a kind changes."""
    hours = timedelta(hours=chance.choice([12, 72]))
    FreshnessPolicy.objects.filter(care_type__code=chance.choice(KINDS)).update(fresh_for=hours / 3, expires_after=hours)


def all_anew(chance: random.Random) -> None:
    refresh_facts()


def undone(chance: random.Random) -> None:
    with transaction.atomic():
        for change in (told, of_the_service, moved):
            change(chance)
        transaction.set_rollback(True)


EVERY: tuple[Callable[[random.Random], None], ...] = (
    opened, of_another_kind, moved, of_the_service, criterion, no_criterion, ages, area, drawn_anew, no_area, mark, hours, leaning, refuge,
    came, went, policy, all_anew, undone,
)  # fmt: skip


def change(chance: random.Random) -> None:
    """Half of the time a figure, as in life; otherwise anything."""
    (told if chance.random() < 0.5 else chance.choice(EVERY))(chance)
