"""Places as FHIR R4: one pool is one HealthcareService, which carries its capacity as HL7's SDOH Clinical Care says.

The status is the extension of that guide (version 3.0.0). Figures have an extension of ours beside it, for the guide has none. What the
status says is what is believed now: a figure that has become too old is "Not known" in words, with no code, and never "capacity".
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings

from capacity.models import CapacityStatus
from capacity.queries import PoolState
from capacity.status import Rag
from core.errors import Invalid

VERSION = "4.0.1"
MEDIA_TYPE = "application/fhir+json"
_GUIDE = "http://hl7.org/fhir/us/sdoh-clinicalcare"
STATUS_URL = f"{_GUIDE}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus"
CODES = f"{_GUIDE}/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
#: As the guide writes them.
_DISPLAY = {
    CapacityStatus.CAPACITY: "Capacity",
    CapacityStatus.NO_CAPACITY: "No Capacity",
    CapacityStatus.WAITLIST: "Waitlist",
    CapacityStatus.ADDITIONAL_ASSESSMENT: "Additional Assessment Required",
}
#: Part of our extension, its value's type, and what `PoolState` and `operations.report` call it.
_COUNTS = {
    "available": "available", "maximum": "maximum", "occupied": "occupied", "reserved": "reserved", "waiting": "waiting",
    "expectedWaitDays": "expected_wait_days",
}  # fmt: skip
#: Parts that say what Lune thinks of a figure: read, never taken from anybody.
_READ_ONLY = {"held", "free", "colour", "word", "toldBy"}
_MOST = 100_000


def figures_url() -> str:
    return f"{settings.SITE_URL}/fhir/StructureDefinition/capacity-figures"


def healthcare_service(state: PoolState) -> dict[str, Any]:
    """The resource of one pool."""
    return {
        "resourceType": "HealthcareService",
        "id": str(state.id),
        "meta": {"versionId": str(state.version)} | ({"lastUpdated": _instant(state.reported_at)} if state.reported_at else {}),
        "extension": [_status(state), _figures(state)],
        "identifier": [{"system": f"{settings.SITE_URL}/directory", "value": str(state.service)}],
        "active": True,
        "providedBy": {
            "identifier": {"system": f"{settings.SITE_URL}/organizations", "value": str(state.organization)},
            "display": state.organization_name,
        },
        "type": [
            {
                "coding": [{"system": f"{settings.SITE_URL}/care-types", "code": state.care_type, "display": state.care_type_name}],
                "text": state.care_type_name,
            }
        ],
        "name": f"{state.service_name}: {state.name}",
    }


def code_of(state: PoolState) -> str | None:
    """The guide's code for what is believed now; None when it is not known."""
    if state.rag is Rag.GREY:
        return None
    return CapacityStatus.NO_CAPACITY.value if state.rag is Rag.RED else state.status


def _status(state: PoolState) -> dict[str, Any]:
    code = code_of(state)
    concept: dict[str, Any] = {"text": state.word}
    if code is not None:
        concept["coding"] = [{"system": CODES, "code": code, "display": _DISPLAY[CapacityStatus(code)]}]
    parts: list[dict[str, Any]] = [{"url": "capacityStatus", "valueCodeableConcept": concept}]
    if state.note:
        parts.append({"url": "capacityNotes", "valueString": state.note})
    return {"url": STATUS_URL, "extension": parts}


def _figures(state: PoolState) -> dict[str, Any]:
    counts = {part: getattr(state, name) for part, name in _COUNTS.items()} | {"held": state.held, "free": state.free}
    parts: list[dict[str, Any]] = [{"url": part, "valueUnsignedInt": count} for part, count in counts.items() if count is not None]
    parts.append({"url": "isOpen", "valueBoolean": state.is_open})
    if state.closed_reason:
        parts.append({"url": "closedReason", "valueString": state.closed_reason})
    if state.closed_until:
        parts.append({"url": "closedUntil", "valueDate": state.closed_until.isoformat()})
    if state.reported_at:
        parts.append({"url": "observedAt", "valueInstant": _instant(state.reported_at)})
    if state.told_by:
        parts.append({"url": "toldBy", "valueString": state.told_by})
    parts += [{"url": "colour", "valueCode": state.rag.value}, {"url": "word", "valueString": state.word}]
    return {"url": figures_url(), "extension": parts}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


# --- what was sent


def told(sent: Any, state: PoolState) -> dict[str, Any]:
    """What an update tells, as arguments of `operations.report`: nothing when it only confirms.

    It may change nothing but capacity: everything else must stand there as it was read. What is left out of the extensions keeps its
    value. Raises Invalid, in words that say which part and what to do.
    """
    if not isinstance(sent, dict) or sent.get("resourceType") != "HealthcareService":
        raise Invalid("Send a HealthcareService.", code="structure")
    if sent.get("id") != str(state.id):
        raise Invalid("The id of the resource must be that of the address.", code="invariant")
    ours = healthcare_service(state)
    free_to_differ = {"meta", "text", "extension"}
    for name in sorted((sent.keys() | ours.keys()) - free_to_differ):
        if sent.get(name) != ours.get(name):
            raise Invalid(
                f"Only capacity can be changed here, and “{name[:40]}” differs. Read it again and change its extensions alone.",
                code="business-rule",
            )
    parts = _parts(sent.get("extension", []), {STATUS_URL, figures_url()}, where="HealthcareService")
    figures = _told_figures(parts.get(figures_url()), state)
    return figures | _told_status(parts.get(STATUS_URL), state, figures)


def _parts(extensions: Any, known: set[str], *, where: str) -> dict[str, Mapping[str, Any]]:
    if not isinstance(extensions, list) or not all(isinstance(each, dict) for each in extensions):
        raise Invalid(f"The extensions of {where} must be a list of objects.", code="structure")
    found: dict[str, Mapping[str, Any]] = {}
    for each in extensions:
        url = each.get("url")
        if url not in known:
            raise Invalid(f"{where} has an extension that we do not know. Known are: {', '.join(sorted(known))}.", code="extension")
        if url in found:
            raise Invalid(f"{where} says “{url}” twice.", code="structure")
        found[url] = each
    return found


def _told_figures(extension: Mapping[str, Any] | None, state: PoolState) -> dict[str, Any]:
    if extension is None:
        return {}
    known = {*_COUNTS, *_READ_ONLY, "isOpen", "closedReason", "closedUntil", "observedAt"}
    parts = _parts(extension.get("extension", []), known, where="capacity-figures")
    figures: dict[str, Any] = {}
    for part, name in _COUNTS.items():
        if part in parts and (count := _count(parts[part], part)) != getattr(state, name):
            figures[name] = count
    if "isOpen" in parts and (is_open := _value(parts["isOpen"], "isOpen", "valueBoolean", bool)) != state.is_open:
        figures["is_open"] = is_open
    if figures.get("is_open", state.is_open) is False:
        if "closedReason" in parts:
            figures["closed_reason"] = _value(parts["closedReason"], "closedReason", "valueString", str)
        if "closedUntil" in parts:
            figures["closed_until"] = _moment(parts["closedUntil"], "closedUntil", "valueDate", date)
    if "observedAt" in parts:
        seen = _moment(parts["observedAt"], "observedAt", "valueInstant", datetime)
        # The time that was read, sent back as it was, says nothing new: somebody has looked again now.
        if state.reported_at is None or _instant(seen) != _instant(state.reported_at.astimezone(seen.tzinfo)):
            figures["observed_at"] = seen
    return figures


def _told_status(extension: Mapping[str, Any] | None, state: PoolState, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The status and note; the code that was read, sent back as it was, changes nothing."""
    if extension is None:
        return {}
    parts = _parts(extension.get("extension", []), {"capacityStatus", "capacityNotes"}, where="capacity status")
    if "capacityStatus" not in parts:
        raise Invalid("The capacity status needs its capacityStatus.", code="required")
    told: dict[str, Any] = {}
    if "capacityNotes" in parts:
        told["note"] = _value(parts["capacityNotes"], "capacityNotes", "valueString", str)
    code, shown = _code(parts["capacityStatus"]), code_of(state)
    if code is None:
        return told
    if code == shown:
        return told | ({"status": code} if figures and code == state.status else {})
    if not figures.get("is_open", state.is_open):
        raise Invalid("These places are closed. Say isOpen true in capacity-figures to open them.", code="business-rule")
    available = figures.get("available", state.available)
    free = None if available is None else available - state.held
    if code == CapacityStatus.NO_CAPACITY and free == 0:
        return told  # the figure says it already
    if code == CapacityStatus.CAPACITY and not free:
        raise Invalid("Say in capacity-figures how many are available too: as it stands none is known to be free.", code="business-rule")
    return told | {"status": code}


def _code(part: Mapping[str, Any]) -> str | None:
    concept = _value(part, "capacityStatus", "valueCodeableConcept", dict)
    codings = concept.get("coding", [])
    if not isinstance(codings, list) or not all(isinstance(each, dict) for each in codings):
        raise Invalid("The codings of capacityStatus must be a list of objects.", code="structure")
    ours = [each.get("code") for each in codings if each.get("system") == CODES]
    if codings and (len(ours) != 1 or ours[0] not in CapacityStatus.values):
        raise Invalid(f"capacityStatus must have one code of {CODES}: {', '.join(CapacityStatus.values)}.", code="code-invalid")
    return ours[0] if ours else None


def _count(part: Mapping[str, Any], name: str) -> int:
    value = part.get("valueUnsignedInt")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise Invalid(f"“{name}” must have a valueUnsignedInt from 0 to {_MOST:,}.", code="value")
    return value


def _value(part: Mapping[str, Any], name: str, key: str, kind: type) -> Any:
    value = part.get(key)
    if not isinstance(value, kind) or (isinstance(value, str) and ("\0" in value or not value.strip())):
        raise Invalid(f"“{name}” must have a {key}.", code="value")
    return value


def _moment(part: Mapping[str, Any], name: str, key: str, kind: Any) -> Any:
    text, like = _value(part, name, key, str), "2026-11-22T14:02:00Z" if kind is datetime else "2026-11-22"
    try:
        found = kind.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“{name}” must have a {key}, as {like}.", code="value") from None
    if kind is datetime and found.tzinfo is None:
        raise Invalid(f"“{name}” must say its time zone, as {like}.", code="value")
    return found


# --- what our extension is


def definition() -> dict[str, Any]:
    """The StructureDefinition of our extension: each part, its type and its words."""
    kinds = dict.fromkeys([*_COUNTS, "held", "free"], "unsignedInt") | {
        "isOpen": "boolean", "closedReason": "string", "closedUntil": "date", "observedAt": "instant", "toldBy": "string",
        "colour": "code", "word": "string",
    }  # fmt: skip
    elements: list[dict[str, Any]] = [
        {"id": "Extension", "path": "Extension", "short": "How many places there are, when that was seen, and what it is worth now"},
        {
            "id": "Extension.extension",
            "path": "Extension.extension",
            "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "closed"},
        },
    ]
    for part, kind in kinds.items():
        at, only = f"Extension.extension:{part}", "Read only. " if part in _READ_ONLY else ""
        elements += [
            {"id": at, "path": "Extension.extension", "sliceName": part, "short": f"{only}{part}", "min": 0, "max": "1"},
            {"id": f"{at}.url", "path": "Extension.extension.url", "fixedUri": part},
            {"id": f"{at}.value[x]", "path": "Extension.extension.value[x]", "min": 1, "type": [{"code": kind}]},
        ]
    elements.append({"id": "Extension.url", "path": "Extension.url", "fixedUri": figures_url()})
    return {
        "resourceType": "StructureDefinition",
        "id": "capacity-figures",
        "url": figures_url(),
        "name": "CapacityFigures",
        "status": "active",
        "fhirVersion": VERSION,
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": "HealthcareService"}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {"element": elements},
    }
