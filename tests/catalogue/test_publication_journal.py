"""The journal of what was published: kept by the database itself, whoever writes, and never saying that a secret exists."""

import itertools
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue.models import Area, Attachment, Organization, PublicationChange, Service, Source, Taxonomy, TaxonomyTerm
from tests.catalogue.publishing.samples import get, rich_service
from tests.factories import OrganizationFactory, ServiceFactory

pytestmark = pytest.mark.django_db


def test_the_triggers_and_the_queryset_agree_on_what_is_public():
    hiding = {"status": ["active", "inactive"], "is_confidential": [False, True], "is_internal": [False, True]}
    master = ServiceFactory()
    for secret, merged in itertools.product([False, True], [None, master]):
        organization = OrganizationFactory(is_confidential=secret)
        for values in itertools.product(*hiding.values()):
            ServiceFactory(organization=organization, merged_into=merged, **dict(zip(hiding, values, strict=True)))
    told = set(PublicationChange.objects.filter(is_public=True).values_list("pk", flat=True))
    assert told == set(Service.objects.public().values_list("pk", flat=True))
    assert len(told) == 2
    assert not PublicationChange.objects.filter(is_public=False).exists()


#: Columns of a service that no document shows, or that say how a row was written: a change of these alone is none.
NOT_SHOWN = {"id", "kept_fields", "source_hash", "created_at", "modified_at"}
#: Tables that are read and tell nothing: who told a figure is not in the document.
STANDING = {"catalogue_user", "catalogue_publicationchange"}


def test_each_column_of_a_service_that_is_shown_is_watched():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('catalogue_on_service'::regproc)")
        watching = cursor.fetchone()[0]
    columns = {field.column for field in Service._meta.concrete_fields} - NOT_SHOWN
    assert {column for column in columns if f"n.{column}" not in watching} == set()


def test_each_table_that_a_document_is_made_from_tells_of_its_changes():
    service = rich_service()
    with CaptureQueriesContext(connection) as queries:
        get(f"/services/{service.pk}")
    read = set(re.findall(r'(?:FROM|JOIN) "(catalogue_\w+)"', " ".join(query["sql"] for query in queries))) - STANDING
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE 'publish_%'")
        watched = {table for (table,) in cursor.fetchall()}
    assert len(read) > 15
    assert read - watched == set()


def changed_after(work) -> set:
    """Services that the journal moves to the end when `work` is done."""
    PublicationChange.objects.update(xid="1")
    work()
    return set(PublicationChange.objects.exclude(xid="1").values_list("pk", flat=True))


def test_every_other_name_that_a_document_shows_raises_its_service_alone():
    service, other = rich_service(), ServiceFactory(care_type=None)
    partner = service.partners.get(name="Ribble Carers")
    area = service.service_areas.get(area__name="Preston").area
    wheelchair = TaxonomyTerm.objects.filter(taxonomy__slug="need", code="wheelchair")
    works = {
        "partner renamed": lambda: Organization.objects.filter(pk=partner.pk).update(name="Ribble Friends"),
        "partner hidden": lambda: Organization.objects.filter(pk=partner.pk).update(is_confidential=True),
        "partner gone": lambda: service.partners.remove(partner),
        "partner come": lambda: service.partners.add(partner),
        "area renamed": lambda: Area.objects.filter(pk=area.pk).update(name="Great Preston"),
        "list renamed": lambda: Taxonomy.objects.filter(slug="need").update(name="Wishes"),
        "term moved": lambda: wheelchair.update(group="Other"),
        "paper shown": lambda: Attachment.objects.filter(title="Canary photo").update(is_shown=True),
        "paper gone": lambda: Attachment.objects.filter(title="Price list").delete(),
        "source renamed": lambda: Source.objects.filter(name="Grove feed").update(name="Another feed"),
        "source named so again": lambda: Source.objects.create(name="Grove feed", kind=Source.Kind.ORUK_3),
    }
    told = {name: changed_after(work) for name, work in works.items()}
    assert told == {name: {service.pk} for name in works}
    # What no document shows raises nobody: an outline that was drawn anew, synonyms.
    assert changed_after(lambda: Area.objects.update(parent_code="E12000002")) == set()
    assert changed_after(lambda: TaxonomyTerm.objects.update(synonyms=["x"])) == set()
    assert changed_after(lambda: Service.objects.filter(pk=other.pk).update(name="Other")) == {other.pk}
