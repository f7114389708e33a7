"""One kind of referral for everybody: who sends, and to whom."""

import pytest
from django.utils import timezone
from procrastinate.contrib.django import app

from capacity.tasks import expire_holds
from catalogue.models import Organization
from core.errors import NotAllowed
from flow import operations, queries
from flow.workflow import Status
from tests.factories import NeedProfileFactory, OrganizationFactory, PoolFactory, ServiceFactory, UserFactory, term
from tests.flow.helpers import provider_of, send

pytestmark = pytest.mark.django_db

Kind = Organization.Kind


@pytest.mark.parametrize(
    ("care_type", "kind"),
    [
        pytest.param("debt-advice", Kind.CHARITY, marks=pytest.mark.req("R021"), id="financial"),
        pytest.param("arts-and-nature", Kind.CHARITY, marks=pytest.mark.req("R021"), id="community project"),
        pytest.param("befriending", Kind.CHARITY, marks=pytest.mark.req("R021"), id="charity"),
        pytest.param("live-in-care", Kind.PROVIDER, marks=pytest.mark.req("R021"), id="private sector"),
        pytest.param("reablement", Kind.COUNCIL, marks=[pytest.mark.req("R021"), pytest.mark.req("R038")], id="social services"),
        pytest.param("home-general-nursing", Kind.PROVIDER, marks=pytest.mark.req("R038"), id="care home"),
        pytest.param("physiotherapy", Kind.NHS_COMMUNITY, marks=pytest.mark.req("R038"), id="physiotherapy"),
        pytest.param("hospice-inpatient", Kind.CHARITY, marks=pytest.mark.req("R038"), id="hospice"),
    ],
)
def test_any_kind_of_service_can_be_asked_and_can_say_yes(referrer, care_type, kind):
    service = ServiceFactory(organization=OrganizationFactory(kind=kind), care_type=term("care-type", care_type))
    pool = PoolFactory(service=service)
    task = send(referrer, [pool]).tasks.get()
    answerer = provider_of(pool)
    operations.accept(task_id=task.pk, by=answerer, at=timezone.now())
    operations.start(task_id=task.pk, by=answerer, at=timezone.now())
    task.refresh_from_db()
    assert task.status == Status.IN_PROGRESS


@pytest.mark.req("R037")
def test_hospital_practice_and_council_refer_to_the_same_place_and_see_only_their_own():
    pool = PoolFactory()
    teams = [UserFactory(organization=OrganizationFactory(kind=kind)) for kind in (Kind.HOSPITAL, Kind.PRACTICE, Kind.COUNCIL)]
    for team in teams:
        send(team, [pool])
    lines = queries.inbox(provider_of(pool))
    assert {line.sender_kind for line in lines} == {"Hospital", "General practice", "Council"}
    for team in teams:
        own = {line.task for line in lines if line.sender_name == team.organization.name}
        assert set(team.organization.sent_referrals.visible_to(team).values_list("tasks", flat=True)) == own


@pytest.mark.req("R046")
def test_a_link_worker_refers_a_charity_answers_and_a_commissioner_sees_the_figures():
    worker = UserFactory(organization=OrganizationFactory(practice=True))
    service = ServiceFactory(organization=OrganizationFactory(charity=True), care_type=term("care-type", "befriending"))
    pool = PoolFactory(service=service)
    commissioner = UserFactory(manager=True)
    task = send(worker, [pool]).tasks.get()
    operations.accept(task_id=task.pk, by=provider_of(pool), at=timezone.now())
    counts = {row.status: row.count for row in queries.dashboard(commissioner, timezone.now()).referrals}
    assert counts["accepted"] == 1
    for other in (commissioner, provider_of(pool)):
        with pytest.raises(NotAllowed):
            send(other, [pool], patient=task.referral.patient)


def test_the_worker_knows_the_clocks_work():
    periodic = {task.task.name: task.cron for task in app.periodic_registry.periodic_tasks.values()}
    assert periodic[expire_holds.name] == "* * * * *"


def test_a_profile_is_one_of_the_senders_own(referrer):
    """A search is personal data: another team's cannot be sent, nor seen."""
    foreign = NeedProfileFactory()
    assert not type(foreign).objects.visible_to(referrer).exists()
    assert type(foreign).objects.visible_to(UserFactory(organization=foreign.organization)).get() == foreign
