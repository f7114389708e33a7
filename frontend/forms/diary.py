"""Asking what is on. All of it is in the address, so that a diary can be shared and followed."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms

from core.clock import LONDON
from frontend.forms.directory import SearchForm

WEEK = timedelta(days=7)


class DiaryForm(SearchForm):
    """Which area, which week, which kind."""

    week = forms.DateField(required=False, widget=forms.HiddenInput)
    field_order = ("where", "miles", "care_type")

    def first_day(self, today: date) -> date:
        """The first of the seven days asked for; today when none was, or one out of reach."""
        asked = self.cleaned_data.get("week") or today
        return asked if today - 52 * WEEK <= asked <= today + 52 * WEEK else today

    def scope(self) -> dict[str, Any] | None:
        """Arguments for `catalogue.diary.diary`, without its time; None when no place is known."""
        self.is_valid()
        place = self.place
        if place is None:
            return None
        return {
            "near": place.point,
            "within_m": self.within_m or (None if place.area else 60 * 1609.344),
            "area": place.area,
            "care_type": self.cleaned_data.get("care_type", ""),
        }


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=LONDON)
