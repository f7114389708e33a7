"""Marks of quality: stored with their dates, shown with what they are worth today."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from catalogue.marks import WISHES, marks_of, wishes_mask
from catalogue.models import QualityMark
from tests.factories import ServiceFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 2)


@pytest.mark.req("R221")
@pytest.mark.req("R222")
def test_marks_are_shown_with_their_dates_and_whether_they_still_hold():
    service = ServiceFactory(cqc_rating=3, cqc_rated_on=date(2025, 2, 1))
    give = QualityMark.objects.create
    give(service=service, scheme="qismet", name="QISMET standard", awarded_on=date(2023, 3, 3), expires_on=date(2026, 11, 1))
    give(organization=service.organization, scheme="ncvo", name="Trusted Charity level 1", awarded_on=date(2025, 6, 1), expires_on=TODAY)
    give(service=service, scheme="app-review", name="Review of the app", score="82.50", out_of=100)
    give(service=ServiceFactory(), scheme="ncvo", name="Another's")
    marks = marks_of(service, today=TODAY)
    assert [(mark.scheme, mark.expired) for mark in marks] == [
        ("app-review", False),
        ("cqc", False),
        ("ncvo", False),
        ("qismet", True),
    ]
    assert [mark.words for mark in marks] == [
        "Review of the app: 82.5 of 100",
        "Rated good by the Care Quality Commission, given on 1 February 2025",
        "Trusted Charity level 1, given to the organisation on 1 June 2025, valid until 2 November 2026",
        "QISMET standard, given on 3 March 2023, expired on 1 November 2026",
    ]


def test_a_stored_rating_stands_for_the_inspectors_own():
    service = ServiceFactory(cqc_rating=2)
    QualityMark.objects.create(service=service, scheme="cqc", name="Good", awarded_on=TODAY)
    assert [mark.name for mark in marks_of(service, today=TODAY)] == ["Good"]
    assert marks_of(ServiceFactory(), today=TODAY) == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"expires_on": date(2020, 1, 1), "awarded_on": TODAY}, "cannot expire before"),
        ({"score": 5, "out_of": 4}, "between 0 and the best"),
    ],
)
def test_a_mark_that_cannot_be_is_refused_in_words(fields, says):
    mark = QualityMark(service=ServiceFactory(), scheme="ncvo", name="Level 1", **fields)
    with pytest.raises(ValidationError, match=says):
        mark.full_clean()


def test_wishes_keep_their_bits():
    assert [code for code, _ in WISHES] == ["ncvo", "qismet", "app-review", "cqc"]
    assert wishes_mask(["cqc", "ncvo"]) == 9
    with pytest.raises(KeyError):
        wishes_mask(["stars"])


def test_an_administrator_writes_marks_and_criteria_down(admin_client):
    service = ServiceFactory()
    added = admin_client.post(
        reverse("admin:catalogue_qualitymark_add"),
        {"service": service.pk, "scheme": "ncvo", "name": "Level 1", "awarded_on": "2026-01-01", "expires_on": "2029-01-01"},
    )
    assert added.status_code == 302
    assert QualityMark.objects.get().service == service
    shown = admin_client.get(reverse("admin:catalogue_service_change", args=[service.pk]))
    assert "registrations-0-code" in shown.content.decode() or "registrations-TOTAL_FORMS" in shown.content.decode()
