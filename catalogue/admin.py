"""The administrator's view of the catalogue and of who may sign in. Everyday work is done on the pages, not here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Field, URLField

from catalogue import models as m

#: An address typed without its scheme is taken to be https.
HTTPS: "dict[type[Field[Any, Any]], dict[str, Any]]" = {URLField: {"assume_scheme": "https"}}


class Seen(admin.ModelAdmin):
    """Rows that imports and the system write: to be looked at."""

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(m.User)
class PersonAdmin(UserAdmin):
    ordering = ["email"]
    list_display = ["email", "last_name", "first_name", "role", "organization", "is_active"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "last_name", "first_name"]
    autocomplete_fields = ["organization"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "job_title", "role", "organization"]}),
        ("Access", {"fields": ["is_active", "keeps_keys", "is_staff", "is_superuser"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "role", "organization", "password1", "password2"]})]
    readonly_fields = ["last_login", "date_joined"]


@admin.register(m.Organization)
class OrganizationAdmin(admin.ModelAdmin):
    formfield_overrides = HTTPS
    list_display = ["name", "kind", "ods_code", "cqc_provider_id", "edits_need_approval", "source"]
    list_filter = ["kind", "edits_need_approval"]
    search_fields = ["name", "ods_code", "cqc_provider_id"]
    readonly_fields = ["source", "source_id", "source_hash"]


class EligibilityInline(admin.StackedInline):
    model = m.Eligibility
    extra = 0


class CriterionInline(admin.TabularInline):
    model = m.EligibilityCriterion
    extra = 0
    autocomplete_fields = ["term"]


class RegistrationInline(admin.TabularInline):
    model = m.RegistrationCriterion
    extra = 0


@admin.register(m.Service)
class ServiceAdmin(admin.ModelAdmin):
    formfield_overrides = HTTPS
    list_display = ["name", "organization", "care_type", "status", "assured_date"]
    list_filter = ["status"]
    list_select_related = ["organization", "care_type"]
    inlines = [EligibilityInline, CriterionInline, RegistrationInline]
    search_fields = ["name"]
    autocomplete_fields = ["organization", "care_type", "taxonomy_terms"]
    readonly_fields = ["source", "source_id", "source_hash"]


@admin.register(m.QualityMark)
class QualityMarkAdmin(admin.ModelAdmin):
    """Marks are checked with whoever gives them before they are written down here."""

    formfield_overrides = HTTPS
    list_display = ["name", "scheme", "service", "organization", "score", "awarded_on", "expires_on"]
    list_filter = ["scheme"]
    list_select_related = ["service", "organization"]
    search_fields = ["name", "service__name", "organization__name"]
    autocomplete_fields = ["service", "organization"]


@admin.register(m.Location)
class LocationAdmin(admin.ModelAdmin):
    list_display = ["name", "location_type", "is_confidential"]
    search_fields = ["name", "uprn", "cqc_location_id"]
    # The map widget of Django asks a server far away; points come from imports.
    exclude = ["point"]
    readonly_fields = ["source", "source_id", "source_hash"]


@admin.register(m.Taxonomy)
class TaxonomyAdmin(admin.ModelAdmin):
    formfield_overrides = HTTPS
    list_display = ["name", "slug", "version"]
    search_fields = ["name"]


@admin.register(m.TaxonomyTerm)
class TaxonomyTermAdmin(admin.ModelAdmin):
    list_display = ["name", "taxonomy", "code", "group", "retired_at"]
    list_filter = ["taxonomy"]
    search_fields = ["name", "code"]
    readonly_fields = ["bit"]


@admin.register(m.ImportRun)
class ImportRunAdmin(Seen):
    list_display = ["started_at", "kind", "source", "status", "added", "changed", "unchanged", "rejected"]
    list_filter = ["kind", "status"]


@admin.register(m.SchoolHoliday)
class SchoolHolidayAdmin(admin.ModelAdmin):
    list_display = ["name", "starts_on", "ends_on", "lad"]
    list_filter = ["lad"]
    search_fields = ["name", "lad"]
