"""Loading the demonstration region: the same for the same seed, and never where it does not belong."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from stdnum.gb import nhs

from capacity.models import ServiceCapacity
from catalogue.models import Organization, Service
from core import clock
from flow.demo import load
from flow.demo.names import nhs_number
from flow.models import Patient, ReferralTask
from tests import factories

AT = clock.now()


def _digest(world) -> list[tuple[str, str]]:
    named = [(str(row.pk), row.name) for model in (Organization, Service, ServiceCapacity) for row in world.rows[model]]
    people = [(str(p.pk), f"{p.full_name} {p.nhs_number} {p.postcode}") for p in world.rows[Patient]]
    tasks = [(str(t.pk), f"{t.pool_id} {t.status}") for t in world.rows[ReferralTask]]
    return [*named, *people, *tasks]


def test_the_same_seed_gives_the_same_region(db):
    first, second = (_digest(load.build(seed=7, at=AT)) for _ in range(2))
    assert first == second
    assert first != _digest(load.build(seed=8, at=AT))


def test_a_database_with_other_data_is_left_alone(db):
    factories.OrganizationFactory()
    with pytest.raises(CommandError, match="already has organisations"):
        call_command("load_demo", stdout=StringIO())
    assert Organization.objects.count() == 1


def test_never_on_a_live_site(db, settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="not a demonstration"):
        call_command("load_demo", stdout=StringIO())
    assert not Organization.objects.exists()


def test_nothing_to_simulate_before_it_is_loaded(db):
    with pytest.raises(CommandError, match="load_demo"):
        call_command("simulate", pace=1, stdout=StringIO())


@pytest.mark.parametrize("serial", range(0, 4_000, 37))
def test_nhs_number_has_its_check_digit(serial):
    number = nhs_number(serial)
    assert number is None or nhs.is_valid(number)
