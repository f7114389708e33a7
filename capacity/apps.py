from django.apps import AppConfig


class CapacityConfig(AppConfig):
    name = "capacity"

    def ready(self) -> None:
        """Let the open catalogue show places free, of which it knows nothing itself."""
        from capacity.publishing import capacities
        from catalogue.publishing import parts

        parts.register("capacities", capacities)
