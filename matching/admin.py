"""Weights are set by the operator. A change is a new version; what was used stays as it was."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm

from catalogue.lexicon import Lexicon
from matching.engine.problem import FACTORS, Weights
from matching.models import Tariff, UnmetNeed, WeightSet


class WeightSetForm(ModelForm):
    def clean_weights(self):
        weights = self.cleaned_data["weights"]
        if not isinstance(weights, dict) or set(weights) != set(FACTORS):
            raise ValidationError(f"Give a number for each of: {', '.join(FACTORS)}.")
        try:
            Weights(**weights)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        self.instance.chances = WeightSet.objects.newest().chances if weights["likelihood"] else {}
        if weights["likelihood"] and not self.instance.chances:
            raise ValidationError("How likely a yes is may count only while a version that was learned is switched on: give likelihood 0.")
        return weights


@admin.register(WeightSet)
class WeightSetAdmin(admin.ModelAdmin):
    form = WeightSetForm
    list_display = ("version", "created_at", "note")
    fields = ("version", "weights", "note")

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        obj.created_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(UnmetNeed)
class UnmetNeedAdmin(admin.ModelAdmin):
    list_display = ("at", "outcode", "care_types", "reason")
    list_filter = ("reason",)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class TariffForm(ModelForm):
    def clean_code(self):
        code = self.cleaned_data["code"]
        if code != Tariff.BED_DAY and not Lexicon.read().knows("care-type", code):
            raise ValidationError(f"Give the code of a kind of care, like home-care, or {Tariff.BED_DAY}.")
        return code


@admin.register(Tariff)
class TariffAdmin(admin.ModelAdmin):
    form = TariffForm
    list_display = ("code", "pounds", "note")
