"""The administrator's site: the pace of the demonstration."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from flow.models import SimulatorControl


@admin.register(SimulatorControl)
class SimulatorControlAdmin(admin.ModelAdmin):
    """One row: it can be changed, and neither added nor deleted. Hidden on a live site."""

    list_display = ("__str__", "running", "pace")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return settings.DEMO and super().has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SimulatorControl | None = None) -> bool:
        return False
