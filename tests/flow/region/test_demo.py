"""The demonstration region: the same every time, wholly invented, and obeying every rule that real records obey."""

import re
from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import F
from stdnum.gb import nhs

from capacity.models import CapacityReport, Reservation, ServiceCapacity
from catalogue.models import Area, Organization, Outcode, Phone, Service, TaxonomyTerm, User
from flow.demo import living, load, logins
from flow.demo.world import INWARD_LETTERS
from flow.figures import dashboard
from flow.models import Episode, Patient, Referral, ReferralTask, Transition
from flow.workflow import BY_ACTION, Status
from matching.models import NeedProfile, PoolFact
from tests.flow.region.checks import AT, check_demo


@pytest.fixture
def loaded(region, db):
    """The region, in a transaction of the test's own."""


def test_obeys_every_rule(loaded):
    assert check_demo() == []


def test_constraints_hold_when_checked_at_once(loaded):
    connection.check_constraints()


def test_counts(loaded):
    assert 1_450 <= Service.objects.count() <= 1_650
    kinds = Counter(Organization.objects.values_list("kind", flat=True))
    assert (kinds["hospital"], kinds["practice"], kinds["icb"]) == (5, 60, 1)
    assert Episode.objects.waiting().count() == 300
    assert 350 <= Referral.objects.count() <= 450
    assert not Episode.objects.waiting().filter(profile=None).exists()
    assert Area.objects.filter(kind=Area.Kind.DISTRICT).count() == 16
    assert Outcode.objects.count() == 72
    assert PoolFact.objects.count() == ServiceCapacity.objects.count()


@pytest.mark.parametrize(("login", "least", "most"), [("manager", 270, 330), ("trustmanager", 45, 80)])
def test_the_number_who_wait_is_level_over_four_weeks(loaded, login, least, most):
    found = dashboard(User.objects.get(email=f"{login}@{logins.DOMAIN}"), AT)
    waiting = [point.waiting for point in found.trend]
    assert len(waiting) == 28
    assert [count for count in waiting if not least <= count <= most] == []
    assert len(set(waiting)) > 5, "level, but alive"


def test_every_care_type_has_services_and_places(loaded):
    codes = set(TaxonomyTerm.objects.of("care-type").values_list("code", flat=True))
    assert set(ServiceCapacity.objects.values_list("care_type__code", flat=True)) == codes


def test_every_status_is_shown(loaded):
    shown = set(ReferralTask.objects.values_list("status", flat=True))
    assert shown == set(Status.values) - {Status.DRAFT}


def test_figures_are_fresh_ageing_old_and_never_told(loaded):
    policy = "care_type__freshness__"
    age = ServiceCapacity.objects.annotate(age=AT - F("reported_at"))
    assert age.filter(age__lt=F(policy + "fresh_for")).count() > 900
    assert age.filter(age__gte=F(policy + "fresh_for"), age__lt=F(policy + "expires_after")).count() > 100
    assert age.filter(age__gte=F(policy + "expires_after")).count() > 50
    assert age.filter(available__isnull=True).count() > 100


def test_nothing_happened_in_the_future(loaded):
    assert not Transition.objects.filter(at__gt=AT).exists()
    assert not CapacityReport.objects.filter(received_at__gt=AT).exists()
    assert not Reservation.objects.filter(state="held", expires_at__lte=AT).exists()
    assert not Transition.objects.filter(at__lt=AT - timedelta(days=15)).exists()


def test_nhs_numbers_are_synthetic_and_each_given_once(loaded):
    numbers = list(Patient.objects.values_list("nhs_number", flat=True))
    assert len(numbers) == len(set(numbers)) > 1_000
    assert all(number.startswith("999") and nhs.is_valid(number) for number in numbers)


def test_telephones_ring_nowhere(loaded):
    numbers = {*Phone.objects.values_list("number", flat=True), *Patient.objects.exclude(phone="").values_list("phone", flat=True)}
    assert numbers
    assert [n for n in numbers if not re.fullmatch(r"01632 960\d{3}|07700 900\d{3}", n)] == []


def test_postcodes_and_addresses_are_nobodys(loaded):
    postcodes = Patient.objects.values_list("postcode", flat=True)
    assert [p for p in postcodes if not (p[-1] in INWARD_LETTERS and p[-2] in INWARD_LETTERS)] == []
    pages = {*Organization.objects.values_list("website", flat=True), *Service.objects.values_list("url", flat=True)}
    assert [page for page in pages if not re.fullmatch(r"https://[a-z0-9-]+\.example\.org/", page)] == []
    mail = {*Organization.objects.values_list("email", flat=True), *User.objects.values_list("email", flat=True)}
    assert [m for m in mail if not m.endswith((".example.org", "@" + logins.DOMAIN))] == []


def test_profiles_use_the_vocabulary(loaded):
    for field, slug in (
        ("care_types", "care-type"),
        ("needs", "need"),
        ("must_haves", "need"),
        ("preferences", "need"),
        ("funding", "funding"),
    ):
        known = set(TaxonomyTerm.objects.of(slug).values_list("code", flat=True))
        used = {code for codes in NeedProfile.objects.values_list(field, flat=True) for code in codes}
        assert used <= known, field


def test_refuges_are_hidden_from_the_public(loaded):
    hidden = Service.objects.filter(is_confidential=True)
    assert hidden.count() == 4
    assert not hidden.filter(organization__is_confidential=False).exists()
    assert not hidden.exclude(service_at_locations__location__is_confidential=True).exists()


@pytest.mark.parametrize("login", logins.LOGINS, ids=lambda login: login.email.split("@")[0])
def test_login_works(loaded, client, login):
    user = User.objects.get(email=login.email)
    assert user.get_full_name() == login.name
    assert str(user.organization or "") == login.organization
    assert client.login(username=login.email, password=logins.PASSWORD)


def test_logins_have_work_to_do(loaded):
    def user(name: str) -> User:
        return User.objects.get(email=f"{name}@{logins.DOMAIN}")

    assert Episode.objects.visible_to(user("discharge")).waiting().count() == 62
    assert Episode.objects.visible_to(user("gp")).waiting().count() == 12
    assert Episode.objects.visible_to(user("linkworker")).waiting().count() == 22
    for name in ("home", "homecare", "charity"):
        tasks = ReferralTask.objects.visible_to(user(name))
        assert tasks.filter(status=Status.REQUESTED).count() == 8, name
        assert tasks.filter(status__in=Status.known_to_provider()).count() >= 8, name
    assert ServiceCapacity.objects.run_by(user("home")).count() == 4
    assert Service.objects.filter(organization=user("charity").organization).count() == 25


def test_teams_cannot_sign_in(loaded, client):
    team = User.objects.filter(email__startswith="team-").first()
    assert not team.has_usable_password()
    assert not client.login(username=team.email, password=logins.PASSWORD)


def test_names_in_history_are_of_the_right_side(loaded):
    """Each step was taken by somebody of the side that may take it."""
    steps = Transition.objects.exclude(by=None).select_related("task__referral", "by")
    wrong = [s.pk for s in steps if s.task.side_of(s.by) not in BY_ACTION[s.action].sides]
    assert wrong == []


def test_loading_twice_says_so(loaded):
    living.load(seed=load.SEED, at=AT)
    out = StringIO()
    call_command("load_demo", stdout=out)
    assert "already loaded" in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_history_cannot_be_rewritten(loaded):
    """The loaded rows are under the same protection as real ones."""
    with pytest.raises(DatabaseError, match="Cannot update rows"):
        Transition.objects.update(reason="x")
