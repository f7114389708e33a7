"""What an import changes in entries that are there already, written down as people's changes are: who, when, what, and to be undone."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model

from catalogue.entry import content
from catalogue.entry.content import Content
from catalogue.models import ImportRun, Location, ProposedChange, Service
from core.clock import now

#: By service: what its entry says.
Entries = dict[UUID, Content]


def entries_of(model: type[Model], keys: Iterable[Any]) -> Entries:
    """What the entries say that hang on these records: services, or places and so the services at them; of others, nothing."""
    keys = list(keys)
    if not keys or model not in (Service, Location):
        return {}
    wanted = {"pk__in": keys} if model is Service else {"service_at_locations__location__in": keys}
    return {each.pk: content.read(each) for each in content.for_reading(Service.objects.filter(**wanted).distinct())}


def write_down(run: ImportRun, before: Entries) -> None:
    """Keep what became different since `before`, field by field: as a change that this run made."""
    if not before:
        return
    at = now()
    changes = []
    for service in content.for_reading(Service.objects.filter(pk__in=before)):
        then, live = before[service.pk], content.read(service)
        fields = [name for name in live if live[name] != then[name]]
        if fields:
            changes.append(
                ProposedChange(
                    organization=service.organization,
                    service=service,
                    origin=ProposedChange.Origin.IMPORT,
                    run=run,
                    status=ProposedChange.Status.MADE,
                    content={name: live[name] for name in fields},
                    base={name: then[name] for name in fields},
                    proposed_at=at,
                    decided_at=at,
                )
            )
    ProposedChange.objects.bulk_create(changes, batch_size=500)
