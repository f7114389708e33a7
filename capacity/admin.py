"""What the operator sets for capacity: how long a figure is believed, how long and how many places are held.

Figures themselves are told by providers, never here.
"""

from django.contrib import admin

from capacity.models import FreshnessPolicy


@admin.register(FreshnessPolicy)
class FreshnessPolicyAdmin(admin.ModelAdmin):
    list_display = ("care_type", "fresh_for", "expires_after", "hold_for", "hold_extension", "holds_per_person", "holds_per_team")
    list_select_related = ("care_type",)
    search_fields = ("care_type__name",)
    ordering = ("care_type__group", "care_type__name")
