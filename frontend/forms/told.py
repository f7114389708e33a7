"""What somebody says by a signed link: for each kind of place one answer, by one press or by ticks and numbers."""

import re
from collections.abc import Mapping
from uuid import UUID

from capacity.asking import Told
from core.errors import Invalid

#: Characters of a reason.
LONGEST = 200
_NUMBER = re.compile(r"\d{1,6}", re.ASCII)


def read(data: Mapping[str, str]) -> dict[UUID, Told]:
    """The answers by pool. A pool without an answer is left out; a number without a tick counts as one. Raises Invalid."""
    found = {}
    for name in data:
        if not name.startswith("version-"):
            continue
        try:
            pool = UUID(name.removeprefix("version-"))
        except ValueError:
            continue
        number = data.get(f"number-{pool}", "").strip()
        action = "same" if data.get("all") == "same" else data.get(f"do-{pool}", "") or ("other" if number else "")
        if not action:
            continue
        if not _NUMBER.fullmatch(data[name]):
            raise Invalid("This page is incomplete. Open the link again, then press the button again.", code="incomplete")
        found[pool] = Told(action=action, version=int(data[name]), number=int(number) if _NUMBER.fullmatch(number) else None)
    if not found:
        raise Invalid("Say of at least one kind of place how many are free.", code="nothing-told")
    return found


def because(data: Mapping[str, str]) -> str | None:
    """Why held places are taken back; None when that was not asked for. Raises Invalid."""
    if "because" not in data:
        return None
    said = data["because"].strip()
    if len(said) > LONGEST:
        raise Invalid(f"Keep the reason to {LONGEST} characters.", code="say-why")
    return said
