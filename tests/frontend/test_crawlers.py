"""What search engines are told."""

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_the_map_of_the_site_has_every_public_service_and_no_other(client):
    shown = factories.ServiceFactory()
    hidden = [factories.ServiceFactory(is_confidential=True), factories.ServiceFactory(is_internal=True)]
    index = client.get(reverse("sitemap")).content.decode()
    assert "sitemap-services.xml" in index
    listed = client.get(reverse("sitemap-part", args=["services"])).content.decode()
    assert reverse("service", args=[shown.pk]) in listed
    assert [service for service in hidden if str(service.pk) in listed] == []
    assert reverse("diary") in client.get(reverse("sitemap-part", args=["pages"])).content.decode()


def test_links_for_one_person_and_pages_behind_the_sign_in_are_not_for_them(client):
    told = client.get(reverse("robots")).content.decode()
    assert "Disallow: /still-correct/" in told
    assert "Disallow: /patients/" in told
    assert told.rstrip().endswith("/sitemap.xml")
