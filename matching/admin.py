"""Weights are set by the operator. A change is a new version; what was used stays as it was."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import ModelForm

from catalogue.lexicon import Lexicon
from core import clock
from core.errors import LuneError
from matching import weights
from matching.engine.factors import FACTORS as FACTOR_CLASSES
from matching.engine.problem import FACTORS
from matching.models import Pathway, Tariff, UnmetNeed, WeightSet


class WeightSetForm(ModelForm):
    """A number for each factor. The version is given by `matching.weights`."""

    class Meta:
        model = WeightSet
        fields = ("pathway", "note")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for factor in FACTOR_CLASSES:
            self.fields[factor.code] = forms.IntegerField(label=factor.label.capitalize(), min_value=0, max_value=1000)

    def clean(self):
        data = super().clean() or {}
        if not self.errors:
            try:
                weights.checked(pathway=data["pathway"], weights={name: data[name] for name in FACTORS})
            except LuneError as error:
                raise ValidationError(str(error)) from None
        return data


@admin.register(WeightSet)
class WeightSetAdmin(admin.ModelAdmin):
    list_display = ("version", "pathway_name", "price", "created_at", "note")
    list_filter = ("pathway",)

    @admin.display(description="Pathway", ordering="pathway")
    def pathway_name(self, obj):
        return obj.get_pathway_display() or "General: all that have none of their own"

    @admin.display(description="Price counts for")
    def price(self, obj):
        return weights.price_share(obj.weights)

    def get_fields(self, request, obj=None):
        return ("version", "pathway", "weights", "note") if obj else ("pathway", *FACTORS, "note")

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **kwargs) if obj else WeightSetForm

    def get_changeform_initial_data(self, request):
        """Those in force for the pathway of the address, or the general ones, to be changed."""
        pathway = request.GET.get("pathway", "")
        now = WeightSet.objects.newest(pathway if pathway in Pathway.values else "")
        return {"pathway": pathway} | {name: now.weights.get(name, 0) for name in FACTORS}

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def save_form(self, request, form, change):
        data = form.cleaned_data
        given = {name: data[name] for name in FACTORS}
        return weights.change(pathway=data["pathway"], weights=given, note=data["note"], by=request.user, at=clock.now())

    def save_model(self, request, obj, form, change):
        """It was written by `matching.weights`."""

    def save_related(self, request, form, formsets, change):
        """There is nothing related."""


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
