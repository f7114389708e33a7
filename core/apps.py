from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        """Every connection keeps in line with whoever acts."""
        from core.acting import watch

        connection_created.connect(watch, dispatch_uid="acting")
