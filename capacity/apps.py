from django.apps import AppConfig


class CapacityConfig(AppConfig):
    name = "capacity"

    def ready(self) -> None:
        """Tell the catalogue, which knows nothing of places itself, what it shows of them and when a record may not go."""
        from capacity.publishing import capacities
        from capacity.queries import held_places
        from catalogue.dedupe import blockers
        from catalogue.publishing import parts

        parts.register("capacities", capacities)
        blockers.register(held_places)
