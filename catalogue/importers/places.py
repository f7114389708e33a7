"""Points for postcodes, many at a time."""

from collections.abc import Iterable

from django.contrib.gis.geos import Point

from catalogue.models import Outcode, Postcode
from core.geo import normal_postcode


def points(postcodes: Iterable[str]) -> dict[str, Point]:
    """Where each postcode is, by the text that was given: its own centre if it is loaded, else its outcode's, else not in the answer."""
    wanted = {text: normal for text in postcodes if (normal := normal_postcode(text))}
    exact = {row.pk: row.point for row in Postcode.objects.filter(pk__in=set(wanted.values()))}
    rough = dict(Outcode.objects.filter(pk__in={n.split(" ")[0] for n in wanted.values() if n not in exact}).values_list("code", "point"))
    found = {text: exact.get(normal) or rough.get(normal.split(" ")[0]) for text, normal in wanted.items()}
    return {text: point for text, point in found.items() if point is not None}
