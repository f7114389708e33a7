"""A directory can leave Lune, or whoever runs it, with everything: what it publishes is all that another one needs to be the same."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalogue.importers.source import run_source
from catalogue.models import Organization, Service, Source, Taxonomy
from tests.factories import ServiceFactory

from .samples import BASE, get, poor_service, rich_service

pytestmark = pytest.mark.django_db

#: What a copy does not take over: when a record was written and whose it is, which it says for itself; marks, which it must see for
#: itself; places free, which change by the minute; partners and papers, which stay where they are.
OWN = {"last_modified", "provenance", "accreditations", "capacities", "partners", "additional_urls"}
OWN_ATTRIBUTES = {"quality_mark", "registration", "partner"}


def said(document: dict[str, Any]) -> Any:
    """What a document says, whatever ids its parts have and in whichever order they stand."""

    def plain(value: Any, depth: int = 0) -> Any:
        if isinstance(value, dict):
            return {k: plain(v, depth + 1) for k, v in value.items() if not (depth and (k == "id" or k.endswith("_id")))}
        if isinstance(value, list):
            return sorted((plain(each, depth + 1) for each in value), key=str)
        return value.strip() if isinstance(value, str) else value

    document = {name: value for name, value in document.items() if name not in OWN}
    document |= {name: document[name].split("; ") for name in ("fees", "fees_description") if name in document}
    document["attributes"] = [a for a in document.get("attributes", []) if a["link_type"] not in OWN_ATTRIBUTES]
    document["organization"] = {k: v for k, v in document["organization"].items() if k != "organization_identifiers"}
    return plain(document)


def export(to: Path) -> dict[str, dict[str, Any]]:
    """The whole open directory, as anybody may copy it: no key, no contract."""
    answer = Client().get(f"{BASE}/services", {"format": "ndjson", "full": "true"})
    to.write_bytes(b"".join(answer.streaming_content))
    return {document["id"]: said(get(f"/services/{document['id']}")) for document in get("/services")["contents"]}


@pytest.mark.req("R109")
def test_a_directory_copied_into_an_empty_lune_says_the_same(tmp_path):
    rich_service(), poor_service(), ServiceFactory(name="Larkspur refuge", is_confidential=True)
    here = export(tmp_path / "directory.ndjson")
    Service.objects.all().delete()
    Organization.objects.all().delete()
    Taxonomy.objects.filter(slug__startswith="feed-").delete()
    source = Source.objects.create(name="The directory before", kind=Source.Kind.ORUK_3)
    run = run_source(source, path=tmp_path / "directory.ndjson", whole=True).run
    assert (run.rejected, run.incomplete) == (0, 0)
    there = export(tmp_path / "again.ndjson")
    assert there.keys() == here.keys()
    for identity, document in here.items():
        assert there[identity] == document
    assert "Larkspur" not in (tmp_path / "again.ndjson").read_text()
