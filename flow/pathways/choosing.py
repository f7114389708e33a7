"""Which pathway a referral is sent on, and whether what is asked belongs to it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import QuerySet

from capacity.models import ServiceCapacity
from catalogue.models import User
from core.errors import Conflict, Invalid
from flow.models import Pathway, PathwayVersion
from flow.pathways.configuration import answers


def pathways_open_to(user: User) -> list[Pathway]:
    """What one may refer on, by name."""
    return list(Pathway.objects.open_to(user).order_by("name"))


def versions_open_to(user: User) -> QuerySet[PathwayVersion]:
    """The published versions of those."""
    return PathwayVersion.objects.filter(published_at__isnull=False, pathway__in=Pathway.objects.open_to(user).order_by().values("pk"))


def current_versions(user: User) -> list[PathwayVersion]:
    """The newest version of each pathway on which one may refer, by name."""
    newest = versions_open_to(user).order_by("pathway_id", "-number").distinct("pathway_id")
    found = PathwayVersion.objects.filter(pk__in=newest.values("pk"))
    return list(found.select_related("pathway").prefetch_related("services").order_by("pathway__name"))


def fitting(versions: Iterable[PathwayVersion], pool_ids: Iterable[UUID]) -> list[PathwayVersion]:
    """Those to which all of these places belong."""
    rows = _rows(pool_ids)
    return [version for version in versions if not _outside(version, rows)]


def fitting_one(versions: Iterable[PathwayVersion], pool_ids: Iterable[UUID]) -> list[PathwayVersion]:
    """Those to which at least one of these places belongs."""
    rows = _rows(pool_ids)
    return [version for version in versions if any(not _outside(version, [row]) for row in rows)]


def chosen(version_id: UUID | None, by: User) -> PathwayVersion | None:
    """The version that a sender chose. Raises Invalid (`field` pathway) when it is not theirs to choose, Conflict (`newer-version`)."""
    if version_id is None:
        return None
    version = versions_open_to(by).filter(pk=version_id).select_related("pathway").first()
    if version is None:
        raise Invalid("Choose one of the pathways on which your organisation refers.", field="pathway")
    if version.pathway.current != version:
        raise Conflict("This pathway has a newer form. Load the page again; nothing has been sent.", code="newer-version")
    return version


def told(version: PathwayVersion | None, typed: Mapping[str, str] | None, pool_ids: Iterable[UUID]) -> dict[str, str]:
    """What was answered to the questions of a version, for a referral that asks these places. Raises Invalid (with `field`).

    What does not belong to it is sent without the pathway, or as a referral of its own: so what a pathway counts is what it is for.
    """
    if version is None:
        return {}
    require_inside(version, pool_ids, field="pathway", otherwise=", or send without the pathway")
    return answers(version, typed or {})


def require_inside(version: PathwayVersion | None, pool_ids: Iterable[UUID], *, field: str, otherwise: str = "") -> None:
    """Refuse what does not belong to the pathway on which a referral is sent. Raises Invalid."""
    if version is not None and (others := outside(version, pool_ids)):
        raise Invalid(f"{version.pathway.name} does not include {' or '.join(others)}. Leave that out{otherwise}.", field=field)


def outside(version: PathwayVersion, pool_ids: Iterable[UUID]) -> list[str]:
    """The names of those services that are not among a pathway's; none where it names neither services nor kinds of care."""
    return _outside(version, _rows(pool_ids))


def _rows(pool_ids: Iterable[UUID]) -> list[tuple[UUID, str, str | None]]:
    return list(ServiceCapacity.objects.filter(pk__in=list(pool_ids)).values_list("service", "service__name", "care_type__code"))


def _outside(version: PathwayVersion, rows: list[tuple[UUID, str, str | None]]) -> list[str]:
    named, kinds = {service.pk for service in version.services.all()}, set(version.care_types)
    return sorted({name for service, name, kind in rows if (named and service not in named) or (kinds and kind not in kinds)})
