"""A service in the words of schema.org, for search engines: part of its public page."""

import json
from typing import Any

from catalogue.models import Service
from core.clock import LONDON, now

from . import rows
from .documents import Writer
from .values import Document, filled

_DAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday", "SU": "Sunday",
}  # fmt: skip
#: Nothing in a description may end the script element that it stands in, nor begin a comment in it.
_HARMLESS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def script(service: Service, address: str) -> str:
    """The content of a `script` element of the page at `address`; empty when the service is not public.

    `service` was read with `rows.WITH` and `rows.parts_of_a_page`, which the page shows too.
    """
    if not Service.objects.public().filter(pk=service.pk).exists():
        return ""
    made = Writer(rows.of(service), now().astimezone(LONDON).date())
    document = made.full(made.rows.services[0])
    return json.dumps(linked_data(document, address), ensure_ascii=False).translate(_HARMLESS)


def linked_data(document: Document, address: str) -> Document:
    """From the whole document of a service to a `Service` of schema.org."""
    owner = document["organization"]
    places = [place["location"] for place in document.get("service_at_locations", [])]
    languages = [said.get("name") for said in document.get("languages", [])]
    return {
        "@context": "https://schema.org",
        "@type": "Service",
        "@id": address,
        **filled(
            name=document["name"],
            alternateName=document.get("alternate_name"),
            description=document.get("description"),
            identifier=document["id"],
            url=address,
            sameAs=document.get("url"),
            serviceType=next(
                (said["taxonomy_term"]["name"] for said in document.get("attributes", []) if said["link_type"] == "service_type"), None
            ),
            provider=filled(**{"@type": "Organization"}, name=owner["name"], url=owner.get("website"), email=owner.get("email")),
            audience=_audience(document),
            areaServed=[area["name"] for area in document.get("service_areas", []) if "name" in area],
            availableChannel=[
                *(
                    filled(**{"@type": "ServiceChannel"}, serviceLocation=_place(place), availableLanguage=languages)
                    for place in places
                    if place["location_type"] != "virtual"
                ),
                *(
                    {"@type": "ServiceChannel", "servicePhone": {"@type": "ContactPoint", "telephone": phone["number"]}}
                    for phone in document.get("phones", [])
                ),
            ],
            hoursAvailable=[_hours(when) for when in document.get("schedules", []) if when.get("freq") == "WEEKLY" and "byday" in when],
            offers=[
                filled(
                    **{"@type": "Offer"},
                    name=cost.get("option"),
                    price=str(cost["amount"]),
                    priceCurrency=cost.get("currency", "GBP"),
                    description=cost.get("amount_description"),
                )
                for cost in document.get("cost_options", [])
                if "amount" in cost
            ],
        ),
    }


def _audience(document: Document) -> Document | None:
    stated = filled(
        suggestedMinAge=document.get("minimum_age"),
        suggestedMaxAge=document.get("maximum_age"),
        suggestedGender=next(
            (said["value"] for said in document.get("attributes", []) if said["link_type"] == "eligibility" and "value" in said), None
        ),
    )
    return {"@type": "PeopleAudience", **stated} if stated else None


def _place(location: Document) -> Document:
    address: Any = next(iter(location.get("addresses", [])), None)
    return filled(
        **{"@type": "Place"},
        name=location.get("name"),
        address=address
        and {
            "@type": "PostalAddress",
            "streetAddress": address["address_1"],
            "addressLocality": address["city"],
            "addressRegion": address["state_province"],
            "postalCode": address["postal_code"],
            "addressCountry": address["country"],
        },
        geo={"@type": "GeoCoordinates", "latitude": location["latitude"], "longitude": location["longitude"]}
        if "latitude" in location
        else None,
    )


def _hours(schedule: Document) -> Document:
    return filled(
        **{"@type": "OpeningHoursSpecification"},
        dayOfWeek=[f"https://schema.org/{_DAYS[code]}" for code in schedule["byday"].split(",") if code in _DAYS],
        opens=schedule.get("opens_at"),
        closes=schedule.get("closes_at"),
        validFrom=schedule.get("valid_from"),
        validThrough=schedule.get("valid_to"),
    )
