"""The administrator's site: the pace of the demonstration, the keys of record systems, teams and hubs."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core import clock
from flow.models import Hub, LaunchKey, SimulatorControl, Team


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


class _Made(admin.ModelAdmin):
    """Says when a row was made, which nobody types. What is in use is never deleted: a hub is closed."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_at = clock.now()
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Team)
class TeamAdmin(_Made):
    """For organisations without a manager who signs in; the others set up their own under Sharing."""

    list_display = ("name", "organization", "keeps_to_itself")
    search_fields = ("name", "organization__name")
    autocomplete_fields = ("organization", "manager", "members")
    exclude = ("created_at",)


@admin.register(Hub)
class HubAdmin(_Made):
    """Single points of access: whose, with which team, for which districts and pathways."""

    list_display = ("name", "organization", "team", "is_active")
    autocomplete_fields = ("organization", "team")
    filter_horizontal = ("areas", "pathways")
    exclude = ("created_at",)
