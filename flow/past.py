"""What was changed of a record, by whom and when: read from the history that the database keeps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from catalogue.models import User
from flow.models import Episode, Patient, RelatedPerson

#: Said by the other columns of a change, or nobody's business.
_SILENT = {
    "id", "version", "changed_at", "changed_by", "created_at", "created_by", "organization", "patient", "profile", "nhs_checked_by",
}  # fmt: skip


#: When, whose id, what, and of each field its name, what it said before and after.
Found = tuple[datetime, UUID | None, str, tuple[tuple[str, str, str], ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: of each field what it said before and after, as the record's choices word it."""

    at: datetime
    by: str
    what: str
    fields: tuple[tuple[str, str, str], ...]


def changes_of(patient: Patient) -> list[Change]:
    """Changes of a person's record, of their stays and of who is around them, the newest first. Recording them is the first."""
    found = _changes(patient, "The person")
    for stay in Episode.objects.filter(patient=patient):
        found += _changes(stay, f"{stay.get_kind_display()}")
    for row in RelatedPerson.objects.filter(patient=patient):
        found += _changes(row, "Somebody around them")
    names = {user.pk: user.get_full_name() or "A colleague" for user in User.objects.filter(pk__in={by for _, by, _, _ in found if by})}
    lines = [Change(at, names.get(by, "Lune") if by else "Lune", what, fields) for at, by, what, fields in found]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _changes(record: Any, what: str) -> list[Found]:
    rows = list(record.events.order_by("pgh_id"))
    found: list[Found] = []
    for before, after in zip([None, *rows], rows, strict=False):
        said = []
        for field in record._meta.concrete_fields:
            if field.name in _SILENT or not hasattr(after, field.attname):
                continue
            new, old = _words(field, after), _words(field, before) if before is not None else ""
            if new != old and (before is not None or new):
                said.append((str(field.verbose_name).capitalize().replace("Nhs", "NHS"), old, new))
        if before is None and after.pgh_label == "update":  # recorded before history was kept
            found.append((after.pgh_created_at, after.changed_by_id, f"{what}: changed; what was recorded before was not kept", ()))
        elif before is None:
            found.append((after.pgh_created_at, getattr(after, "created_by_id", None), f"{what}: recorded", ()))
        elif said:
            found.append((after.pgh_created_at, after.changed_by_id, what, tuple(said)))
    return found


def _words(field: Any, row: Any) -> str:
    value = getattr(row, field.attname)
    if value in (None, "", []):
        return ""
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(dict(field.base_field.flatchoices or []).get(each, each)) for each in value)
    if isinstance(value, datetime):
        return f"{value:%-d %B %Y}"
    if hasattr(value, "strftime"):
        return f"{value:%-d %B %Y}"
    return "another record" if isinstance(value, UUID) else str(value)
