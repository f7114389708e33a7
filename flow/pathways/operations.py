"""What administrators do with pathways: make one, change a draft, publish it. What was published stays as it was."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from catalogue.models import Organization, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from flow.models import Hub, Pathway, PathwayVersion
from flow.pathways.configuration import Configuration, require_sound


@transaction.atomic
def start(*, code: str, name: str, for_whom: str, by: User, at: datetime) -> PathwayVersion:
    """A new pathway and its first draft. Nobody can refer on it until that is published."""
    _require_administrator(by)
    pathway = Pathway(code=code.strip(), name=name.strip(), for_whom=for_whom.strip(), created_at=at)
    _clean(pathway)
    pathway.save(force_insert=True)
    return PathwayVersion.objects.create(pathway=pathway, number=1, created_at=at, created_by=by)


@transaction.atomic
def draft(*, pathway_id: UUID, by: User, at: datetime) -> PathwayVersion:
    """The draft of a pathway: the one that there is, or a copy of the newest version."""
    _require_administrator(by)
    pathway = Pathway.objects.select_for_update().filter(pk=pathway_id).first()
    if pathway is None:
        raise NotFound("There is no such pathway.")
    newest = pathway.versions.order_by("-number").first()
    assert newest is not None  # `start` makes the first
    if newest.published_at is None:
        return newest
    copy = PathwayVersion.objects.create(
        pathway=pathway,
        number=newest.number + 1,
        questions=newest.questions,
        steps=newest.steps,
        care_types=newest.care_types,
        outcome_tools=newest.outcome_tools,
        outcome_days=newest.outcome_days,
        role_names=newest.role_names,
        created_at=at,
        created_by=by,
    )
    copy.services.set(newest.services.all())
    return copy


@transaction.atomic
def change(
    *,
    version_id: UUID,
    configuration: Configuration,
    name: str,
    for_whom: str,
    hub_ids: list[UUID],
    note: str,
    by: User,
    at: datetime,
    organization_ids: list[UUID] | None = None,
) -> PathwayVersion:
    """Write what a draft says. Name, description, hubs and who refers on it are the pathway's own and hold at once.

    `organization_ids`: who may refer on it; an empty list: everybody; None leaves that as it is.
    """
    _require_administrator(by)
    version = _draft(version_id)
    require_sound(configuration)
    for field, value in configuration.stored().items():
        setattr(version, field, value)
    version.note = note.strip()
    version.save()
    pathway = version.pathway
    pathway.name, pathway.for_whom = name.strip(), for_whom.strip()
    _clean(pathway)
    pathway.save(update_fields=["name", "for_whom"])
    hubs = list(Hub.objects.visible_to(by).filter(pk__in=hub_ids))
    if len(hubs) < len(set(hub_ids)):
        raise Invalid("One of these hubs is no longer there. Choose again.", field="hubs")
    pathway.hubs.set(hubs)
    if organization_ids is not None:
        chosen = list(Organization.objects.visible_to(by).filter(pk__in=organization_ids))
        if len(chosen) < len(set(organization_ids)):
            raise Invalid("One of these organisations is no longer there. Choose again.", field="organizations")
        pathway.organizations.set(chosen)
    return version


@transaction.atomic
def publish_version(*, version_id: UUID, by: User, at: datetime) -> PathwayVersion:
    """From now on referrals carry this version. Those that were sent keep theirs."""
    _require_administrator(by)
    version = _draft(version_id)
    version.published_at, version.published_by = at, by
    version.save(update_fields=["published_at", "published_by"])
    return version


@transaction.atomic
def set_in_use(*, pathway_id: UUID, is_active: bool, by: User, at: datetime) -> Pathway:
    """Take a pathway out of use, or bring it back. Referrals on it go on."""
    _require_administrator(by)
    pathway = Pathway.objects.select_for_update().filter(pk=pathway_id).first()
    if pathway is None:
        raise NotFound("There is no such pathway.")
    pathway.is_active = is_active
    pathway.save(update_fields=["is_active"])
    return pathway


def _draft(version_id: UUID) -> PathwayVersion:
    version = PathwayVersion.objects.select_for_update(of=("self",)).select_related("pathway").filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such version.")
    if version.published_at is not None:
        raise Conflict("This version is published and stays as it is. Start a new one.", code="published")
    return version


def _require_administrator(by: User) -> None:
    if not by.is_administrator:
        raise NotAllowed("Pathways are set up by an administrator.")


def _clean(pathway: Pathway) -> None:
    try:
        pathway.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Invalid(messages[0], field=field) from error
