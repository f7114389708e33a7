"""An entry in words: what each field says, what a change changes, what is still to say, who did what when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.urls import reverse

from catalogue.entry.content import EXCEPTION, FIELDS, LISTS, PARTS, SCHEDULE, Content
from catalogue.entry.partners import partner_names
from catalogue.entry.places import place_words
from catalogue.entry.queries import WANTED, Entry, said, school_holidays
from catalogue.lexicon import name_of
from catalogue.models import Eligibility, EligibilityCriterion, ProposedChange, Schedule, ScheduleException, Service, Sheet
from catalogue.schedules import occurrences
from frontend.environment import day, money
from frontend.presenters import curate
from frontend.presenters.opening import clock, opening

NOTHING = "nothing"
#: How far ahead the dates that result are shown, and how many of them.
AHEAD, DATES = timedelta(days=120), 8


@dataclass(frozen=True, slots=True)
class Line:
    """One field, before and after, in words: several lines of text each."""

    field: str
    before: list[str]
    after: list[str]
    overtaken: bool = False
    """Somebody else changed it since the change was written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the list of parts."""

    key: str
    title: str
    href: str
    changed: bool
    missing: list[str]


def parts(work: Entry) -> list[Part]:
    """The parts with what is still to say in each, as the draft stands."""
    says = said(work.shown)
    homes = {"description": "basics", "contact": "basics", "address": "where", "schedules": "times"}
    return [
        Part(
            key, title, reverse("entry-part", args=[work.pk, key]), work.changed(key),
            [WANTED[name] for name, done in says.items() if not done and homes.get(name, name) == key],
        )
        for key, title in PARTS.items()
    ]  # fmt: skip


def differences(before: Mapping[str, Any], after: Mapping[str, Any], overtaken: Iterable[str] = ()) -> list[Line]:
    """What a change does, field by field in the order of the pages."""
    stale = set(overtaken)
    return [
        Line(field.label, in_words(name, before.get(name, field.empty)), in_words(name, after[name]), name in stale)
        for name, field in FIELDS.items()
        if name in after and (before.get(name, field.empty) != after[name] or name in stale)
    ]


#: Rules of a list of who pays, refers or which languages, when they say more than that it is taken.
_TAKEN_AS = {"required": ": only these people", "excluded": ": not these people", "preferred": ": these people first"}
#: The same of an area or a practice, where "only" is the usual rule.
_FROM_THERE = {"excluded": ": nobody from there", "preferred": ": people from there first"}


def in_words(name: str, value: Any) -> list[str]:
    """What a field says, a line each; "nothing" when it says nothing."""
    if value in (None, "", [], {}):
        return [NOTHING]
    match name:
        case "phones":
            return [f"{row['number']} ({row['description']})" if row["description"] else row["number"] for row in value]
        case "partners":
            return list(partner_names(value).values())
        case "places":
            return [place_words(row) + (f" ({row['description']})" if row["description"] else "") for row in value]
        case "contacts":
            return [_contact(row) for row in value]
        case "schedules":
            return [schedule_words(row) for row in value]
        case "exceptions":
            return [_exception(row) for row in value]
        case "needs" | "access" | "conditions":
            slug = "condition" if name == "conditions" else "need"
            rules = dict(EligibilityCriterion.Rule.choices)
            return [f"{name_of(slug, code)}: {rules[rule]}" for code, rule in value.items()]
        case "areas":
            return [f"{row['name'] or 'an area'}{_FROM_THERE.get(row.get('rule'), '')}" for row in value]
        case "cost_options":
            return [_cost(row) for row in value]
        case "price_week":
            return [money(Decimal(value))]
        case "care_type":
            return [name_of("care-type", value)]
        case "status":
            return [dict(Service.Status.choices).get(value, value)]
        case "sex":
            return [dict(Eligibility.Sex.choices).get(value, value)]
        case "sex_reason":
            return [dict(Eligibility.SexReason.choices).get(value, value)]
        case "is_confidential" | "is_internal":
            return ["yes" if value else "no"]
        case "catchment_m":
            return [f"{value:,} metres"]
        case _ if name in LISTS:
            ruled = value if isinstance(value, dict) else dict.fromkeys(value, "accepts")  # as earlier histories have it
            return [f"{name_of(LISTS[name], code)}{_TAKEN_AS.get(rule, '')}" for code, rule in ruled.items()]
        case _:
            return str(value).splitlines()


def as_schedule(row: Mapping[str, Any], service_id: Any = None) -> Schedule:
    """A rule that is not in the database, with days and times as Python has them."""
    values = {name: row[name] for name in SCHEDULE}
    for name in ("dtstart", "valid_from", "valid_to"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    for name in ("opens_at", "closes_at"):
        values[name] = time.fromisoformat(values[name]) if values[name] else None
    return Schedule(service_id=service_id or uuid4(), **values)


def schedule_words(row: Mapping[str, Any]) -> str:
    """A rule in one line, with its terms and bounds."""
    schedule = as_schedule(row)
    more = [] if schedule.term == Schedule.Term.ALWAYS else [schedule.get_term_display().lower()]
    more += [f"from {day(schedule.valid_from)}"] if schedule.valid_from else []
    more += [f"until {day(schedule.valid_to)}"] if schedule.valid_to else []
    return ", ".join([opening(schedule) or "No day said", *more])


def _exception(row: Mapping[str, Any]) -> str:
    first, last = date.fromisoformat(row["starts_on"]), date.fromisoformat(row["ends_on"])
    days = day(first) if first == last else f"{day(first)} to {day(last)}"
    times = [clock(time.fromisoformat(row[name])) for name in ("opens_at", "closes_at") if row[name]]
    hours = f"open {' to '.join(times)}" if times else "closed"
    return f"{days}: {hours}" + (f" ({row['reason']})" if row["reason"] else "")


def _contact(row: Mapping[str, Any]) -> str:
    said = ", ".join(filter(None, (row["name"], row["title"], *row["phones"], row["email"])))
    return f"{said}{' (at one of its places)' if row['place'] else ''}{'' if row['is_public'] else ', not shown to the public'}"


def _cost(row: Mapping[str, Any]) -> str:
    amount = " ".join(part for part in (money(Decimal(row["amount"])) if row["amount"] else "", row["amount_description"]) if part)
    return ": ".join(part for part in (row["option"], amount) if part)


def next_dates(shown: Content, work: Entry, at: datetime) -> list[str]:
    """The next dates that the times result in, by the clock in England; with school holidays of the place and different days."""
    service_id = uuid4()
    rows = [as_schedule(row, service_id) for row in shown["schedules"]]
    otherwise = [
        ScheduleException(
            service_id=service_id,
            starts_on=date.fromisoformat(row["starts_on"]), ends_on=date.fromisoformat(row["ends_on"]),
            opens_at=time.fromisoformat(row["opens_at"]) if row["opens_at"] else None,
            closes_at=time.fromisoformat(row["closes_at"]) if row["closes_at"] else None,
            reason=row["reason"],
        )
        for row in ({name: each[name] for name in EXCEPTION} for each in shown["exceptions"])
    ]  # fmt: skip
    found = occurrences(rows, otherwise, school_holidays(work.service), at, at + AHEAD)[:DATES]
    return [f"{each.starts_at:%A} {day(each.starts_at)}{_hours(each)}" for each in found]


def _hours(occurrence: Any) -> str:
    if occurrence.all_day:
        return ""
    ends = f" to {clock(occurrence.ends_at.timetz().replace(tzinfo=None))}" if occurrence.ends_at > occurrence.starts_at else ""
    return f", {clock(occurrence.starts_at.timetz().replace(tzinfo=None))}{ends}"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. `undo` is the change that can be undone by it, if any."""

    at: datetime
    who: str
    what: str
    lines: list[Line]
    undo: Any = None


def history(work: Entry, changes: Iterable[ProposedChange]) -> list[Event]:
    """Who changed what when, the newest first: what people and imports made of the entry, and what else was written to the record."""
    changes = list(changes)
    events = [
        Event(
            at=change.decided_at or change.proposed_at,
            who=_who(change),
            what=_what(change),
            lines=differences(change.base, {name: value for name, value in change.content.items() if name in FIELDS}),
            undo=change.pk if change.status == ProposedChange.Status.MADE and change.base else None,
        )
        for change in changes
    ]
    if work.service is not None:
        for one in curate.history(work.service, without_entries=True, told={str(change.run_id) for change in changes if change.run_id}):
            lines = [Line(each.field, each.before.splitlines(), each.after.splitlines()) for each in one.differences]
            events.append(Event(one.at, one.who, "", lines))
    return sorted(events, key=lambda event: event.at, reverse=True)


def _who(change: ProposedChange) -> str:
    if change.origin == ProposedChange.Origin.IMPORT:
        run = change.run
        return f"Import from {run.feed.name}" if run and run.feed else curate.import_name(run.source if run else "")
    proposer = str(change.proposed_by) if change.proposed_by else "Somebody with the link, without an account"
    if change.decided_by and change.decided_by != change.proposed_by:
        verb = "refused" if change.status == ProposedChange.Status.REFUSED else "approved"
        return f"{proposer}; {verb} by {change.decided_by}"
    return proposer


def _what(change: ProposedChange) -> str:
    if change.status == ProposedChange.Status.REFUSED:
        return f"Refused: {change.reason}"
    if change.undoes:
        return f"Undid the change of {day(change.undoes.decided_at)}"
    if "said" in change.content:
        return str(change.content["said"])
    return {"spreadsheet": "By spreadsheet", "link": "By the link in a letter"}.get(change.origin, "")


def sheet_words(sheet: Sheet) -> str:
    """How far the work on a spreadsheet is, or how it ended."""
    if sheet.work in (Sheet.Work.READ, Sheet.Work.WRITE):
        return "It goes on." if sheet.status == Sheet.Status.RUNNING else "Stopped."
    verb = "put back" if sheet.work == Sheet.Work.UNDO else "changed"
    said = [f"{sheet.made:,} {'service' if sheet.made == 1 else 'services'} {verb}{' so far' if sheet.chosen else ''}."]
    said += [f"{sheet.waiting:,} sent to a curator."] if sheet.waiting else []
    said += [f"{sheet.left:,} left as they are: see what is wrong below."] if sheet.left else []
    said += [f"Stopped, with {len(sheet.chosen or []):,} to do."] if sheet.status == Sheet.Status.STOPPED else []
    return " ".join(said)
