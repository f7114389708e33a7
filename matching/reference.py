"""Reference rows that Lune ships for matching: the first set of weights."""

from dataclasses import asdict
from typing import Any

from core.ids import derived
from matching.engine.problem import Weights


def load(apps: Any = None) -> None:
    """Add the first set of weights if it is missing. An operator's own sets are left alone."""
    if apps is None:
        from django.apps import apps
    apps.get_model("matching", "WeightSet").objects.get_or_create(
        version=1,
        defaults={"id": derived("weights", "1"), "weights": asdict(Weights()), "note": "As shipped."},
    )
