"""Organisations that deliver a service together: a consortium under one name."""

from collections.abc import Iterable
from uuid import UUID

from catalogue.models import Organization

#: So many are told when a name is not the whole of one.
_MOST = 6


def find_partners(text: str) -> dict[str, str]:
    """Organisations that a name may mean, by id: the one that is called exactly so, or those whose name holds it."""
    known = Organization.objects.filter(is_confidential=False)
    words = " ".join(text.split())
    exact = known.filter(name__iexact=words)[:2]
    found = exact if len(exact) == 1 else known.filter(name__icontains=words)[:_MOST]
    return {str(each.pk): each.name for each in found}


def partner_names(ids: Iterable[str]) -> dict[str, str]:
    """Names by id, for those that everybody may know of."""
    wanted = [pk for pk in ids if _is_uuid(pk)]
    return {str(each.pk): each.name for each in Organization.objects.filter(pk__in=wanted, is_confidential=False)}


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
