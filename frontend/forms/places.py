"""What a provider says about one pool of places: by one tap, or by the whole form; and what a pool is."""

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django import forms

from capacity import limits
from capacity.batch import MOST_LINES
from capacity.kinds import bed_type_of, kind_of, units_of
from capacity.models import BedType, CapacityStatus, Infection, Per, ServiceCapacity
from catalogue.models import Service
from core.errors import Invalid
from frontend.presenters.opening import opening

_WHOLE = "in figures, or leave it empty."
#: What to tell somebody whose press on a card could not be understood.
ADVICE = {
    "available": "Write the number of empty places in figures, for example 3.",
    "maximum": f"Write the total number of places {_WHOLE}",
    "occupied": f"Write how many places are taken {_WHOLE}",
    "reserved": f"Write how many places you keep for somebody {_WHOLE}",
    "waiting": f"Write how many people are waiting {_WHOLE}",
    "expected_wait_days": f"Write how many days somebody would wait {_WHOLE}",
    "status": "Choose whether you are taking people.",
    "is_open": "Choose whether these places are open or closed for now.",
    "closed_reason": "Keep the reason to 200 characters.",
    "closed_until": "Choose the day when they open again, or leave it empty.",
    "note": "Keep the note to 200 characters.",
    "because": "Keep the reason to 200 characters.",
    "action": "Press one of the buttons on the card.",
    "key": "This page is incomplete. Load it again, then press the button again.",
    "version": "This page is incomplete. Load it again, then press the button again.",
}


#: What somebody writes or chooses in the whole form.
WRITTEN = (
    "available", "maximum", "occupied", "reserved", "waiting", "expected_wait_days", "status", "is_open", "closed_reason", "closed_until",
    "note",
)  # fmt: skip


def _count() -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=9_999, required=False)


class PlaceForm(forms.Form):
    """One button press on one card. `version` is the figure that the person was looking at when they pressed."""

    version = forms.IntegerField(min_value=1)
    key = forms.CharField(max_length=64, required=False)
    action = forms.ChoiceField(choices=[(name, name) for name in ("less", "more", "full", "same", "set")])
    available = _count()
    maximum = _count()
    occupied = _count()
    reserved = _count()
    waiting = _count()
    expected_wait_days = _count()
    status = forms.ChoiceField(choices=CapacityStatus.choices, required=False)
    is_open = forms.ChoiceField(choices=[("yes", "Open"), ("no", "Closed for now")], required=False)
    closed_reason = forms.CharField(max_length=200, required=False)
    closed_until = forms.DateField(required=False)
    note = forms.CharField(max_length=200, required=False)
    because = forms.CharField(max_length=200, required=False)

    def taking_back(self) -> str | None:
        """Why held places are taken back; None when that was not asked for."""
        return self.cleaned_data["because"] if "because" in self.data else None

    def typed(self) -> dict[str, str]:
        """What was written into the whole form; nothing when one of the quick buttons was pressed."""
        return {name: self.data.get(name, "") for name in WRITTEN} if self.data.get("action") == "set" else {}

    def changes(self, pool: ServiceCapacity) -> dict[str, Any]:
        """What to hand to `capacity.operations.report`, given the pool as it stands. Raises Invalid with words for the person.

        “Same” renews the time and nothing else. A box that was not on the page says nothing.
        """
        if not self.is_valid():
            raise Invalid(ADVICE[next(iter(self.errors))])
        sent = self.cleaned_data
        match sent["action"]:
            case "less":
                return {"available": max(0, (pool.available or 0) - 1)}
            case "more":
                return {"available": (pool.available or 0) + 1}
            case "full":
                return {"available": 0}
            case "set":
                return self._written()
            case _:
                return {}

    def _written(self) -> dict[str, Any]:
        sent = self.cleaned_data
        if not sent["status"]:
            raise Invalid(ADVICE["status"])
        told = {name: sent[name] for name in WRITTEN if name in self.data}
        if "is_open" in told:
            told["is_open"] = told["is_open"] != "no"
            if told["is_open"] and (sent["closed_reason"] or sent["closed_until"]):
                raise Invalid("You said why or until when these places are closed. Choose “Closed for now”, or take that away.")
        return told


def confirmed(values: Iterable[str]) -> dict[UUID, int]:
    """Which figures one press says are still correct: of each pool the version that stood on the page. Raises Invalid."""
    found: dict[UUID, int] = {}
    for value in values:
        pool, _, version = value.partition(":")
        try:
            found[UUID(pool)] = min(int(version), 2**31 - 1)
        except ValueError as error:
            raise Invalid(ADVICE["version"]) from error
    if not 0 < len(found) <= MOST_LINES:
        raise Invalid(ADVICE["version"])
    return found


def _newcomers(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, help_text="A plan then suggests no more for one day. Leave it empty when it does not matter.",
        min_value=1, max_value=999, required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": "Write the number in figures, or leave it empty.", "min_value": "Write at least 1, or leave it empty."},
    )  # fmt: skip


class PoolForm(forms.Form):
    """What one pool of places is: what it is called, what is counted, for whom, and for which time."""

    name = forms.CharField(
        label="What do you call these places?", help_text="For example “Dementia nursing beds” or “Exercise class”.", max_length=120,
        error_messages={"required": "Say what people call these places.", "max_length": "Keep the name to 120 characters."},
    )  # fmt: skip
    unit = forms.ChoiceField(label="What do you count?", widget=forms.Select, error_messages={"required": "Choose what is counted."})
    bed_type = forms.ChoiceField(label="Type of bed", choices=[("", "Not said"), *BedType.choices], required=False)
    maximum = forms.IntegerField(
        label="How many are there in all?", help_text="Of sessions: at each one. Leave it empty when there is no fixed number.",
        min_value=0, max_value=9_999, required=False, widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": "Write the number in figures, or leave it empty."},
    )  # fmt: skip
    for_sex = forms.ChoiceField(
        label="Who are they for?", choices=[("", "Anybody"), ("female", "Women only"), ("male", "Men only")], required=False,
        help_text="Women only or men only where the law allows it: a single-sex room or ward.", widget=forms.RadioSelect,
    )  # fmt: skip
    per = forms.ChoiceField(
        label="For which time are they counted?", required=False, widget=forms.RadioSelect,
        choices=[(Per.ONCE, "At any time: a bed, a caseload"), (Per.DAY, "A day"), (Per.WEEK, "A week"), (Per.SESSION, "A session")],
    )  # fmt: skip
    schedule = forms.ChoiceField(
        label="Of sessions: which times?", required=False,
        help_text="The times in the entry of the service. Places for the sessions of the next 8 weeks are made from them, each night.",
    )  # fmt: skip

    shared = forms.ChoiceField(
        label="Do people share a room here?", required=False, widget=forms.RadioSelect,
        choices=[("", "No"), ("yes", "Yes, these places are in one room")],
        help_text="A plan then suggests only women or only men for it, and nobody beside somebody with an infection.",
    )  # fmt: skip
    room_sex = forms.ChoiceField(
        label="Who is in it now?", choices=[("", "Nobody"), ("female", "Women"), ("male", "Men")], required=False,
    )  # fmt: skip
    room_infection = forms.ChoiceField(label="Do those in it have an infection?", choices=Infection.choices, required=False)
    a_day = _newcomers("At most how many newcomers a day here?")
    service_a_day = _newcomers("And in the whole service?")

    def __init__(self, *args: Any, service: Service, pool: ServiceCapacity | None = None, **kwargs: Any) -> None:
        kind = kind_of(service.care_type)
        if pool is None:
            code = service.care_type.code if service.care_type else ""
            start: dict[str, Any] = {"name": kind.name, "per": kind.per, "bed_type": bed_type_of(code), "for_sex": ""}
        else:
            start = {name: getattr(pool, name) for name in ("name", "unit", "bed_type", "for_sex", "per")} | {"schedule": pool.schedule_id}
        super().__init__(*args, **kwargs | {"initial": start | limits.of(service.pk, pool)})
        units = list(dict.fromkeys([*units_of(service.care_type), *([pool.unit] if pool else [])]))
        cast(forms.ChoiceField, self.fields["unit"]).choices = [(unit, f"{unit.capitalize()}s") for unit in units]
        self._schedules = {str(each.pk): each for each in service.schedules.all()}
        times = [(pk, opening(each) or str(each)) for pk, each in self._schedules.items()]
        cast(forms.ChoiceField, self.fields["schedule"]).choices = [("", "No sessions"), *times]
        if not times:
            del self.fields["schedule"]
        if not (kind.has_bed_types or (pool is not None and kind_of(pool.care_type).has_bed_types)):
            del self.fields["bed_type"]
        if pool is not None:
            del self.fields["maximum"]

    def set_up(self) -> dict[str, Any]:
        """What to hand to `capacity.pools`."""
        sent = dict(self.cleaned_data)
        if "schedule" in sent:
            sent["schedule"] = self._schedules.get(sent["schedule"])
        return sent


class FiguresFileForm(forms.Form):
    """A file with the figures of many places. What is in it is looked at by `capacity.files`."""

    file = forms.FileField(
        label="The file", help_text="CSV or Excel workbook (.xlsx), up to 2 MB.",
        error_messages={"required": "Choose a file.", "empty": "That file is empty. Choose another one."},
    )  # fmt: skip
