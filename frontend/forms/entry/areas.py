"""The area that a service covers: picked from lists, or drawn on the map."""

import hashlib
import json
from typing import Any, cast

from django import forms

from catalogue.entry.areas import find_areas
from catalogue.entry.content import Content
from core.geo import METRES_PER_MILE

from .part import PartForm

#: What may be said of an area, or of those who are registered somewhere.
RULES = [("", "Only people from here"), ("excluded", "Nobody from here"), ("preferred", "People from here first")]
#: Text of an outline that is longer was not drawn by hand.
LONGEST_OUTLINE = 80_000
LARGEST_FILE = 2_000_000


class OutlineError(ValueError):
    """What is wrong with an outline, in words for people."""


class AreasForm(PartForm):
    miles = forms.DecimalField(
        label="How far from you may people live", help_text="In miles. Leave it empty if there is no limit.", required=False,
        min_value=0, max_value=500, max_digits=5, decimal_places=1, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        error_messages={"invalid": "Write miles in figures, such as 5 or 7.5."},
    )  # fmt: skip
    areas = forms.MultipleChoiceField(
        label="Areas that you cover", help_text="Untick one to remove it.", required=False, widget=forms.CheckboxSelectMultiple
    )
    search = forms.CharField(
        label="Add an area",
        help_text="A district, a ward, the first half of a postcode like PR1, the code of a small area, or a GP practice or network.",
        required=False,
        max_length=120,
    )
    outline = forms.CharField(
        label="The outline",
        help_text="Made by the map. You can also paste a GeoJSON polygon here.",
        required=False,
        max_length=LONGEST_OUTLINE,
        widget=forms.Textarea(attrs={"spellcheck": "false"}),
        error_messages={"max_length": "That outline is too detailed. Draw it with fewer corners."},
    )
    outline_file = forms.FileField(
        label="Or send a GeoJSON file",
        help_text="One area in longitude and latitude, up to 2 MB and 2,000 corners.",
        required=False,
        error_messages={"empty": "The file is empty."},
    )
    outline_name = forms.CharField(label="What you call it", help_text="Such as: Ashton and Lea.", required=False, max_length=200)
    outline_rule = forms.ChoiceField(label="Who may come from it", choices=RULES, required=False)

    def __init__(self, data: Any, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.known = {_token(row, number): row for number, row in enumerate(self.shown["areas"])}
        labels = {token: _label(row) for token, row in self.known.items()}
        self.found: list[dict[str, str]] = []
        if data is not None:
            sent = [json.loads(text) for text in data.getlist("areas") if _is_choice(text)]
            text = data.get("search", "")[:120]
            self.found = find_areas(text) if text.strip() else []
            for row in [*sent, *self.found]:
                token = _token(row, 0)
                self.known.setdefault(token, {"key": row["key"], "name": row["name"]})
                labels.setdefault(token, f"{row['name']}: {row['kind']}" if "kind" in row else _label(row))
        cast(forms.ChoiceField, self.fields["areas"]).choices = list(labels.items())
        self._rules = {token: f"rule-{hashlib.sha256(token.encode()).hexdigest()[:12]}" for token in labels}
        for token, name in self._rules.items():
            said = self.known[token].get("rule", "")
            self.fields[name] = forms.ChoiceField(label=labels[token], choices=RULES, required=False, initial=said.replace("required", ""))
        self.initial["areas"] = [_token(row, number) for number, row in enumerate(self.shown["areas"])]
        metres = self.shown["catchment_m"]
        self.initial["miles"] = None if metres is None else round(metres / METRES_PER_MILE, 1)

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        chosen = set(sent.get("areas", []))
        if sent.get("search") and not ({_token(row, 0) for row in self.found} & chosen):
            if self.found:
                self.add_error("areas", "Tick the area that you mean, or empty the search box.")
            else:
                self.add_error("search", "We found no area called that. Check the spelling, or draw it on the map.")
        self._shape = None
        field = "outline_file" if sent.get("outline_file") else "outline"
        if text := self._sent_file() if sent.get("outline_file") else sent.get("outline"):
            try:
                self._shape, name = outline_in(json.loads(text))
            except (ValueError, RecursionError) as error:
                self.add_error(
                    field, str(error) if isinstance(error, OutlineError) else "That is no GeoJSON. Draw the area, or send it whole."
                )
            else:
                sent["outline_name"] = sent.get("outline_name") or name
                if field == "outline_file":  # no browser sends a file twice: when something else is wrong, it stays as text
                    again: Any = self.data
                    self.data = again = again.copy()
                    again["outline"] = json.dumps(self._shape)
            if not sent.get("outline_name"):
                self.add_error("outline_name", "Say what you call the area that you drew.")
        return sent

    def _sent_file(self) -> str:
        file = self.cleaned_data["outline_file"]
        return file.read().decode("utf-8", "replace").removeprefix("\ufeff") if file.size <= LARGEST_FILE else "too large"

    def drawn(self) -> list[tuple[str, str]]:
        """Areas that were drawn, each with what stands in its box and its name."""
        chosen = self["areas"].value() or []
        return [(token, row["name"] or "an area") for token, row in self.known.items() if "outline" in row and token in chosen]

    def values(self) -> dict[str, Any]:
        sent = self.cleaned_data
        rows = [self._ruled(self.known[token], sent.get(self._rules[token], "")) for token in sent["areas"]]
        if self._shape:
            drawn = {"key": "drawn", "name": sent["outline_name"], "outline": self._shape}
            rows.append(self._ruled(drawn, sent["outline_rule"]))
        return {"areas": rows, "catchment_m": self._metres(sent["miles"])}

    @staticmethod
    def _ruled(row: dict[str, Any], rule: str) -> dict[str, Any]:
        """The row with its rule; without one it is the usual: only people from there."""
        return {name: value for name, value in row.items() if name != "rule"} | ({"rule": rule} if rule else {})

    @property
    def rules(self) -> list[forms.BoundField]:
        """For each area, who may come from it."""
        return [self[name] for name in self._rules.values()]

    @property
    def ruled(self) -> bool:
        """Whether of some area something other than the usual is said."""
        return any(bound.value() or bound.errors for bound in self.rules)

    def _metres(self, miles: Any) -> int | None:
        """Miles that were not touched are the metres that they came from."""
        if miles is not None and self.initial["miles"] is not None and float(miles) == self.initial["miles"]:
            return cast(int, self.shown["catchment_m"])
        return None if miles is None else round(float(miles) * METRES_PER_MILE)

    def tell(self, errors: Any, message: str) -> None:
        drawn = "outline_file" if self.cleaned_data.get("outline_file") else "outline" if self.cleaned_data.get("outline") else "areas"
        super().tell({drawn if name == "areas" else name: texts for name, texts in errors.items()}, message)


def _token(row: dict[str, Any], number: int) -> str:
    """What stands in the box of an area: all that is needed to find it again, but for an outline, which stays in the directory."""
    if "outline" in row:
        return f"drawn {number}"
    return json.dumps({name: row[name] for name in ("key", "name")}, sort_keys=True)


def _label(row: dict[str, Any]) -> str:
    kind = row["key"].partition(":")[0]
    notes = {"outcode": "postcodes that begin so", "practice": "patients of this practice", "drawn": "drawn on the map",
             "pcn": "patients of this primary care network", "icb": "patients of this integrated care board"}  # fmt: skip
    return f"{row['name']}: {notes[kind]}" if kind in notes else row["name"]


def _is_polygon(shape: Any) -> bool:
    """Whether it has the form of a polygon in degrees; whether it is one on the ground, the directory decides."""
    if not isinstance(shape, dict) or shape.get("type") not in ("Polygon", "MultiPolygon"):
        return False
    depth = 2 if shape["type"] == "Polygon" else 3
    level: list[Any] = [shape.get("coordinates")]
    for _ in range(depth):
        if not all(isinstance(each, list) and each for each in level):
            return False
        level = [inner for each in level for inner in each]
    return all(
        isinstance(corner, list)
        and len(corner) in (2, 3)
        and all(isinstance(degrees, int | float) and -180 <= degrees <= 180 for degrees in corner[:2])
        for corner in level
    )


def _is_choice(text: str) -> bool:
    """Whether it is a box of ours, not something that a browser was told to send."""
    if len(text) > 800 or "\\u0000" in text:
        return False
    try:
        row = json.loads(text)
    except ValueError:
        return False
    return (
        isinstance(row, dict)
        and set(row) == {"key", "name"}
        and all(isinstance(value, str) and len(value) <= 200 for value in row.values())
        and row["key"].partition(":")[0] in ("area", "outcode", "practice", "pcn")
    )


def outline_in(sent: Any) -> tuple[dict[str, Any], str]:
    """The polygons of a GeoJSON text as one shape of the directory, and the name of the first feature. Raises OutlineError."""
    features = sent.get("features") if isinstance(sent, dict) and sent.get("type") == "FeatureCollection" else [sent]
    polygons: list[Any] = []
    name = ""
    for feature in features if isinstance(features, list) else []:
        shape = feature.get("geometry") if isinstance(feature, dict) and feature.get("type") == "Feature" else feature
        if shape is None or not _is_polygon(shape):
            raise OutlineError("That is no GeoJSON polygon of at least three corners, in degrees. Draw the area on the map.")
        polygons += shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        about = feature.get("properties")
        said = about.get("name") if isinstance(about, dict) else None
        name = name or (said.replace("\0", "")[:200] if isinstance(said, str) else "")
    if not polygons:
        raise OutlineError("There is no area in that GeoJSON. Send a polygon, or draw it on the map.")
    # Some programs write heights as well.
    return {"type": "MultiPolygon", "coordinates": [[[corner[:2] for corner in ring] for ring in each] for each in polygons]}, name


def redrawn(data: Any, token: str, shown: Content) -> Any:
    """The same answers with a drawn area taken out of the list and put on the map, unless something is drawn there already."""
    rows = {_token(row, number): row for number, row in enumerate(shown["areas"])}
    more = data.copy()
    if token in rows and "outline" in rows[token] and not more.get("outline"):
        more.setlist("areas", [each for each in more.getlist("areas") if each != token])
        more["outline"], more["outline_name"] = json.dumps(rows[token]["outline"]), rows[token]["name"]
        more["outline_rule"] = rows[token].get("rule", "")
    return more
