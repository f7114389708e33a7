"""Where somebody means: a postcode, its first half, a town, a district or a ward."""

from dataclasses import dataclass
from difflib import get_close_matches

from django.contrib.gis.geos import Point
from django.core.cache import cache
from django.db.models import QuerySet
from django.db.models.functions import Length

from catalogue.models import Area, Outcode
from catalogue.queries import find_place
from core.errors import Invalid
from core.geo import bng_point, normal_postcode, outcode

KEEP_SECONDS = 3_600
#: Kinds of area that people know by name.
NAMED = (Area.Kind.DISTRICT, Area.Kind.WARD)


@dataclass(frozen=True, slots=True)
class Where:
    """A place that was asked for. Distances count from its point; with an `area`, what lies in that is meant."""

    name: str
    point: Point
    area: Area | None = None


def find_where(text: str) -> Where:
    """The place that these words name. Raises `Invalid` with words that say what to type instead."""
    name = " ".join(text.split())
    if outcode(name) is not None:
        # Where half a postcode is, is asked often and changes once in years. A whole one is somebody's, and is kept nowhere.
        key = f"outcode:{outcode(name)}"
        kept = None if normal_postcode(name) else cache.get(key)
        if kept is not None:
            return Where(name=outcode(name) or "", point=bng_point(*kept))
        place = find_place(name)
        if not place.postcode:
            cache.set(key, place.point.coords, KEEP_SECONDS)
        return Where(name=place.postcode or place.outcode, point=place.point)
    # The lowest code is the middle of the town nearly everywhere: LA1, PR1, BB1.
    town = Outcode.objects.filter(town__iexact=name).order_by(Length("code"), "code").first() if name else None
    if town is not None:
        return Where(name=town.town, point=town.point)
    areas = list(Area.objects.filter(name__iexact=name, kind__in=NAMED).order_by("kind", "code")[:3]) if name else []
    if len(areas) > 1 and areas[0].kind == areas[1].kind:
        raise Invalid(f"There is more than one place called {areas[0].name}. Enter a postcode there instead.", code="place-not-one")
    if areas:
        return in_area(areas[0])
    known = [*Outcode.objects.exclude(town="").values_list("town", flat=True).distinct()]
    known += Area.objects.filter(kind__in=NAMED).values_list("name", flat=True)
    by_lower = {each.lower(): each for each in known}
    close = [by_lower[each] for each in get_close_matches(name.lower(), by_lower, n=2, cutoff=0.75)]
    did_you_mean = f" Did you mean {' or '.join(close)}?" if close else " Enter a postcode like PR1 2HE, or a town nearby."
    raise Invalid(f"We do not know a place called {name[:60]}.{did_you_mean}", code="place-unknown")


def in_area(area: Area) -> Where:
    """All of an area, counted from its middle."""
    return Where(name=area.name, point=area.outline.centroid, area=area)


def area_by_code(code: str) -> Area | None:
    """The district or ward with this national code."""
    return Area.objects.filter(code=code, kind__in=NAMED).first() if code else None


def district_of(where: Where) -> str:
    """Code of the district in which a place lies; empty when that is not known."""
    if where.area and where.area.kind == Area.Kind.DISTRICT:
        return where.area.code
    found = Area.objects.filter(kind=Area.Kind.DISTRICT, outline__covers=where.point)
    return found.values_list("code", flat=True).first() or ""


def districts() -> QuerySet[Area]:
    """Districts by name, without their outlines."""
    return Area.objects.filter(kind=Area.Kind.DISTRICT).order_by("name").only("code", "name")
