"""The words of messages about appointments: `en.toml` here, others in the folder `texts` of the one that `LUNE_LETTERS` names."""

from datetime import datetime
from pathlib import Path
from typing import Any

from core.clock import LONDON
from flow.letters.wording import Texts

TEXTS = Texts("texts", Path(__file__).parent / "en.toml", below="texts")


def moment(when: datetime, said: dict[str, Any]) -> dict[str, str]:
    """Day and time of something, as the words of a language name them."""
    local = when.astimezone(LONDON)
    day = said["day"].format(weekday=said["weekdays"][local.weekday()], number=local.day, month=said["months"][local.month - 1])
    return {"day": day, "time": f"{local:%H:%M}"}
