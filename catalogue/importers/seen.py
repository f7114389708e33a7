"""What each source said about each of its services, and when: kept with every import (`SourceRecord`).

Nothing that a source no longer has is deleted. What two whole crawls in a row did not have becomes inactive, and comes back with
its source.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from catalogue import models as m
from catalogue.models.taxonomy import LANGUAGE
from core.clock import now

from . import bulk
from .run import Importing
from .values import dicts
from .write import BATCH, Record, clean


def content(record: Record, raw: dict[str, Any], terms: Sequence[str] = ()) -> dict[str, Any]:
    """What was understood of a service, by field, as text, numbers and lists of text. What was not said is left out."""
    service = record.instance
    by_kind: dict[str, list[Any]] = {}
    for part in record.children:
        by_kind.setdefault(part._meta.model_name, []).append(part)
    ages = next(iter(by_kind.get("eligibility", [])), None)
    organization = raw.get("organization") if isinstance(raw.get("organization"), dict) else {}
    addresses = [
        address
        for at in dicts(raw.get("service_at_locations"))
        if isinstance(at.get("location"), dict)
        for address in dicts(at["location"].get("addresses"))
    ]
    criteria = by_kind.get("eligibilitycriterion", [])
    said = {
        "name": service.name,
        "alternate_name": service.alternate_name,
        "organization": clean(organization.get("name")) if organization else "",
        "description": service.description,
        "url": service.url,
        "email": service.email,
        "status": service.status,
        "care_type": service.care_type.name if service.care_type else "",
        "assured_date": service.assured_date.isoformat() if service.assured_date else "",
        "minimum_age": ages.minimum_age if ages else None,
        "maximum_age": ages.maximum_age if ages else None,
        "eligibility": ages.notes if ages else "",
        "phones": [phone.number for phone in by_kind.get("phone", [])],
        "cost_options": [_price(cost) for cost in by_kind.get("costoption", [])],
        "schedules": [_hours(when) for when in by_kind.get("schedule", [])],
        "service_areas": [area.name for area in by_kind.get("servicearea", []) if area.name],
        "languages": [c.term.name for c in criteria if c.term.taxonomy.slug == LANGUAGE],
        "needs": [c.term.name for c in criteria if c.term.taxonomy.slug != LANGUAGE and c.rule != c.Rule.EXCLUDED],
        "taxonomy_terms": sorted(terms),
        "addresses": [", ".join(filter(None, (clean(a.get(k)) for k in _ADDRESS))) for a in addresses],
        "postcodes": [code for a in addresses if (code := clean(a.get("postal_code")))],
    }
    return {name: value for name, value in said.items() if value not in ("", None, [])}


_ADDRESS = ("address_1", "address_2", "city", "state_province", "postal_code")


def _price(cost: m.CostOption) -> str:
    money = f"£{cost.amount}" if cost.currency == "GBP" else f"{cost.amount} {cost.currency}"
    return " ".join(filter(None, (cost.option, money if cost.amount is not None else "", cost.amount_description)))


def _hours(when: m.Schedule) -> str:
    hours = f"{when.opens_at:%H:%M}–{when.closes_at:%H:%M}" if when.opens_at and when.closes_at else ""
    return " ".join(filter(None, (when.byday or when.get_freq_display(), hours, when.description)))


def remember(source: m.Source, records: Sequence[Record]) -> None:
    """Write down that the source has these services now, and what it says of them where that is new."""
    at = now()
    before = {
        foreign: (pk, digest)
        for foreign, pk, digest in _records(source)
        .filter(foreign_id__in=[record.instance.source_id for record in records])
        .values_list("foreign_id", "pk", "content_hash")
    }
    new: list[m.SourceRecord] = []
    changed: list[m.SourceRecord] = []
    same: list[int] = []
    for record in records:
        foreign = record.instance.source_id
        digest = hashlib.sha256(json.dumps(record.content, sort_keys=True).encode()).hexdigest()
        pk, old = before.get(foreign, (None, ""))
        if pk is not None and old == digest:
            same.append(pk)
            continue
        (changed if pk else new).append(
            m.SourceRecord(
                pk=pk,
                source=source,
                kind=m.SourceRecord.Kind.SERVICE,
                foreign_id=foreign,
                service_id=record.instance.pk,
                content=record.content,
                content_hash=digest,
                first_seen_at=at,
                fetched_at=at,
                last_seen_at=at,
            )
        )
    bulk.insert(m.SourceRecord, new)
    m.SourceRecord.objects.bulk_update(
        changed, ["service", "content", "content_hash", "fetched_at", "last_seen_at", "missing_since"], batch_size=BATCH
    )
    m.SourceRecord.objects.filter(pk__in=same).update(last_seen_at=at, missing_since=None)


def still_there(source: m.Source, foreign_ids: Iterable[str]) -> None:
    """Write down that the source has these, although what it says of them could not be used."""
    _records(source).filter(foreign_id__in={text for text in foreign_ids if text}).update(last_seen_at=now(), missing_since=None)


def miss(source: m.Source, importing: Importing, since: datetime) -> None:
    """After a whole crawl that began at `since`: mark what it did not have; what the one before did not have either becomes inactive."""
    gone = _records(source).filter(last_seen_at__lt=since)
    again = gone.filter(missing_since__isnull=False)
    services = m.Service.objects.filter(source_records__in=again, status=m.Service.Status.ACTIVE, source=source.name)
    # Without its hash the record is written anew when it comes back.
    lost = services.exclude(kept_fields__contains=["status"]).update(status=m.Service.Status.INACTIVE, source_hash="", modified_at=now())
    first = gone.filter(missing_since=None).update(missing_since=now())
    if lost:
        importing.count("services", changed=lost)
        importing.skip("was in neither of two whole crawls: it is inactive now", lost)
    if first:
        importing.skip("is no longer in the source: it stays for one more crawl", first)


def _records(source: m.Source) -> QuerySet[m.SourceRecord]:
    return m.SourceRecord.objects.filter(source=source, kind=m.SourceRecord.Kind.SERVICE)
