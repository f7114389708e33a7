from django.apps import AppConfig


class FlowConfig(AppConfig):
    name = "flow"

    def ready(self) -> None:
        """A record with people on their way to it may not be merged away."""
        from catalogue.dedupe import blockers
        from flow.queries import open_requests

        blockers.register(open_requests)
