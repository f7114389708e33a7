from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FlowConfig(AppConfig):
    name = "flow"

    def ready(self) -> None:
        """A record with people on their way to it may not be merged away; providers are told how many wait near them."""
        from capacity import demand
        from catalogue.dedupe import blockers
        from flow.casework import other_sources, sources
        from flow.demand import waiting_near
        from flow.queries import open_requests
        from flow.self_referral.queries import requests_waiting

        post_migrate.connect(close_to_strangers, sender=self)
        blockers.register(open_requests)
        blockers.register(requests_waiting)
        demand.register(waiting_near)
        sources.register_all()
        other_sources.register_all()


def close_to_strangers(*, using: str, **told: Any) -> None:
    """After each `migrate`: PostgreSQL keeps to the same rules as `visible_to` (`flow.sight.policies`)."""
    from core.row_security import bring_in_line
    from flow.sight.policies import policies, questions

    if using == "default":
        bring_in_line(policies(), questions())
