"""What the operator sets for capacity: how long a figure is believed. Figures themselves are told by providers, never here."""

from django.contrib import admin

from capacity.models import FreshnessPolicy


@admin.register(FreshnessPolicy)
class FreshnessPolicyAdmin(admin.ModelAdmin):
    list_display = ("care_type", "fresh_for", "expires_after")
    list_select_related = ("care_type",)
    search_fields = ("care_type__name",)
    ordering = ("care_type__group", "care_type__name")
