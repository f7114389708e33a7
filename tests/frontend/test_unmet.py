"""The page of unmet need: figures for managers, filters in the address, a file."""

import csv
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from matching.models import Tariff, UnmetNeed
from tests.factories import OrganizationFactory, OutcodeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger():
    OutcodeFactory()
    organization, now = OrganizationFactory(hospital=True), timezone.now()
    for kind, reason, count in (("home-care", "place", 7), ("home-care", "age", 4), ("equipment", "no-service", 5)):
        UnmetNeed.objects.bulk_create(
            UnmetNeed(
                at=now, on=timezone.localdate(), digest=f"{kind}{reason}{number}", care_types=[kind], outcode="PR1", reason=reason,
                in_hospital=True, organization=organization,
            )
            for number in range(count)
        )  # fmt: skip
    Tariff.objects.create(code="home-care", pounds=Decimal("400"))
    Tariff.objects.create(code=Tariff.BED_DAY, pounds=Decimal("395.50"))


def test_rows_with_estimates_and_no_small_number(client, manager, ledger):
    client.force_login(manager)
    page = client.get(reverse("unmet")).content.decode()
    for words in (
        "12</span> needs",
        "1 row of fewer than 5",
        "£2,800",
        "£4,746",
        "counted, on which a hospital looked",
        "PR1, Preston",
        "There being no such service",
        "10 to 19 needs",
    ):
        assert words in page
    assert "The age" not in page.split('id="needs"')[1], "four needs are not told"
    page = client.get(reverse("unmet"), {"care": "equipment"}).content.decode().split('id="needs"')[1]
    assert "Aids, equipment and adaptations" in page
    assert "Home care" not in page
    assert client.get(reverse("unmet"), {"care": "x", "days": "-1", "area": "E99", "page": "9" * 30}).status_code == 200


def test_the_same_rows_as_a_file(client, manager, ledger):
    client.force_login(manager)
    answer = client.get(reverse("unmet-csv"), {"reason": "place"})
    head, *rows = csv.reader(answer.content.decode().splitlines())
    assert (head[0], head[-1]) == ("Kind of service", "Estimate: pounds of hospital beds")
    assert rows == [["Home care", "PR1", "Preston", "A free place", "7", "7", "7", "7", "2800.00", "2768.50"]]
