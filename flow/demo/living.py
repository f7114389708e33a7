"""What makes the demonstration's directory live: a second directory that overlaps it, doubles to decide on, mistakes that people report,
groups that ask to be added.

It comes in by the doors that a real one would use: the importer, the search for doubles, the public's forms.
"""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalogue.assurance import report_mistake
from catalogue.dedupe.find import find_duplicates
from catalogue.entry.approval import register_group
from catalogue.importers.source import run_source
from catalogue.models import Address, SchoolHoliday, Service, Source
from catalogue.models.service import ServiceQuerySet
from core.geo import to_wgs84
from core.ids import derived
from flow.demo import around, casework, hubs, in_use, lacking, outside, rules, worklists
from flow.demo.names import phone
from flow.demo.world import SOURCE

DIRECTORY = "Ribblesdale Neighbours directory (invented)"
DOUBLES = 30
MISTAKES = (
    ("phone", "Nobody answers this number. The woman at the library says that they have a new one."),
    ("times", "It is on Thursdays now, not on Tuesdays."),
    ("address", "They have moved to the hall beside the church."),
    ("", "This group stopped meeting in the summer."),
    ("cost", "It says free, but they asked me for two pounds."),
)
GROUPS = (
    ("Fell Foot Ukulele Circle", "We play together and drink tea. Beginners welcome.", "The chapel hall, Kendal", "Mondays, 2pm to 4pm"),
    ("Wyre Dads and Toddlers", "Fathers and small children play, eat and talk.", "Village hall, Garstang", "Saturdays, 10am to noon"),
)  # fmt: skip
#: Name, what it is, kind of care in the words of that directory, day, from, to, lowest and highest age.
GATHERINGS = (
    ("Knit and Natter", "Bring your needles, or borrow ours. Tea and cake.", "crafts", "TU", "10:00", "12:00", 18, None),
    ("Walking Football", "A slow game for former players.", "Physical activity", "WE", "11:00", "12:30", 50, None),
    ("Singing for Breathing", "Songs that are good for lungs.", "Arts, crafts and nature", "TH", "14:00", "15:30", 18, None),
    ("Matinee Club", "An old film, subtitles, and time to talk.", "Arts, crafts and nature", "FR", "13:30", "16:00", 55, None),
    ("Men's Shed", "Mend, make and talk, at your own bench.", "Peer support group", "MO", "10:00", "15:00", 18, None),
    ("Allotment Mornings", "Dig, plant, take home what grows.", "Arts, crafts and nature", "SA", "09:30", "12:00", None, None),
    ("Youth Drop-in", "Games, food and somebody to talk to.", "Support for young people", "TH", "18:00", "20:30", 11, 18),
    ("Saturday Short Breaks", "Play for children with special needs; rest for parents.", "SEND Local Offer", "SA", "10:00", "13:00", 5, 18),
    ("Dementia Café", "For people with dementia and their company.", "Lunch club or day centre", "WE", "14:00", "16:00", None, None),
)  # fmt: skip
#: School holidays of the demonstration's councils, from a start in autumn: days after 1 September, how many days, name. Invented.
HOLIDAYS = ((54, 9, "Autumn half-term"), (109, 16, "Christmas"), (166, 9, "Spring half-term"), (208, 17, "Easter"), (321, 43, "Summer"))


def is_loaded() -> bool:
    return Source.objects.filter(name=DIRECTORY).exists()


def load(*, seed: int, at: datetime, say: Callable[[str], None] = lambda line: None) -> None:
    """Read the second directory, look for doubles, and hear what people say. The region must be there."""
    chance = random.Random(f"{seed}/living")
    _holidays(at.date())
    source = Source.objects.create(
        name=DIRECTORY,
        kind=Source.Kind.ORUK_3,
        licence="Open Government Licence 3.0",
        licence_url="https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        attribution="Invented for the demonstration.",
        contact_email="directory@ribblesdale.example",
    )
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ribblesdale.json"
        records = [*_doubles(chance, at.date()), *_gatherings(chance, at.date()), *_faulty()]
        file.write_text(json.dumps({"contents": records}))
        counted = run_source(source, path=file, whole=True).tallies
    say(f"  {counted['services'].added:>6,}  services of a second directory")
    search = find_duplicates(at=at)
    say(f"  {search.found:>6,}  pairs that may be doubles")
    told = _public().order_by("pk")[: 40 * len(MISTAKES) : 40]
    for service, (what, words) in zip(told, MISTAKES, strict=False):
        report_mistake(service_id=service.pk, what=what, words=words, reply_to="", at=at - timedelta(days=chance.randint(0, 9)))
    for name, what, where, when in GROUPS:
        register_group(values={"name": name, "what": what, "where": where, "when": when, "email": "hello@example.org"}, at=at)
    say(f"  {in_use.load(seed=seed, at=at):>6,}  groups with places at each session")
    around.load(seed=seed, at=at)
    say(f"  {hubs.load(seed=seed, at=at):>6,}  referrals in the queue of a hub")
    say(f"  {worklists.load(seed=seed, at=at):>6,}  saved views of worklists")
    say(f"  {casework.load(seed=seed, at=at):>6,}  notes, messages, documents and follow-ups")
    say(f"  {outside.load(seed=seed, at=at):>6,}  services that answer by link, without an account")
    say(f"  {rules.load(seed=seed, at=at):>6,}  process rules, and a referral that asks one home after the other")
    say(f"  {lacking.load(seed=seed, at=at):>6,}  needs that nobody could meet")


def _public() -> ServiceQuerySet:
    """Services of charities that the region shows to everybody."""
    return Service.objects.public().filter(source=SOURCE, organization__kind="charity")


def _doubles(chance: random.Random, today: date) -> Iterator[dict[str, Any]]:
    """Services of the region as somebody else wrote them down."""
    chosen = _public().filter(service_at_locations__isnull=False, service_at_locations__location__addresses__isnull=False)
    known = list(chosen.order_by("pk").distinct().select_related("organization", "care_type")[: DOUBLES * 5 : 5])
    for number, service in enumerate(known):
        address = Address.objects.filter(location__service_at_locations__service=service).first()
        number_of = service.phones.values_list("number", flat=True).first() or phone(chance)
        yield _record(
            f"double/{number}",
            _misspelt(service.name, number),
            service.description[: chance.randint(60, 400)],
            service.organization.name,
            address,
            phone=("", number_of, number_of.replace(" ", ""))[number % 3],
            kind=service.care_type.name if service.care_type else "",
            checked=today - timedelta(days=chance.randint(5, 500)),
        )


def _misspelt(name: str, number: int) -> str:
    """The same name as another hand would write it."""
    match number % 5:
        case 0:
            return name.replace(" and ", " & ").replace("Community", "Comm.")
        case 1:
            return name[:4] + name[5:] if len(name) > 8 else f"The {name}"
        case 2:
            return f"{name} (drop-in)"
        case 3:
            return name.upper()
        case _:
            return name


def _gatherings(chance: random.Random, today: date) -> Iterator[dict[str, Any]]:
    """Groups that meet each week, which only this directory knows."""
    halls = list(Address.objects.filter(location__service_at_locations__service__in=_public()).order_by("pk").distinct()[: 30 * 12 : 30])
    for number, (name, what, kind, day, opens, closes, lowest, highest) in enumerate(GATHERINGS * 3):
        hall = halls[number % len(halls)]
        record = _record(
            f"gathering/{number}",
            f"{hall.city} {name}",
            what,
            f"{hall.city} Neighbours",
            hall,
            phone=phone(chance),
            kind=kind,
            checked=today - timedelta(days=chance.randint(1, 200)),
        )
        record["schedules"] = [
            {
                "id": _id(f"when/{number}"),
                "freq": "WEEKLY",
                "byday": day,
                "opens_at": opens,
                "closes_at": closes,
                "valid_from": "2026-01-05",
            }
        ]
        record |= {key: value for key, value in {"minimum_age": lowest, "maximum_age": highest}.items() if value is not None}
        record["cost_options"] = [{"id": _id(f"cost/{number}"), "option": "Each time", "amount": chance.choice((0, 0, 1, 2.5))}]
        yield record


def _faulty() -> Iterator[dict[str, Any]]:
    """What every real directory has a few of."""
    yield {"id": _id("nameless"), "status": "active", "organization": {"id": _id("o/nameless"), "name": "Nobody", "description": ""}}
    yield {"id": _id("nobody's"), "name": "Coffee morning", "status": "active"}
    yield {"name": "Tea dance", "status": "active"}


def _record(
    key: str, name: str, description: str, organization: str, address: Address | None, *, phone: str, kind: str, checked: date
) -> dict[str, Any]:
    """A service as an Open Referral UK feed has it."""
    places = []
    if address is not None:
        fields = ("address_1", "address_2", "city", "state_province", "postal_code", "country", "address_type")
        written = {field: getattr(address, field) for field in fields if getattr(address, field)}
        location: dict[str, Any] = {
            "id": _id(f"{key}/location"),
            "location_type": "physical",
            "addresses": [{"id": _id(f"{key}/address"), **written}],
        }
        if address.location.point is not None:
            location |= _position(address)
        places = [{"id": _id(f"{key}/at"), "location": location}]
    term = {"id": _id(f"term/{kind}"), "code": kind, "name": kind, "description": kind, "taxonomy": "Kinds"}
    return {
        "id": _id(key),
        "name": name,
        "description": description,
        "status": "active",
        "assured_date": checked.isoformat(),
        "organization": {"id": _id(f"organization/{organization}"), "name": organization, "description": organization},
        "phones": [{"id": _id(f"{key}/phone"), "number": phone}] if phone else [],
        "service_at_locations": places,
        "attributes": [{"id": _id(f"{key}/kind"), "taxonomy_term": term}] if kind else [],
    }


def _position(address: Address) -> dict[str, float]:
    assert address.location.point is not None
    point = to_wgs84(address.location.point)
    return {"latitude": round(point.y, 6), "longitude": round(point.x, 6)}


def _id(key: str) -> str:
    return str(derived("ribblesdale", key))


def _holidays(today: date) -> None:
    for year in (today.year - 1, today.year, today.year + 1):
        first = date(year, 9, 1)
        SchoolHoliday.objects.bulk_create(
            [
                SchoolHoliday(name=name, starts_on=first + timedelta(days=after), ends_on=first + timedelta(days=after + days))
                for after, days, name in HOLIDAYS
            ],
            ignore_conflicts=True,
        )
