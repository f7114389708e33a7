"""What a request tells the counts of use: who is a visitor, and what it saw. Most of what a request says is left where it is."""

import re
from uuid import UUID

from django.http import HttpRequest

from catalogue.models import User
from catalogue.places import Where, district_of
from catalogue.usage import Kind, Seen, count, harmless
from core.client import address_of
from core.clock import now

#: Programs that say what they are. One that lies is stopped by the number of things that it does.
_PROGRAM = re.compile(
    r"archiver|bot|crawl|curl|feed|headless|http|java/|lighthouse|monitor|preview|python|scan|scrapy|slurp|spider|wget", re.IGNORECASE
)
PRESSES = {"phone": Kind.PHONE, "email": Kind.EMAIL, "web": Kind.WEB}


def visitor(request: HttpRequest) -> str | None:
    """What tells this visitor from another today; None for whoever is not counted.

    Programs are not, nor those who ask not to be (Do Not Track, Global Privacy Control), nor those who keep the directory or are in it.
    """
    browser = request.headers.get("User-Agent", "")
    refuses = "1" in (request.headers.get("DNT"), request.headers.get("Sec-GPC"))
    beforehand = bool(request.headers.get("Sec-Purpose") or request.headers.get("Purpose"))
    if not browser or refuses or beforehand or _PROGRAM.search(browser) or getattr(request, "entry_preview", False):
        return None
    user = request.user
    if user.is_authenticated and user.role != User.Role.REFERRER:
        return None
    return f"{address_of(request)} {browser} {user.pk if user.is_authenticated else ''}"


def looked(request: HttpRequest, *seen: Seen) -> None:
    """Somebody reads a page of the directory."""
    if who := visitor(request):
        count(who, seen, at=now())


def searched(request: HttpRequest, words: str, place: Where | None, *, found: bool) -> None:
    """Somebody searches. Words that may name a person, a number or an address are not kept, and of the place only the district."""
    if who := visitor(request):
        kept, area = harmless(words), district_of(place) if place else ""
        seen = [Seen(Kind.SEARCH, kept, area)]
        if not found:
            seen.append(Seen(Kind.NO_ANSWER, kept, area))
        count(who, seen, at=now())


def pressed(request: HttpRequest, what: str, service_id: UUID) -> None:
    """Somebody presses on a phone number, an e-mail address or a web address of a service."""
    if what in PRESSES:
        looked(request, Seen(PRESSES[what], service=service_id))
