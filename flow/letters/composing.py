"""What a letter says. Never why, nor what somebody lives with: an envelope is opened by others too."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict

from catalogue.lexicon import name_of
from catalogue.models import Service
from core.clock import LONDON
from flow.hubs.steps import HubState
from flow.letters.wording import USUAL, languages, words
from flow.models import Referral, ReferralTask
from flow.queries import summary_status
from flow.workflow import Status

_NOTHING = (Status.REJECTED, Status.FAILED)


class Section(TypedDict):
    """A heading, empty for the greeting, its lines, and what is listed below the first of them."""

    heading: str
    lines: list[str]
    items: list[str]


def compose(
    referral: Referral, *, language: str, call: str, said: dict[str, Any] | None = None, others: Iterable[str] = ()
) -> list[Section]:
    """The letter about a referral as it stands now. Reads its tasks with `pool.service.organization`, `profile`, `patient` and
    `hub_entry`. `said`: the words of the language, if the organisation has its own. `others`: the languages in which it could be written.
    """
    said = said or words(language)
    tasks = [task for task in referral.tasks.all() if task.status != Status.ENTERED_IN_ERROR]
    names = list(dict.fromkeys(_name(task, said) for task in tasks))
    unasked = "" if tasks else _unasked(referral)
    return [
        {
            "heading": "",
            "lines": [
                said["dear"].format(name=referral.patient.full_name),
                said["from"].format(team=referral.organization.name),
                *_only_english(referral.patient.preferred_language, language, others or languages(), said),
            ],
            "items": [],
        },
        _asked(referral, names, unasked, said),
        {"heading": said["next_heading"], "lines": list(said["next"][unasked]) if unasked else _next(tasks, said), "items": []},
        {"heading": said["call"]["heading"], "lines": [line.format(call=call) for line in said["call"]["lines"]], "items": []},
        {"heading": said["mind"]["heading"], "lines": list(said["mind"]["lines"]), "items": []},
    ]


def _only_english(prefers: str, language: str, others: Iterable[str], said: dict[str, Any]) -> list[str]:
    """To somebody who prefers a language in which there is no letter: that this one is English, and that it can be read to them."""
    if language != USUAL or prefers in ("", *others):
        return []
    return [said["only_english"].format(language=name_of("language", prefers))]


def plain(sections: list[Section]) -> str:
    """The same as plain text, for an e-mail, a message or a screen reader."""
    parts = []
    for section in sections:
        lines = [section["heading"].upper()] if section["heading"] else []
        first, *rest = section["lines"]
        parts.append("\n".join([*lines, first, *(f"- {item}" for item in section["items"]), *rest]))
    return "\n\n".join(parts) + "\n"


def _unasked(referral: Referral) -> str:
    """How a referral stands that asks no place: with a hub, with nobody yet, or stopped."""
    entry = getattr(referral, "hub_entry", None)
    if referral.closed_at is not None or (entry is not None and entry.state == HubState.WITHDRAWN):
        return "cancelled"
    if entry is not None and entry.state != HubState.RETURNED:
        return "hub"
    # What was asked by mistake and taken back is not about to be asked.
    return "cancelled" if entry is None and referral.tasks.all() else "nobody"


def _asked(referral: Referral, names: list[str], unasked: str, said: dict[str, Any]) -> Section:
    kinds = [name_of("care-type", code) for code in referral.profile.care_types]
    if unasked:
        lines = list(said["asked_hub" if unasked == "hub" else "asked_nobody"])
    else:
        lines = [said["asked_one"].format(services=names[0])] if len(names) == 1 else [said["asked_many"]]
    # Where the name must not be told, neither is the kind of help.
    if kinds and said["private"] not in names:
        lines.append(said["kind"].format(kind=f" {said['and']} ".join(kinds)))
    return {"heading": said["asked_heading"], "lines": [*lines, said["seen"]], "items": names if len(names) > 1 else []}


def _next(tasks: list[ReferralTask], said: dict[str, Any]) -> list[str]:
    status = summary_status(task.status for task in tasks)
    yes = next((task for task in tasks if task.status == status), None)
    if status == Status.REQUESTED:
        by = [task.respond_by for task in tasks if task.status == status and task.respond_by]
        if by:
            return [line.format(day=_day(max(by), said)) for line in said["next"]["requested_by"]]
        return list(said["next"]["requested"])
    key = "nothing" if status in _NOTHING else status if status in said["next"] else "cancelled"
    return [line.format(service=_name(yes, said) if yes else "") for line in said["next"][key]]


def _name(task: ReferralTask, said: dict[str, Any]) -> str:
    service: Service = task.pool.service
    hidden = service.is_confidential or service.organization.is_confidential
    if (location := task.pool.location) is not None:
        hidden |= location.is_confidential
    return str(said["private"]) if hidden else service.name


def _day(moment: datetime, said: dict[str, Any]) -> str:
    day = moment.astimezone(LONDON).date()
    return str(said["day"]).format(number=day.day, month=said["months"][day.month - 1])
