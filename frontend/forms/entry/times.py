"""When a service is open: usual times as rules, and days that are different."""

from itertools import groupby
from typing import Any

from django import forms

from catalogue.entry.content import Content
from catalogue.models import Schedule

from .part import DateInput, PartForm, RowForm, TimeInput

DAYS = [
    ("MO", "Monday"), ("TU", "Tuesday"), ("WE", "Wednesday"), ("TH", "Thursday"), ("FR", "Friday"), ("SA", "Saturday"), ("SU", "Sunday"),
]  # fmt: skip
WEEKS = [("1", "First"), ("2", "Second"), ("3", "Third"), ("4", "Fourth"), ("-1", "Last")]
_TIME = {"invalid": "Write a time like 09:30."}
_DATE = {"invalid": "Write a real date, such as 27 March 2026."}


class ScheduleRow(RowForm):
    title = "Time"

    freq = forms.ChoiceField(
        label="How often",
        choices=[("WEEKLY", "Every week, or every few weeks"), ("MONTHLY", "Every month, or every few months")],
        initial="WEEKLY",
    )
    days = forms.MultipleChoiceField(label="Days", choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple)
    opens_at = forms.TimeField(label="From", required=False, widget=TimeInput, error_messages=_TIME)
    closes_at = forms.TimeField(label="To", required=False, widget=TimeInput, error_messages=_TIME)
    weeks = forms.MultipleChoiceField(
        label="If every month: which of these days of the month",
        choices=WEEKS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    month_days = forms.CharField(
        label="Or on these dates of each month", help_text="Numbers with commas between them, such as 1, 15.", required=False, max_length=40
    )
    interval = forms.IntegerField(
        label="Every how many weeks or months",
        help_text="1 is every one. 2 is every second one, counted from the first day below.",
        min_value=1,
        max_value=52,
        initial=1,
        widget=forms.NumberInput(attrs={"min": 1, "max": 52, "inputmode": "numeric"}),
        error_messages={"required": "Write 1 for every week or month."},
    )
    term = forms.ChoiceField(label="School terms", choices=Schedule.Term.choices, initial="always")
    valid_from = forms.DateField(label="First day", required=False, widget=DateInput, error_messages=_DATE)
    valid_to = forms.DateField(label="Last day", required=False, widget=DateInput, error_messages=_DATE)
    description = forms.CharField(label="Anything else about this time", max_length=300, required=False)
    dtstart = forms.DateField(required=False, widget=forms.HiddenInput)

    def wanted(self) -> bool:
        return self.has_changed() or bool(self.initial.get("given"))

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not self.wanted() or self.data.get(self.add_prefix("DELETE")):
            return sent
        monthly, numbers = sent.get("freq") == "MONTHLY", self._month_days(sent.get("month_days", ""))
        if numbers is None:
            self.add_error("month_days", "Write numbers from 1 to 31 with commas between them, such as 1, 15.")
        if not monthly and (sent.get("weeks") or sent.get("month_days")):
            self.add_error("freq", "You chose days of the month: choose “Every month”, or take them out.")
        if not sent.get("days") and not (monthly and numbers) and not sent.get("description"):
            self.add_error("days", "Choose at least one day.")
        if (sent.get("interval") or 1) > 1 and not (sent.get("valid_from") or sent.get("dtstart")):
            self.add_error("valid_from", "Give the first day, so that people know which weeks are meant.")
        if sent.get("valid_from") and sent.get("valid_to") and sent["valid_to"] < sent["valid_from"]:
            self.add_error("valid_to", "The last day cannot be before the first.")
        return sent

    @staticmethod
    def _month_days(text: str) -> list[int] | None:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 31 for part in parts if len(part) < 4):
            return None
        return None if any(len(part) > 2 for part in parts) else [int(part) for part in parts]

    def value(self) -> dict[str, Any]:
        """The row as `catalogue.entry.content` has it."""
        sent = self.cleaned_data
        monthly = sent["freq"] == "MONTHLY"
        weeks = sent["weeks"] if monthly and sent["weeks"] else [""]
        kept = ("freq", "interval", "dtstart", "valid_from", "valid_to", "opens_at", "closes_at", "description", "term")
        return {name: sent[name] for name in kept} | {
            "byday": ",".join(f"{week}{day}" for week in weeks for day in sent["days"]),
            "bymonthday": ",".join(map(str, self._month_days(sent["month_days"]) or [])) if monthly else "",
        }


class ExceptionRow(RowForm):
    title = "Different days"

    starts_on = forms.DateField(label="First day", required=False, widget=DateInput, error_messages=_DATE)
    ends_on = forms.DateField(
        label="Last day", help_text="Leave it empty for one day.", required=False, widget=DateInput, error_messages=_DATE
    )
    opens_at = forms.TimeField(
        label="Open from", help_text="Leave both times empty if you are closed.", required=False, widget=TimeInput, error_messages=_TIME
    )
    closes_at = forms.TimeField(label="Open to", required=False, widget=TimeInput, error_messages=_TIME)
    reason = forms.CharField(label="Why", help_text="Such as: Christmas.", max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if self.data.get(self.add_prefix("DELETE")) or not self.has_changed():
            return sent
        if not sent.get("starts_on") and "starts_on" not in self.errors:
            self.add_error("starts_on", "Give the first day, or remove this row.")
        if sent.get("starts_on") and sent.get("ends_on") and sent["ends_on"] < sent["starts_on"]:
            self.add_error("ends_on", "The last day cannot be before the first.")
        if bool(sent.get("opens_at")) != bool(sent.get("closes_at")):
            self.add_error("closes_at" if sent.get("opens_at") else "opens_at", "Give both times, or none if you are closed.")
        return sent


class TimesForm(PartForm):
    ROWS = {"schedules": ScheduleRow, "exceptions": ExceptionRow}

    def first_rows(self, name: str, shown: Content) -> list[dict[str, Any]]:
        if name == "exceptions":
            return super().first_rows(name, shown)
        return [row for schedule in shown["schedules"] for row in _as_rows(schedule)]

    def values(self) -> dict[str, Any]:
        kept = [row for row in self.rows["schedules"] if row.cleaned_data and not row.cleaned_data.get("DELETE") and row.wanted()]
        exceptions = [
            {name: row[name] for name in ("starts_on", "opens_at", "closes_at", "reason")} | {"ends_on": row["ends_on"] or row["starts_on"]}
            for row in self.said("exceptions")
        ]
        return {"schedules": [row.value() for row in kept], "exceptions": exceptions}


def _as_rows(schedule: dict[str, Any]) -> list[dict[str, Any]]:
    """One rule as rows of the form: several when it says different days of different weeks, such as `1TU,3FR`."""
    parts = [(part[:-2].lstrip("+"), part[-2:]) for part in schedule["byday"].upper().replace(" ", "").split(",") if part]
    by_week = {week: [day for _, day in group] for week, group in groupby(sorted(parts), key=lambda part: part[0])}
    # Weeks with the same days are one row.
    rows: dict[tuple[str, ...], list[str]] = {}
    for week, days in by_week.items():
        rows.setdefault(tuple(days), []).append(week)
    fixed = schedule | {"month_days": schedule["bymonthday"].replace(",", ", "), "given": True}
    return [fixed | {"days": list(days), "weeks": [week for week in weeks if week]} for days, weeks in (rows or {(): []}).items()]
