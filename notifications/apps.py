from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from anymail.signals import tracking

        from notifications.notices import provider

        tracking.connect(provider.take, dispatch_uid="receipts of mail")
