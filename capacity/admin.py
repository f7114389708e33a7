"""What the operator sets for capacity: how long a figure is believed. Figures themselves are told by providers, never here."""

from typing import ClassVar

from django.contrib import admin

from capacity.models import FreshnessPolicy


@admin.register(FreshnessPolicy)
class FreshnessPolicyAdmin(admin.ModelAdmin):
    list_display: ClassVar = ["care_type", "fresh_for", "expires_after"]
    list_select_related: ClassVar = ["care_type"]
    search_fields: ClassVar = ["care_type__name"]
    ordering: ClassVar = ["care_type__group", "care_type__name"]
