"""Switching on or off what was learned of how likely a yes is."""

from django import forms

from matching.chances import MOST_POINTS, POINTS


class SwitchOnForm(forms.Form):
    points = forms.IntegerField(
        label="Points that it may give",
        min_value=1,
        max_value=MOST_POINTS,
        initial=POINTS,
        help_text=f"From 1 to {MOST_POINTS}. The distance gives up to 300.",
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), f"Give a whole number of points from 1 to {MOST_POINTS}."
        ),
    )
    reason = forms.CharField(
        label="Why",
        max_length=300,
        help_text="Kept, with your name, for everybody who asks later.",
        error_messages={"required": "Say why: others will ask.", "max_length": "Say why in at most 300 characters."},
    )
    read = forms.BooleanField(
        label="I have read the figures on this page, also those by group of people",
        error_messages={"required": "Read the figures first, then tick this box."},
    )


class SwitchOffForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=300,
        help_text="Kept, with your name, for everybody who asks later.",
        error_messages={"required": "Say why: others will ask.", "max_length": "Say why in at most 300 characters."},
    )
