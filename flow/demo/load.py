"""Writes the demonstration region in one transaction."""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model

from capacity.models import CapacityReport, Reservation, ServiceCapacity
from catalogue.models import (
    Address,
    Contact,
    CostOption,
    Eligibility,
    EligibilityCriterion,
    Location,
    Organization,
    Phone,
    Practice,
    QualityMark,
    RegistrationCriterion,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    User,
)
from core.errors import Conflict, NotAllowed
from core.events import publish
from flow.demo.criteria import say_more
from flow.demo.logins import LOGINS
from flow.demo.names import Words
from flow.demo.organizations import Organizations
from flow.demo.people import People
from flow.demo.places import Places
from flow.demo.referrals import Referrals
from flow.demo.services import Services
from flow.demo.world import SOURCE, World, geography
from flow.models import Episode, Patient, Referral, ReferralTask, Transition
from matching.models import NeedProfile, PoolFact
from matching.operations import refresh_facts

SEED = 2026
#: In the order in which they may be written: what is pointed at comes first.
ORDER = (
    Organization, Practice, User, Service, Location, ServiceAtLocation, Address, Phone, Contact, CostOption, Schedule, Eligibility,
    EligibilityCriterion, RegistrationCriterion, QualityMark, ServiceArea, ServiceCapacity, Reservation, CapacityReport, Patient,
    NeedProfile, Episode, Referral, ReferralTask, Transition,
)  # fmt: skip


def is_loaded() -> bool:
    return Organization.objects.filter(source=SOURCE).exists()


def build(*, seed: int, at: datetime) -> World:
    """Invent the region; write nothing but the places on the map, which the rest points at."""
    world = World(seed=seed, now=at)
    geography(world)
    words = Words(world.chance("words"), taken=(login.organization for login in LOGINS))
    organizations = Organizations(world, words)
    organizations.build()
    services = Services(world, organizations, words)
    services.build()
    say_more(world, services, organizations.networks)
    places = Places(world, services)
    places.plan()
    people = People(world, organizations)
    people.build()
    Referrals(world, services, people, places).build()
    places.settle()
    return world


@transaction.atomic
def load(*, seed: int = SEED, at: datetime, force: bool = False, say: Callable[[str], None] = lambda line: None) -> dict[str, int]:
    """Write the region. Returns how many rows of each kind.

    Raises NotAllowed on a site that is not a demonstration, and Conflict when the database already has organisations (`other-data`; with
    `force` the region is added to them) or the region itself (`already-loaded`).
    """
    if not settings.DEMO:
        raise NotAllowed("This is not a demonstration site. Set LUNE_DEMO=true only where nobody's real record is kept.")
    if is_loaded():
        raise Conflict("The demonstration region is already loaded.", code="already-loaded")
    if Organization.objects.exists() and not force:
        raise Conflict("This database already has organisations of its own. Use an empty one, or say --force.", code="other-data")
    say("Inventing the region …")
    world = build(seed=seed, at=at)
    with connection.cursor() as cursor:
        # The ranking facts are made once at the end, rather than row by row.
        cursor.execute("SET LOCAL lune.defer_facts = 'on'")
    written = {}
    for model in ORDER:
        count = world.write(model)
        written[model.__name__] = count
        _look_at(model)
        say(f"  {count:>6,}  {model._meta.verbose_name_plural}")
    say("Preparing the ranking …")
    refresh_facts()
    _look_at(PoolFact)
    publish("region.loaded", topics=["region"])
    return written


def _look_at(model: type[Model]) -> None:
    """Let PostgreSQL count a table at once. It would plan for an empty one until it looks by itself, and be a hundred times as slow."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
