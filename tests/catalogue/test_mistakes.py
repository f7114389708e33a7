"""Somebody says that a record is wrong, and somebody deals with it."""

from datetime import UTC, datetime

import pytest

from catalogue.assurance import handle_mistake, report_mistake
from catalogue.models import MistakeReport, Service
from catalogue.operations import assure, edit_service
from core.errors import Conflict, Invalid, NotFound
from core.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def report(service, **given) -> MistakeReport:
    return report_mistake(**{"service_id": service.pk, "what": "phone", "words": "It rings out.", "reply_to": "", "at": AT, **given})


def test_anybody_says_that_a_public_record_is_wrong():
    service = factories.ServiceFactory()
    made = report(service, reply_to=" me@example.org ")
    assert (made.service, made.what, made.words, made.reply_to) == (service, "phone", "It rings out.", "me@example.org")
    assert made.status == MistakeReport.Status.OPEN
    event = Event.objects.get(type="mistake.reported")
    assert event.audience == [service.organization_id]
    assert "me@example.org" not in str(event.data)


@pytest.mark.parametrize("wrong", [{"what": " ", "words": " "}, {"reply_to": "not an address"}, {"words": "x" * 2001}, {"what": "x" * 41}])
def test_a_report_that_cannot_be_used_is_refused_by_field(wrong):
    with pytest.raises(Invalid) as refused:
        report(factories.ServiceFactory(), **wrong)
    assert refused.value.details["errors"]
    assert not MistakeReport.objects.exists()


@pytest.mark.parametrize(
    "hidden",
    [
        {"is_confidential": True}, {"is_internal": True}, {"status": Service.Status.DEFUNCT}, {"organization__is_confidential": True},
    ],
)  # fmt: skip
def test_a_record_that_the_public_may_not_know_of_takes_no_report(hidden):
    with pytest.raises(NotFound):
        report(factories.ServiceFactory(**hidden))


def test_a_report_is_dealt_with_once_by_a_keeper_or_the_services_own_provider(curator, provider, referrer):
    made = report(factories.ServiceFactory())
    for stranger in (provider, referrer):
        with pytest.raises(NotFound):
            handle_mistake(report_id=made.pk, mended=True, by=stranger, at=AT)
    handle_mistake(report_id=made.pk, mended=True, by=curator, at=AT)
    made.refresh_from_db()
    assert (made.status, made.handled_by, made.handled_at) == ("mended", curator, AT)
    with pytest.raises(Conflict):
        handle_mistake(report_id=made.pk, mended=False, by=curator, at=AT)
    own = report(factories.ServiceFactory(organization=provider.organization))
    assert handle_mistake(report_id=own.pk, mended=False, by=provider, at=AT).status == "dismissed"


@pytest.mark.parametrize("role", ["curator", "administrator"])
def test_a_check_says_by_which_organisation_and_names_no_person(role):
    user = factories.UserFactory(**{role: True}, first_name="Zebedee", last_name="Quillfeather")
    checked, edited = factories.ServiceFactory.create_batch(2)
    assure(service_id=checked.pk, by=user, at=AT)
    edit_service(service_id=edited.pk, by=user, at=AT, description="New")
    expected = user.organization.name if user.organization else "The directory's administrators"
    assert {service.assured_by for service in Service.objects.all()} == {expected}
