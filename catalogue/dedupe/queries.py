"""Questions about doubles that more than one page asks."""

from uuid import UUID

from django.db.models import Count, Q, QuerySet

from catalogue.models import Address, DuplicateCandidate, DuplicateSearch, Merge, Service, ServiceAtLocation, SourceRecord

from . import fields


def successor(service_id: UUID, user) -> UUID | None:
    """Where a record that was merged away is found now, however often that one was merged again; None when `user` may not see it."""
    seen = {service_id}
    old = Service.objects.filter(pk=service_id)
    if not (getattr(user, "is_authenticated", False) and user.is_professional):  # a secret record is no more heard of than before
        old = old.filter(is_confidential=False, is_internal=False, organization__is_confidential=False)
    here = old.values_list("merged_into_id", flat=True).first()
    if here is None:
        return None
    while here not in seen:
        seen.add(here)
        further = Service.objects.filter(pk=here).values_list("merged_into_id", flat=True).first()
        if further is None:
            return here if Service.objects.visible_to(user).filter(pk=here).exists() else None
        here = further
    return None


def to_decide(user) -> QuerySet[DuplicateCandidate]:
    """Pairs for a keeper to look at, the surest first, without open ones of which one has gone since."""
    whole = Q(one__merged_into=None, other__merged_into=None) | ~Q(decision=DuplicateCandidate.Decision.OPEN)
    pairs = DuplicateCandidate.objects.visible_to(user).filter(whole)
    return pairs.select_related("one__organization", "other__organization", "decided_by").order_by("-score", "pk")


def next_after(pair: DuplicateCandidate, user) -> DuplicateCandidate | None:
    """The next open pair of the queue, from the beginning again after its end; None when there is no other."""
    waiting = to_decide(user).filter(decision=DuplicateCandidate.Decision.OPEN).exclude(pk=pair.pk)
    later = waiting.filter(Q(score__lt=pair.score) | Q(score=pair.score, pk__gt=pair.pk))
    return later.first() or waiting.first()


def progress(user) -> dict[str, int]:
    """How many pairs wait, were merged, and are two services."""
    counts = dict(to_decide(user).order_by().values_list("decision").annotate(Count("pk")))
    return {decision: counts.get(decision, 0) for decision in DuplicateCandidate.Decision.values}


def publishers() -> list[str]:
    """Who publishes services that stand in a pair."""
    one, other = (
        DuplicateCandidate.objects.exclude(**{f"{end}__source": ""}).values_list(f"{end}__source", flat=True) for end in ("one", "other")
    )
    return sorted(set(one.distinct()) | set(other.distinct()))


def within(pairs: QuerySet[DuplicateCandidate], district: str) -> QuerySet[DuplicateCandidate]:
    """Those of which a service is in that town or postcode district."""
    there = Address.objects.filter(Q(postal_code__istartswith=f"{district} ") | Q(postal_code__iexact=district) | Q(city__iexact=district))
    services = ServiceAtLocation.objects.filter(location__in=there.values("location")).values("service")
    return pairs.filter(Q(one__in=services) | Q(other__in=services))


def sources_of(service: Service) -> QuerySet[SourceRecord]:
    """What each publisher last said of a service, and of those that were merged into it."""
    records = SourceRecord.objects.filter(Q(service=service) | Q(service__merged_into=service), kind=SourceRecord.Kind.SERVICE)
    return records.select_related("source").order_by("source__name", "pk")


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
