"""What other parts know of a person, for the story: who came to a session, calls that were written down, rules, hubs."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from core.clock import LONDON
from flow.casework.story import Entry, Reader, register
from flow.models import Attendance, Booking, HubStep, PhoneCall, Referral, RuleDeed


def attendance(reader: Reader) -> Iterator[Entry]:
    """When somebody was to come, and whether they did. Of several marks of one session the last one counts."""
    booked = Booking.objects.visible_to(reader.user).filter(task__referral__patient=reader.patient)
    for one in reader.newest(booked.select_related("service", "booked_by"), "booked_at"):
        when = f"{one.starts_at.astimezone(LONDON):%H:%M on %-d %B %Y}{', with ' + one.worker if one.worker else ''}"
        words = f"Expected at {one.service.name}{', cancelled' if one.cancelled_at else ''}"
        yield Entry(f"booking:{one.pk}", one.booked_at, words, when, withdrawn=one.cancelled_at is not None)
    marks = Attendance.objects.visible_to(reader.user).filter(booking__task__referral__patient=reader.patient)
    corrected = Attendance.objects.filter(booking=OuterRef("booking"), pk__gt=OuterRef("pk"))
    for mark in reader.newest(marks.filter(~Exists(corrected)).select_related("booking__service", "by")):
        came = mark.mark == Attendance.Mark.PRESENT
        words = f"{mark.get_mark_display()}: {mark.booking.service.name}"
        more = f"{mark.booking.starts_at.astimezone(LONDON):%H:%M on %-d %B %Y}"
        more += f". {mark.get_reason_display()}" if mark.reason else ""
        yield Entry(f"mark:{mark.booking_id}", mark.at, words, more, str(mark.by or ""), tone="good" if came else "bad")


def calls(reader: Reader) -> Iterator[Entry]:
    """Calls to services that do not sign in. A yes or no that was said on the telephone stands among the answers too, as the step it is."""
    found = PhoneCall.objects.visible_to(reader.user).filter(task__referral__patient=reader.patient)
    for call in reader.newest(found.select_related("task__pool__service", "by"), "rung_at"):
        words = f"Call to {call.task.pool.service.name}: {call.get_said_display()}"
        more = ". ".join(filter(None, [call.rung, call.words]))
        yield Entry(f"call:{call.pk}", call.rung_at, words, more, str(call.by or ""), ("referral", call.task.referral_id))


def rules(reader: Reader) -> Iterator[Entry]:
    """What a process rule did, or could not do, and why."""
    sent = Referral.objects.visible_to(reader.user).filter(patient=reader.patient).order_by().values("pk")
    found = RuleDeed.objects.visible_to(reader.user).filter(referral__in=sent)
    for deed in reader.newest(found.select_related("rule")):
        words = f"Rule “{deed.rule.name}”{': not possible' if deed.outcome == RuleDeed.Outcome.REFUSED else ''}"
        yield Entry(f"rule:{deed.pk}", deed.at, words, deed.words, "Lune", ("referral", deed.referral_id))


def hubs(reader: Reader) -> Iterator[Entry]:
    """The way of a referral through a hub."""
    sent = Referral.objects.visible_to(reader.user).filter(patient=reader.patient).order_by().values("pk")
    found = HubStep.objects.filter(entry__referral__in=sent).select_related("hub", "entry", "organization")
    for step in reader.newest(found):
        words = f"{step.hub.name}: {step.get_action_display()}"
        who = step.organization.name if step.organization else "Lune"
        yield Entry(f"hub:{step.pk}", step.at, words, step.words, who, ("referral", step.entry.referral_id))


def register_all() -> None:
    """The sources of this module, in the order of the filter."""
    register("attendance", "Sessions and visits", attendance)
    register("calls", "Telephone calls", calls)
    register("hubs", "Hubs", hubs)
    register("rules", "Rules", rules)
