"""Questions about doubles that more than one page asks."""

from uuid import UUID

from django.db.models import QuerySet

from catalogue.models import DuplicateCandidate, DuplicateSearch, Merge, Service

from . import fields


def successor(service_id: UUID, user) -> UUID | None:
    """Where a record that was merged away is found now, however often that one was merged again; None when `user` may not see it."""
    seen = {service_id}
    here = Service.objects.filter(pk=service_id).values_list("merged_into_id", flat=True).first()
    if here is None:
        return None
    while here not in seen:
        seen.add(here)
        further = Service.objects.filter(pk=here).values_list("merged_into_id", flat=True).first()
        if further is None:
            return here if Service.objects.visible_to(user).filter(pk=here).exists() else None
        here = further
    return None


def waiting(user) -> QuerySet[DuplicateCandidate]:
    """Pairs for a keeper to look at, the surest first, without those of which one has gone since."""
    pairs = DuplicateCandidate.objects.visible_to(user).filter(one__merged_into=None, other__merged_into=None)
    return pairs.select_related("one__organization", "other__organization")


def last_search() -> DuplicateSearch | None:
    return DuplicateSearch.objects.exclude(finished_at=None).first()


def news(merge: Merge) -> dict[str, list[dict]]:
    """What the source of the record that went has said since, in the fields that were chosen from it."""
    found = {}
    for name, value in merge.chosen.items():
        now = fields.said(merge.gone, name)
        if now != value:
            found[name] = now
    return found
