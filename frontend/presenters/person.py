"""One person's page in words: who is around them, what they agreed to, two records side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from catalogue.lexicon import name_of
from flow.merging import fields
from flow.models import Consent, Patient, RelatedPerson

_INVERSE = {"parent": "child", "child": "parent"}
_WORDS = dict(RelatedPerson.Relation.choices)
_CARE = {"cares": "Cares for them", "cared-for": "Is cared for by them"}
_CARE_INVERSE = {"cares": "cared-for", "cared-for": "cares"}


@dataclass(frozen=True, slots=True)
class Around:
    """Somebody around a person, as read from that person's side."""

    row: RelatedPerson
    name: str
    person: UUID | None
    what: str
    phone: str
    email: str
    is_own: bool

    @classmethod
    def of(cls, row: RelatedPerson, patient: Patient) -> "Around":
        own = row.patient_id == patient.pk
        other = row.person if own else row.patient
        relation = row.relation if own else _INVERSE.get(row.relation, row.relation)
        care = row.care if own else _CARE_INVERSE.get(row.care, "")
        words = [_WORDS[relation], _CARE.get(care, "")]
        if own:
            words += ["Next of kin"] * row.is_next_of_kin + ["May be spoken to"] * row.may_be_told
        return cls(
            row=row,
            name=other.full_name if other else row.name,
            person=other.pk if other else None,
            what=". ".join(word for word in words if word),
            phone=row.phone if own and row.phone else other.phone if other else row.phone,
            email=row.email if own else "",
            is_own=own,
        )


def number_words(patient: Patient) -> str:
    """The NHS number in its groups, or that there is none."""
    number = patient.nhs_number
    return f"{number[:3]} {number[3:6]} {number[6:]}" if number else "Not recorded"


def consent_words(consent: Consent) -> str:
    """What it is about: "Sharing with a kind of organisation: Council"."""
    return f"{consent.get_purpose_display()}{f': {consent.get_kind_display()}' if consent.kind else ''}"


def missing(current: Iterable[Consent]) -> list[str]:
    """Purposes about which nobody has asked yet, in words."""
    asked = {consent.purpose for consent in current}
    return [str(label) for code, label in Consent.Purpose.choices if code not in asked and code != Consent.Purpose.SHARING]


def sides(one: Patient, other: Patient, stays: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What differs between two records, and what is the same. Suggested is what the record says that stays, unless it says nothing."""
    differ: list[dict[str, Any]] = []
    same: list[dict[str, Any]] = []
    for name, (label, _) in fields.CHOICES.items():
        row = {"name": name, "label": label, "one": _lines(one, name), "other": _lines(other, name)}
        row["better"] = stays if row[stays] else "other" if stays == "one" else "one"
        # Of the same words only the point on the map may differ: nothing that anybody could choose by.
        (same if row["one"] == row["other"] else differ).append(row)
    return differ, [row for row in same if row["one"]]


def _lines(patient: Patient, choice: str) -> list[str]:
    match choice:
        case "name":
            said = [patient.full_name]
        case "birth_date":
            said = [f"{patient.birth_date:%-d %B %Y}"]
        case "nhs_number":
            said = [number_words(patient), patient.get_nhs_status_display()] if patient.nhs_number else []
        case "sex":
            said = [patient.get_sex_display()]
        case "home":
            said = [patient.address, patient.postcode]
        case "phone":
            said = [patient.phone]
        case "email":
            said = [patient.email]
        case "contact":
            said = [patient.get_preferred_contact_display() if patient.preferred_contact else "", patient.contact_note]
        case "language":
            interpreter = "Needs an interpreter" if patient.needs_interpreter else ""
            said = [name_of("language", patient.preferred_language), interpreter]
        case _:
            said = patient.access_words
    return [line for line in said if line]
