"""What is known of a service when it is compared with another: brought to one form, so that like is compared with like."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import FloatField, Func

from catalogue.models import Address, Phone, Service, ServiceAtLocation
from catalogue.models.service import ServiceQuerySet
from core.geo import normal_postcode

from . import names

#: Post boxes that anybody may have: the part after the @ says nothing.
FREE_MAIL = frozenset(
    {
        "aol.com", "btinternet.com", "gmail.com", "googlemail.com", "hotmail.co.uk", "hotmail.com", "icloud.com", "live.co.uk", "live.com",
        "mail.com", "me.com", "msn.com", "nhs.net", "ntlworld.com", "outlook.com", "proton.me", "protonmail.com", "sky.com",
        "talktalk.net", "virginmedia.com", "yahoo.co.uk", "yahoo.com",
    }
)  # fmt: skip
#: Sites on which many have a page: only the whole address says something.
SHARED_SITES = frozenset(
    {
        "bit.ly", "eventbrite.co.uk", "eventbrite.com", "facebook.com", "google.com", "instagram.com", "linkedin.com", "linktr.ee",
        "meetup.com", "nhs.uk", "sites.google.com", "twitter.com", "x.com", "youtube.com",
    }
)  # fmt: skip


class Key(NamedTuple):
    """One value that two services may share."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """One place of a service, in metres of the British National Grid. `premises` are ids of the building or its registration."""

    premises: frozenset[str]
    postcode: str
    x: float | None
    y: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """One service as it is compared."""

    id: UUID
    name: str
    alternate_name: str
    description: str
    source: str
    organization_id: UUID
    organization: str
    numbers: frozenset[tuple[str, str]]
    """(scheme, number) by which its organisation is known to the state."""
    kind: UUID | None
    ages: tuple[int | None, int | None]
    phones: frozenset[str]
    email: str
    site: str
    page: str
    places: tuple[PlaceFacts, ...]
    towns: frozenset[str]

    @property
    def mail_domain(self) -> str:
        domain = self.email.rpartition("@")[2]
        return "" if domain in FREE_MAIL else domain

    def keys(self) -> Iterator[Key]:
        """What it may have in common with its double."""
        yield Key("organisation", str(self.organization_id))
        for scheme, number in self.numbers:
            yield Key("number", f"{scheme}:{number}")
        for phone in self.phones:
            yield Key("phone", phone)
        if self.email:
            yield Key("email", self.email)
        if self.mail_domain:
            yield Key("mail domain", self.mail_domain)
        if self.page:
            yield Key("page", self.page)
        if self.site:
            yield Key("site", self.site)
        name = " ".join(sorted(names.words(self.name)))
        if name:
            yield Key("name", name)
        for place in self.places:
            for premises in place.premises:
                yield Key("premises", premises)
            if place.postcode:
                yield Key("postcode", place.postcode)
                yield Key("name and district", f"{name} {place.postcode.split(' ')[0]}")

    def words(self) -> frozenset[str]:
        """Words that tell its name from others; groups that share too common a value are looked at by these."""
        return frozenset(names.distinctive(self.name))


def phone_number(text: str) -> str:
    """`"+44 (0)1772 555 010"` → `"1772555010"`; empty when it is too short to be one."""
    digits = re.sub(r"\D", "", re.split(r"(?i)\s*(?:ext|x)\b", text)[0])
    digits = re.sub(r"^(?:00)?44", "", digits).lstrip("0")
    return digits[-10:] if len(digits) >= 9 else ""


def web_page(address: str) -> tuple[str, str]:
    """Site and page: `"https://www.example.org/help/"` → `("example.org", "example.org/help")`. A bare site has no page."""
    try:
        parts = urlsplit(address.strip().lower())
    except ValueError:
        return "", ""
    site = parts.netloc.rpartition("@")[2].split(":")[0].removeprefix("www.")
    page = site + parts.path.rstrip("/")
    return "" if site in SHARED_SITES else site, page if page != site else ""


def to_compare() -> ServiceQuerySet:
    """Services that may be doubles: neither merged already nor closed for good. Confidential ones too: only keepers see pairs."""
    return Service.objects.filter(merged_into=None).exclude(status=Service.Status.DEFUNCT)


def load(ids: Iterable[UUID]) -> dict[UUID, Facts]:
    """Facts of these services, in five statements whatever their number."""
    wanted = list(ids)
    phones = _phones(wanted)
    places: dict[UUID, list[PlaceFacts]] = defaultdict(list)
    towns: dict[UUID, set[str]] = defaultdict(set)
    for service, place, town in _places(wanted):
        places[service].append(place)
        towns[service] |= town
    rows = Service.objects.filter(pk__in=wanted).values_list(
        "pk", "name", "alternate_name", "description", "source", "organization_id", "organization__name", "organization__company_number",
        "organization__charity_number", "organization__cqc_provider_id", "organization__ods_code", "care_type_id",
        "eligibility__minimum_age", "eligibility__maximum_age", "email", "url", "organization__website",
    )  # fmt: skip
    found = {}
    for pk, name, alternate, description, source, org_id, org, company, charity, cqc, ods, kind, low, high, email, url, website in rows:
        site, page = web_page(url or website)
        found[pk] = Facts(
            id=pk,
            name=name,
            alternate_name=alternate,
            description=" ".join(description.split())[:600].lower(),
            source=source,
            organization_id=org_id,
            organization=org,
            numbers=frozenset(_numbers(company=company, charity=charity, cqc=cqc, ods=ods)),
            kind=kind,
            ages=(low, high),
            phones=frozenset(phones[pk]),
            email=email.strip().lower(),
            site=site,
            page=page if url else "",
            places=tuple(places[pk]),
            towns=frozenset(towns[pk]),
        )
    return found


def _numbers(**numbers: str | None) -> Iterator[tuple[str, str]]:
    for scheme, number in numbers.items():
        plain = re.sub(r"[\s-]", "", number or "").upper().lstrip("0")
        if plain:
            yield scheme, plain


def _phones(ids: list[UUID]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    for service, number in Phone.objects.filter(service__in=ids).values_list("service_id", "number"):
        if plain := phone_number(number):
            found[service].add(plain)
    return found


def _number(function: str) -> Func:
    return Func("location__point", function=function, output_field=FloatField())


def _places(ids: list[UUID]) -> Iterator[tuple[UUID, PlaceFacts, set[str]]]:
    # The two numbers rather than the point: to make one of GEOS for each took a third of the whole search.
    links = list(
        ServiceAtLocation.objects.filter(service__in=ids)
        .annotate(x=_number("ST_X"), y=_number("ST_Y"))
        .values_list("service_id", "location_id", "location__uprn", "location__cqc_location_id", "location__ods_code", "x", "y")
    )
    addresses: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    rows: Any = Address.objects.filter(location__in={link[1] for link in links}).values_list("location_id", "postal_code", "city")
    for location, postcode, city in rows:
        addresses[location].append((normal_postcode(postcode) or "", city))
    for service, location, uprn, cqc, ods, x, y in links:
        known = addresses[location]
        premises = {
            f"place:{location}",
            *(f"{scheme}:{number}" for scheme, number in (("uprn", uprn), ("cqc", cqc), ("ods", ods)) if number),
        }
        place = PlaceFacts(
            premises=frozenset(premises),
            postcode=next((code for code, _ in known if code), ""),
            x=x,
            y=y,
        )
        yield service, place, {word for _, city in known for word in names.words(city)}
