"""Who changed what in a service's record, from the rows that the database wrote at each change."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalogue.models import Service, User

#: Columns that say nothing to a curator.
_SILENT = frozenset({"id", "service", "source_hash", "created_at", "modified_at"})
#: So many changes are shown.
MOST = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after, in words."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the record. `who` is a colleague's name, or what did it."""

    at: datetime
    who: str
    differences: list[Difference]


def history(service: Service, *, without_entries: bool = False, told: Collection[str] = ()) -> list[Change]:
    """Changes to the record and to its ages, the newest first.

    `without_entries` leaves out what was made as a change of the whole entry, and what the imports in `told` did: it is told there in one
    piece.
    """
    eligibility = getattr(service, "eligibility", None)
    return history_of([("Record", service), ("Ages and sex", eligibility)], without_entries=without_entries, told=told)


def history_of(records: Iterable[tuple[str, Any]], *, without_entries: bool = False, told: Collection[str] = ()) -> list[Change]:
    """Changes to any tracked records, each with what to call it, the newest first."""
    # django-pghistory gives each tracked model its history under this name.
    trails = [(label, list(record.events.select_related("pgh_context").order_by("pgh_id"))) for label, record in records if record]
    names = _names(event for _, trail in trails for event in trail)
    changes = [
        Change(
            at=event.pgh_created_at,
            who=names.get(_user_id(event)) or import_name(_context(event).get("source", "")),
            differences=_differences(earlier, event) if earlier else [Difference(label, "", "first written")],
        )
        for label, trail in trails
        for earlier, event in zip([None, *trail], trail, strict=False)
        if not (without_entries and ("entry" in _context(event) or _context(event).get("import") in told))
    ]
    changes = [change for change in changes if change.differences]
    return sorted(changes, key=lambda change: change.at, reverse=True)[:MOST]


def import_name(source: str) -> str:
    """Which import it was, in words: the end of its address or file."""
    return f"Import from {source.rstrip('/').rpartition('/')[2][:100]}" if source else "An import, or Lune itself"


def _context(event: Any) -> dict[str, Any]:
    return event.pgh_context.metadata if event.pgh_context else {}


def _user_id(event: Any) -> str:
    return str(_context(event).get("user") or "")


def _names(events: Iterable[Any]) -> dict[str, str]:
    ids = {_user_id(event) for event in events} - {""}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=ids)}


def _differences(before: Any, after: Any) -> list[Difference]:
    found = []
    for field in after._meta.concrete_fields:
        if field.name.startswith("pgh_") or field.name in _SILENT or getattr(before, field.attname) == getattr(after, field.attname):
            continue
        found.append(Difference(str(field.verbose_name).capitalize(), _words(before, field), _words(after, field)))
    return found


def _words(event: Any, field: Any) -> str:
    value = getattr(event, f"get_{field.name}_display")() if field.choices else getattr(event, field.name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value in (None, "") else str(value)
