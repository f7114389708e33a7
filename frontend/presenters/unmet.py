"""The ledger of unmet need as rows of words, pins of a map and lines of a file."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from catalogue.lexicon import name_of
from catalogue.usage import SMALL
from frontend.environment import money, plural
from frontend.presenters.map import lat_lon
from matching.operations import reason_words
from matching.unmet import STEPS, AreaTotal, Ledger, Row

UNTOLD = "not told"
#: Fill of a pin by the step of an area, and what it means.
KEY = (("grey", f"fewer than {SMALL} needs"), ("amber", f"{STEPS[0]} to {STEPS[2] - 1}"), ("red", f"{STEPS[2]} or more"))


def kinds(row: Row) -> str:
    """`"Home care or Reablement at home"`."""
    return " or ".join(name_of("care-type", code) for code in row.care_types)


def area(row: Row, found: Ledger) -> str:
    """`"PR1, Preston"`."""
    town = found.towns.get(row.outcode, "")
    return f"{row.outcode}, {town}" if town else row.outcode


def reason(row: Row) -> str:
    return reason_words(row.reason).capitalize()


def number(value: int | None) -> str:
    return UNTOLD if value is None else f"{value:,}"


def cost(value: Decimal | None) -> str:
    """An amount, or that nobody has set a tariff for it, or that it would tell a small number."""
    return UNTOLD if value is None else "£0" if value == 0 else money(value)


def beds_words(found: Ledger) -> str:
    """What the cost of hospital beds is of. Not of a week: of the days of the period on which a hospital looked, which are not all days."""
    period, counted = plural((found.last - found.first).days + 1, "day"), plural(found.bed_days, "day")
    return f"in all, at least, for hospital beds in these {period}: {counted} counted, on which a hospital looked: estimate"


def words_of(total: AreaTotal) -> str:
    """`"10 to 19 needs"`."""
    if not total.at_least:
        return f"fewer than {SMALL} needs"
    later = [step for step in STEPS if step > total.at_least]
    return f"{total.at_least} to {later[0] - 1} needs" if later else f"{total.at_least} needs or more"


def pins(found: Ledger, address: str) -> list[dict[str, Any]]:
    """Postcode areas on the map, with how many needs each has, by steps."""
    told = []
    for total in found.areas:
        if total.point is None:
            continue
        lat, lon = lat_lon(total.point)
        fill = KEY[0][0] if not total.at_least else KEY[2][0] if total.at_least >= STEPS[2] else KEY[1][0]
        told.append(
            {
                "id": total.outcode,
                "number": f"{total.at_least}+" if total.at_least else f"<{SMALL}",
                "lat": lat,
                "lon": lon,
                "name": f"{total.outcode}, {total.town}" if total.town else total.outcode,
                "rag": fill,
                "word": words_of(total),
                "href": address,
            }
        )
    return told


HEAD = (
    "Kind of service", "Postcode area", "Town", "Reason", "Needs", "Not known to be met", "Days on which somebody looked",
    "Of these in hospital", "Estimate: pounds a week to provide", "Estimate: pounds of hospital beds",
)  # fmt: skip


def table(found: Ledger) -> Iterator[tuple[object, ...]]:
    """Lines of the file."""
    for row in found.rows:
        yield (
            kinds(row),
            row.outcode,
            found.towns.get(row.outcode, ""),
            reason(row),
            row.needs,
            number(row.still_open),
            row.days,
            number(row.bed_days),
            "" if row.a_week is None else row.a_week,
            "" if row.in_beds is None else row.in_beds,
        )
