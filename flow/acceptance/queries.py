"""What people may read of what was learned: versions, their figures, and who switched what."""

from dataclasses import dataclass

from catalogue.models import User
from core.errors import NotFound
from flow.models import AcceptanceModel, AcceptanceSwitch

#: So many versions and switches are listed.
LISTED = 14


@dataclass(frozen=True, slots=True)
class Overview:
    """`shown` is the version asked for; else the one that is on; else the newest. None: nobody has learned anything yet."""

    shown: AcceptanceModel | None
    on: AcceptanceModel | None
    on_since: AcceptanceSwitch | None
    versions: list[AcceptanceModel]
    switches: list[AcceptanceSwitch]
    may_switch: bool


def overview(user: User, *, version: int | None = None) -> Overview:
    """All of it. Raises NotFound for a version that there is not."""
    seen = AcceptanceModel.objects.visible_to(user)
    versions = list(seen[:LISTED])
    on = seen.filter(is_on=True).first()
    shown = on or next(iter(versions), None)
    if version is not None:
        shown = seen.filter(version=version).first()
        if shown is None:
            raise NotFound("There is no such version any more.")
    switches = list(AcceptanceSwitch.objects.filter(model__in=seen).select_related("model", "by")[:LISTED])
    since = next((each for each in switches if on and each.on and each.model_id == on.pk), None)
    return Overview(shown, on, since, versions, switches, may_switch=user.is_administrator)
