from django.apps import AppConfig


class FlowConfig(AppConfig):
    name = "flow"

    def ready(self) -> None:
        """A record with people on their way to it may not be merged away; providers are told how many wait near them."""
        from capacity import demand
        from catalogue.dedupe import blockers
        from flow.demand import waiting_near
        from flow.queries import open_requests
        from flow.self_referral.queries import requests_waiting

        blockers.register(open_requests)
        blockers.register(requests_waiting)
        demand.register(waiting_near)
