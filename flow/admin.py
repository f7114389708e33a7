"""The administrator's site: the pace of the demonstration, and the keys of record systems."""

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core import clock
from flow.models import LaunchKey, SimulatorControl


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


@admin.register(LaunchKey)
class LaunchKeyAdmin(admin.ModelAdmin):
    """Which record systems may launch referrals. Keys are made by `manage.py launch_key`, which tells their secret once."""

    list_display = ("name", "organization", "created_at", "expires_at", "revoked_at")
    readonly_fields = ("organization", "name", "created_at", "expires_at", "revoked_at")
    actions = ("take_back",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LaunchKey | None = None) -> bool:
        return False

    @admin.action(description="Take these keys back: nobody can launch with them any more", permissions=["change"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[LaunchKey]) -> None:
        changed = queryset.filter(revoked_at=None).update(revoked_at=clock.now())
        self.message_user(request, f"{changed} taken back.")
