"""Times as calendar programs read them: iCalendar (RFC 5545)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from icalendar import Calendar, Event

from catalogue.models import Service
from catalogue.schedules import Occurrence
from frontend.presenters.directory import addresses


def calendar(
    name: str,
    times: Iterable[Occurrence],
    services: Mapping[UUID, Service],
    links: Mapping[UUID, str],
    *,
    at: datetime,
    refresh_hours: int = 12,
) -> bytes:
    """A calendar of these times. Each keeps its id from one reading to the next, so that programs that follow it show it once."""
    result = Calendar()
    result.add("prodid", "-//Lune//Directory of services//EN")
    result.add("version", "2.0")
    result.add("calscale", "GREGORIAN")
    result.add("method", "PUBLISH")
    result.add("x-wr-calname", name)
    result.add("x-wr-timezone", "Europe/London")
    result.add("x-published-ttl", "PT12H")
    for each in times:
        service = services[each.service_id]
        event = Event()
        event.add("uid", f"{each.starts_at:%Y%m%dT%H%M}-{service.pk}@lune")
        event.add("dtstamp", at)
        event.add("last-modified", service.modified_at)
        event.add("summary", service.name)
        if each.all_day:
            event.add("dtstart", each.starts_at.date())
        else:
            event.add("dtstart", each.starts_at)
            if each.ends_at > each.starts_at:
                event.add("dtend", each.ends_at)
        if where := "; ".join(str(address) for address in addresses(service)):
            event.add("location", where)
        words = [each.description, f"By {service.organization.name}", f"Ask before you go: {links[service.pk]}"]
        event.add("description", "\n".join(word for word in words if word))
        event.add("url", links[service.pk])
        result.add_component(event)
    result.add_missing_timezones()
    return result.to_ical()
