"""The shape of Open Referral UK 1.0, for those who still read it. Made from the same documents, so that it can say no more than they do."""

from .values import Document, filled

_SEX = {"female": "female", "male": "male"}


def page(found: Document, contents: list[Document]) -> Document:
    """The envelope of version 1 around a page of version 3."""
    return {
        "totalElements": found["total_items"],
        "totalPages": found["total_pages"],
        "number": found["page_number"],
        "size": found["size"],
        "first": found["first_page"],
        "last": found["last_page"],
        "empty": found["empty"],
        "content": contents,
    }


def brief(document: Document) -> Document:
    """A service in a list: what there is one of."""
    kept = ("id", "name", "description", "url", "email", "status", "fees", "accreditations", "assured_date")
    return filled(**{name: document.get(name) for name in kept}, organization=organization(document["organization"]))


def organization(document: Document) -> Document:
    """An organisation in a list, or as the owner of a service."""
    return filled(
        id=document["id"],
        name=document["name"],
        description=document.get("description"),
        email=document.get("email"),
        url=document.get("website"),
    )


def full(document: Document) -> Document:
    """A service whole."""
    service = {"id": document["id"]}
    attributes = document.get("attributes", [])
    return brief(document) | filled(
        contacts=[
            *(
                filled(**{name: contact.get(name) for name in ("id", "name", "title", "phones")})
                for contact in document.get("contacts", [])
            ),
            # In version 1 a number belongs to a contact.
            *(
                {"id": phone["id"], **filled(title=phone.get("description")), "phones": [{"id": phone["id"], "number": phone["number"]}]}
                for phone in document.get("phones", [])
            ),
        ],
        cost_options=[without(cost, "currency") for cost in document.get("cost_options", [])],
        eligibilitys=_eligibility(document, service),
        languages=[{"id": said["id"], "language": said.get("name", "")} for said in document.get("languages", [])],
        regular_schedules=[without(when, "notes") for when in document.get("schedules", []) if when.get("freq")],
        holiday_schedules=[
            {"id": when["id"], "closed": True, "start_date": when["valid_from"], "end_date": when["valid_to"]}
            for when in document.get("schedules", [])
            if "freq" not in when
        ],
        service_areas=[
            filled(id=area["id"], service_area=area.get("name"), extent=area.get("extent"), uri=area.get("uri"))
            for area in document.get("service_areas", [])
        ],
        service_at_locations=[_place(place) for place in document.get("service_at_locations", [])],
        # Version 1 has no word for what a service does not take: that stays out, rather than being read as its opposite.
        service_taxonomys=[
            {"id": said["id"], "taxonomy": term(said["taxonomy_term"])}
            for said in attributes
            if "taxonomy_term" in said and said["link_type"] != "eligibility:excluded"
        ],
    )


def term(document: Document) -> Document:
    """A term, which version 1 calls a taxonomy; the list that it is of, a vocabulary."""
    return filled(
        id=document["id"],
        name=document["name"],
        vocabulary=document.get("taxonomy"),
        parent=filled(id=document.get("parent_id")) or None,
    )


def _eligibility(document: Document, service: Document) -> list[Document]:
    sex = next((said["value"] for said in document.get("attributes", []) if said.get("link_type") == "eligibility" and "value" in said), "")
    stated = filled(
        minimum_age=document.get("minimum_age"),
        maximum_age=document.get("maximum_age"),
        gender=sex,
        eligibility=_SEX.get(sex),
    )
    return [{"id": service["id"], **stated}] if stated else []


def _place(document: Document) -> Document:
    return filled(id=document["id"], location=location(document["location"]))


def location(document: Document) -> Document:
    """A place, with all that is told of it."""
    return filled(
        id=document["id"],
        name=document.get("name"),
        latitude=document.get("latitude"),
        longitude=document.get("longitude"),
        accessibility_for_disabilities=[
            {"id": said["id"], "accessibility": said["accessibility"]} for said in document.get("accessibility", [])
        ],
        physical_addresses=[without(address, "location_id", "address_type") for address in document.get("addresses", [])],
    )


def without(document: Document, *names: str) -> Document:
    """A document without some of its parts."""
    return {name: value for name, value in document.items() if name not in names}
