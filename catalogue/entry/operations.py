"""What those who keep an entry do with it: write a draft part by part, publish it, take it back, undo what was made.

A draft belongs to an office, so that colleagues see one another's work. Nobody overwrites what they have not seen: a form names, by its
stamp, the values that it was made from, and a draft keeps for each field what the directory said when it was written.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pghistory
from django.db import transaction

from catalogue import operations as catalogue
from catalogue.entry import content
from catalogue.entry.content import CURATORS_DECIDE, ELIGIBILITY, FIELDS, Content
from catalogue.entry.queries import Entry, entry
from catalogue.models import Organization, ProposedChange, Service, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound

Status = ProposedChange.Status


class Stale(Conflict):
    """Somebody else changed the same values. `details["entry"]` is the entry as it is now, `details["fields"]` those that differ."""

    code = "stale"


@transaction.atomic
def begin(*, by: User, at: datetime, organization_id: UUID | None = None) -> ProposedChange:
    """Begin an entry for a new service of one's own organisation; a curator names any organisation."""
    keeper = by.is_curator or by.is_administrator
    organization = Organization.objects.filter(pk=organization_id).first() if keeper and organization_id else by.organization
    if not (keeper or by.is_provider) or organization is None:
        raise NotAllowed("Only those who run services, or curators of the directory, can add one.")
    return ProposedChange.objects.create(organization=organization, status=Status.DRAFT, proposed_by=by, proposed_at=at)


@transaction.atomic
def save(*, pk: UUID, part: str, values: Mapping[str, Any], seen: str, by: User, at: datetime) -> Entry:
    """Write new values of one part into the draft. A value that is what the directory says anyway leaves the draft.

    Raises Stale when a colleague, a curator or an import changed this part since the form was made; Invalid with `errors` by field.
    """
    work = lock(pk, by)
    if work.waits:
        raise Conflict("This entry waits for a curator. Take it back first, then change it.", code="waiting")
    if work.stamp(part) != seen:
        raise Stale("Somebody else changed this part while you had it open.", entry=work)
    change = work.change or ProposedChange(organization=work.organization, service=work.service, proposed_by=by, content={}, base={})
    if change.status == Status.REFUSED:
        change.status = Status.DRAFT
    _write_down(change, values, work.live)
    change.proposed_by, change.proposed_at = by, at
    if work.service is None or change.content:
        _try(work, change, by, at)
        change.save()
    elif change.pk and not change._state.adding:
        change.delete()
        return replace(work, change=None)
    else:
        return work
    return replace(work, change=change)


def _write_down(change: ProposedChange, values: Mapping[str, Any], live: Content) -> None:
    """Put values into a draft, and what the directory says now beside each."""
    for name, value in values.items():
        value = content.canonical(name, value)
        if value == live[name]:
            change.content.pop(name, None)
            change.base.pop(name, None)
        else:
            change.content[name] = value
            change.base[name] = live[name]


@transaction.atomic
def discard(*, pk: UUID, by: User, at: datetime) -> None:
    """Throw the draft away; the directory stays as it is."""
    work = lock(pk, by)
    if work.change is None or work.change.status == Status.WAITING:
        raise Conflict("There is no draft to throw away. Load the page again.", code="no-draft")
    work.change.delete()


@transaction.atomic
def submit(*, pk: UUID, seen: str, by: User, at: datetime) -> ProposedChange:
    """Publish the draft: make it so, or, where the directory's policy asks for that, hand it to a curator.

    `seen` is the stamp of the whole entry as it was shown. Raises Stale with `fields` when the directory changed under the draft or a
    colleague wrote more; after those were shown, their stamp is the new one.
    """
    work = lock(pk, by)
    if work.change is None or work.change.status != Status.DRAFT:
        raise Conflict("There is nothing to publish. Load the page again.", code="no-draft")
    if whole_stamp(work) != seen:
        raise Stale("Something changed since you looked. Look at it again, then publish.", entry=work)
    require(work.shown)
    change = work.change
    change.base = {name: work.live[name] for name in change.content}
    change.proposed_by, change.proposed_at = by, at
    return settle(work, change, by=by, at=at)


def settle(work: Entry, change: ProposedChange, *, by: User, at: datetime) -> ProposedChange:
    """Make a change, or let it wait for a curator; to be called in a transaction that holds the entry."""
    if needs_approval(by, work.organization, change):
        _try(work, change, by, at)
        change.status = Status.WAITING
        change.save()
        return change
    write(work, change, by=by, at=at)
    change.status, change.decided_by, change.decided_at = Status.MADE, by, at
    change.save()
    return change


def needs_approval(by: User, organization: Organization | None, change: ProposedChange) -> bool:
    """Whether a curator must say yes: the organisation's changes all do, or it touches what curators decide, or nobody knows who asks."""
    if by.is_curator or by.is_administrator:
        return False
    touched = CURATORS_DECIDE & change.content.keys()
    if change.service is None:
        touched -= {"care_type"}  # somebody has to say what a new service is
    return organization is None or organization.edits_need_approval or bool(touched) or change.origin == ProposedChange.Origin.LINK


@transaction.atomic
def take_back(*, pk: UUID, by: User, at: datetime) -> ProposedChange:
    """What waits for a curator, or was refused, becomes a draft again."""
    work = lock(pk, by)
    change = work.change
    if change is None and work.service is not None:
        refused = work.service.proposed_changes.filter(status=Status.REFUSED, origin=ProposedChange.Origin.FORM)
        change = refused.order_by("-decided_at").first()
    if change is None or change.status not in (Status.WAITING, Status.REFUSED):
        raise Conflict("A curator has decided already, or there is nothing to take back. Load the page again.", code="decided")
    change.status, change.proposed_by, change.proposed_at, change.reason = Status.DRAFT, by, at, ""
    change.save()
    return change


@transaction.atomic
def undo(*, change_id: UUID, seen: str, by: User, at: datetime) -> ProposedChange:
    """Put back what stood before a change, as a new change. `seen` is the stamp of those fields as they were shown.

    Raises Stale when they changed since they were shown.
    """
    former = ProposedChange.objects.visible_to(by).filter(pk=change_id, status=Status.MADE).first()
    if former is None or former.service_id is None:
        raise NotFound("There is no such change to undo.")
    work = lock(former.service_id, by)
    fields = [name for name in former.base if name in FIELDS]
    if content.stamp(work.live, fields) != seen:
        raise Stale("Something changed since you looked. Look at it again, then undo.", entry=work)
    if work.change is not None:
        raise Conflict("There is a draft of this entry. Publish it or throw it away first.", code="draft")
    change = ProposedChange(
        organization=work.organization, service=work.service, proposed_by=by, proposed_at=at, undoes=former,
        content={name: former.base[name] for name in fields}, base={name: work.live[name] for name in fields},
    )  # fmt: skip
    return settle(work, change, by=by, at=at)


def require(shown: Content) -> None:
    """What an entry must say before anybody reads it."""
    errors = {}
    if not shown["name"].strip():
        errors["name"] = ["Say what the service is called."]
    if not shown["care_type"]:
        errors["care_type"] = ["Choose the kind of service."]
    if errors:
        raise Invalid("Fill in “Name, contact and what it offers” first.", errors=errors, part="basics")


def whole_stamp(work: Entry) -> str:
    """Names what the whole entry shows and what the directory says, so that a change of either is seen."""
    return content.stamp({"shown": work.shown, "live": work.live}, ["shown", "live"])


def write(work: Entry, change: ProposedChange, *, by: User, at: datetime) -> Service:
    """Make it so in the directory. What the database refuses is told by field."""
    values = {name: value for name, value in change.content.items() if name in FIELDS}
    # The history shows what is made here as one change, not row by row as the database writes it.
    with pghistory.context(entry="yes"):
        service_id = change.service_id
        if service_id is None:
            assert change.organization is not None
            shown = content.empty() | values
            kind = catalogue.care_type(shown["care_type"])
            made = Service(pk=change.pk, organization=change.organization, name=shown["name"], care_type=kind)
            catalogue.save(made)
            service_id, change.service = made.pk, made
            values.pop("care_type", None)
        return catalogue.edit_service(service_id=service_id, by=by, at=at, **as_fields(values, work.live))


def as_fields(values: Mapping[str, Any], live: Content) -> dict[str, Any]:
    """The same values as `edit_service` takes them."""
    fields = {name: value for name, value in values.items() if name not in ELIGIBILITY}
    if ages := {name: value for name, value in values.items() if name in ELIGIBILITY}:
        fields["eligibility"] = {name: live[name] for name in ELIGIBILITY} | ages
    if fields.get("price_week") is not None:
        fields["price_week"] = Decimal(fields["price_week"])
    return fields


def trial(*, pk: UUID, by: User, at: datetime) -> Entry:
    """Write the draft into the directory, for a caller that looks at the result and takes all of it back: it must roll back.

    Raises Invalid when the entry does not say yet what it must.
    """
    work = lock(pk, by)
    if work.change is not None:
        require(work.shown)
        _as_if(work, work.change, by, at)
    return work


def _try(work: Entry, change: ProposedChange, by: User, at: datetime) -> None:
    """Write it and take it back at once: what the directory would refuse is told now, not when it is published."""
    shown = content.empty() | change.content
    if work.service is None and not (shown["name"] and shown["care_type"]):
        return
    with transaction.atomic():
        _as_if(work, change, by, at)
        transaction.set_rollback(True)


def _as_if(work: Entry, change: ProposedChange, by: User, at: datetime) -> None:
    """Write a change as a curator would, without saying that it was made."""
    keeper = User(role=User.Role.CURATOR, organization=by.organization)
    as_made = ProposedChange(pk=change.pk, organization=change.organization, service=change.service, content=change.content)
    write(work, as_made, by=keeper, at=at)


def lock(pk: UUID, by: User) -> Entry:
    """The entry, with nobody else changing it until this transaction ends."""
    Service.objects.owned_by(by).filter(pk=pk).select_for_update(of=("self",), no_key=True).first()
    ProposedChange.objects.visible_to(by).filter(pk=pk).select_for_update(of=("self",)).first()
    work = entry(by, pk)
    if work is None:
        raise NotFound("There is no such entry, or another organisation keeps it.", code="no-such-entry")
    return work
