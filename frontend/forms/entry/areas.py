"""The area that a service covers: picked from lists, or drawn on the map."""

import hashlib
import json
from typing import Any, cast

from django import forms

from catalogue.entry.areas import find_areas
from core.geo import METRES_PER_MILE

from .part import PartForm

#: What may be said of an area, or of those who are registered somewhere.
RULES = [("", "Only people from here"), ("excluded", "Nobody from here"), ("preferred", "People from here first")]
#: Text of an outline that is longer was not drawn by hand.
LONGEST_OUTLINE = 40_000


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
        if sent.get("outline"):
            try:
                self._shape = json.loads(sent["outline"])
            except (ValueError, RecursionError):
                self.add_error("outline", "That is no GeoJSON. Draw the area on the map, or paste the whole text.")
            else:
                if not sent.get("outline_name"):
                    self.add_error("outline_name", "Say what you call the area that you drew.")
                if isinstance(self._shape, dict) and self._shape.get("type") == "Feature":
                    self._shape = self._shape.get("geometry")
                if not _is_polygon(self._shape):
                    self.add_error("outline", "That is no GeoJSON polygon of at least three corners. Draw the area on the map.")
        return sent

    def values(self) -> dict[str, Any]:
        sent = self.cleaned_data
        rows = [self._ruled(self.known[token], sent.get(self._rules[token], "")) for token in sent["areas"]]
        if sent["outline"]:
            drawn = {"key": "drawn", "name": sent["outline_name"], "outline": _several(self._shape)}
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
        drawn = bool(self.cleaned_data.get("outline"))
        super().tell({"outline" if name == "areas" and drawn else name: texts for name, texts in errors.items()}, message)


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
        and len(corner) == 2
        and all(isinstance(degrees, int | float) and -180 <= degrees <= 180 for degrees in corner)
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


def _several(shape: dict[str, Any]) -> dict[str, Any]:
    """One polygon as the directory keeps it: of the several that it may have."""
    if shape.get("type") == "Polygon":
        return {"type": "MultiPolygon", "coordinates": [shape.get("coordinates")]}
    return shape
