"""Reference rows that Lune ships for capacity: how long each kind of figure stays fresh."""

from datetime import timedelta
from typing import Any

from catalogue.vocabulary import FRESHNESS_HOURS


def load(apps: Any = None) -> None:
    """Add a freshness policy for each care type that has none. An operator's own figures are left alone."""
    if apps is None:
        from django.apps import apps
    policy_model = apps.get_model("capacity", "FreshnessPolicy")
    for term in apps.get_model("catalogue", "TaxonomyTerm").objects.filter(taxonomy__slug="care-type"):
        fresh, expires = FRESHNESS_HOURS[term.group]
        policy_model.objects.get_or_create(
            care_type=term, defaults={"fresh_for": timedelta(hours=fresh), "expires_after": timedelta(hours=expires)}
        )
