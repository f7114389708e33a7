"""What a curator does with what others propose, and how a group that nobody knows yet asks to be added."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction

from catalogue.entry import content
from catalogue.entry.attachments import discard
from catalogue.entry.content import FIELDS, Content
from catalogue.entry.operations import Stale, require, write
from catalogue.entry.queries import Entry
from catalogue.models import Attachment, Organization, ProposedChange, Service, User
from core.errors import Conflict, Invalid, NotAllowed, NotFound

Status = ProposedChange.Status
#: What a group writes when it asks to be added, each with the longest it may be.
GROUP_FIELDS = {"name": 255, "what": 2_000, "where": 300, "when": 300, "interest": 100, "contact": 200, "email": 254, "phone": 40}
LONGEST_REASON = 500


def proposed(change: ProposedChange, live: Content) -> Content:
    """The values that a proposal would give the entry's fields, whoever wrote them and in whatever form."""
    written = change.content
    values = {name: value for name, value in written.items() if name in FIELDS}
    if change.origin == ProposedChange.Origin.LINK and written.get("phone"):
        others = [row for row in live["phones"][1:] if row["number"] != written["phone"]]
        first = live["phones"][0]["description"] if live["phones"] else ""
        values["phones"] = [{"number": written["phone"], "description": first}, *others]
    if change.service_id is None and change.organization_id is None:
        if written.get("what"):
            values["description"] = written["what"]
        if written.get("phone"):
            values["phones"] = [{"number": written["phone"], "description": ""}]
    return {name: content.canonical(name, value) for name, value in values.items()}


def in_words(change: ProposedChange) -> dict[str, str]:
    """What a proposal says that is no field: a curator reads it and puts it where it belongs."""
    taken = {"phone", "what"} if change.origin == ProposedChange.Origin.LINK or change.organization_id is None else set()
    return {name: str(value) for name, value in change.content.items() if value and name not in FIELDS and name not in taken}


def proposal(user: User, pk: UUID) -> tuple[ProposedChange, Entry] | None:
    """A proposal with the entry that it is about, for a curator; None when there is none."""
    if not (user.is_curator or user.is_administrator):
        return None
    change = ProposedChange.objects.visible_to(user).exclude(status=Status.DRAFT).filter(pk=pk)
    found = change.select_related("organization", "service", "proposed_by", "decided_by").first()
    return None if found is None else (found, _entry(found))


def _entry(change: ProposedChange) -> Entry:
    service = content.for_reading(Service.objects.filter(pk=change.service_id)).first() if change.service_id else None
    live = content.read(service) if service else content.empty()
    return Entry(change.service_id or change.pk, change.organization, service, change, live)


def seen_stamp(change: ProposedChange, live: Content) -> str:
    """Names what the curator compared: the proposal, and the directory's values of the same fields."""
    values = proposed(change, live)
    return content.stamp({"proposed": values, "live": {name: live[name] for name in values}}, ["proposed", "live"])


@transaction.atomic
def approve(*, pk: UUID, seen: str, by: User, at: datetime, organization_id: UUID | None = None, care_type: str = "") -> ProposedChange:
    """Make what was proposed. For a group that the directory does not know, `organization_id` says whose it is; none makes a new one.

    Raises Stale when the directory changed under the proposal since the curator looked; Conflict when it is decided already.
    """
    change = _waiting(pk, by)
    if change.service_id:
        Service.objects.filter(pk=change.service_id).select_for_update(of=("self",), no_key=True).first()
    work = _entry(change)
    if seen_stamp(change, work.live) != seen:
        raise Stale("The entry changed since you looked. Compare again, then decide.", entry=work)
    values = proposed(change, work.live)
    if change.organization is None:
        change.organization = _organization(change, organization_id)
    if change.service is None:
        values |= {"care_type": care_type} if care_type else {}
        require(content.empty() | values)
    made = ProposedChange(pk=change.pk, organization=change.organization, service=change.service, content=values)
    change.service = write(work, made, by=by, at=at)
    change.content = change.content | values
    change.base = {name: work.live[name] for name in values}
    for attachment in Attachment.objects.filter(pk__in=change.content.get("attachments", []), service=change.service):
        attachment.is_shown = True
        attachment.save(update_fields=["is_shown"])
    return _decide(change, Status.MADE, by, at)


@transaction.atomic
def refuse(*, pk: UUID, reason: str, by: User, at: datetime) -> ProposedChange:
    """Say no, and why: whoever proposed it reads the reason and may change it and ask again."""
    change = _waiting(pk, by)
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why, so that they can put it right.", errors={"reason": ["Say why, so that they can put it right."]})
    if len(reason) > LONGEST_REASON:
        raise Invalid("That is too long.", errors={"reason": [f"Keep the reason to {LONGEST_REASON} characters."]})
    change.reason = reason
    for attachment in Attachment.objects.filter(pk__in=change.content.get("attachments", []), is_shown=False):
        discard(attachment)
    return _decide(change, Status.REFUSED, by, at)


def _waiting(pk: UUID, by: User) -> ProposedChange:
    if not (by.is_curator or by.is_administrator):
        raise NotAllowed("Only curators of the directory decide about proposals.")
    change = ProposedChange.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=pk).first()
    if change is None:
        raise NotFound("There is no such proposal.")
    if change.status != Status.WAITING:
        raise Conflict(f"This is decided already: {change.get_status_display().lower()}. Nothing was changed.", code="decided")
    return change


def _organization(change: ProposedChange, organization_id: UUID | None) -> Organization:
    if organization_id is not None:
        known = Organization.objects.filter(pk=organization_id).first()
        if known is None:
            text = "That organisation is not in the directory. Choose again."
            raise Invalid(text, errors={"organization": [text]})
        return known
    said = change.content
    return Organization.objects.create(
        name=said["name"], description=said.get("what", ""), kind=Organization.Kind.CHARITY, email=said.get("email", "")
    )


def _decide(change: ProposedChange, status: str, by: User, at: datetime) -> ProposedChange:
    change.status, change.decided_by, change.decided_at = status, by, at
    change.save()
    return change


@transaction.atomic
def register_group(*, values: Mapping[str, Any], at: datetime) -> ProposedChange:
    """A group without an account asks to be added. Nothing is published until a curator has looked at it.

    `values` has the names of `GROUP_FIELDS`. Raises Invalid with `errors` by field.
    """
    said = {name: str(values.get(name, "")).strip() for name in GROUP_FIELDS}
    errors: dict[str, list[str]] = {
        name: [f"Keep this to {longest:,} characters."] for name, longest in GROUP_FIELDS.items() if len(said[name]) > longest
    }
    for name, text in {"name": "Say what the group is called.", "what": "Say what the group does.", "where": "Say where it meets."}.items():
        if not said[name]:
            errors[name] = [text]
    try:
        EmailValidator()(said["email"])
    except ValidationError:
        errors["email"] = ["Write an e-mail address that we can answer to, like name@example.org."]
    if errors:
        raise Invalid("Some of this is missing or too long.", errors=errors)
    return ProposedChange.objects.create(
        organization=None, status=Status.WAITING, content={name: text for name, text in said.items() if text}, proposed_at=at
    )
