"""Reference rows that Lune ships for matching: its sets of weights."""

from dataclasses import asdict
from typing import Any

from core.ids import derived
from matching.engine.problem import Weights

_FIRST = {
    "distance": 300, "availability": 250, "freshness": 60, "known": 150, "preferences": 80, "priority": 20, "quality": 80, "price": 40,
    "assurance": 20,
}  # fmt: skip
_SECOND = _FIRST | {"currency": 40}
_THIRD = _SECOND | {"marks": 20, "journey": 40}
#: By version: the weights and what is new in them.
SHIPPED: dict[int, tuple[dict[str, int], str]] = {
    1: (_FIRST, "As shipped."),
    2: (_SECOND, "A record whose check is overdue ranks lower."),
    3: (_THIRD, "Marks of quality that are wished for, and getting there without a car."),
    4: (asdict(Weights()), "Travel time by the way that the person travels, interests, and times that suit."),
}


def load(apps: Any = None) -> None:
    """Add the sets that are missing. Where an operator has made one, only the first: the operator's own stays the newest."""
    if apps is None:
        from django.apps import apps
    sets = apps.get_model("matching", "WeightSet").objects
    ids = {version: derived("weights", str(version)) for version in SHIPPED}
    own = sets.exclude(id__in=ids.values()).exists()
    for version, (weights, note) in SHIPPED.items():
        if version == 1 or not own:
            sets.get_or_create(version=version, defaults={"id": ids[version], "weights": weights, "note": note})
