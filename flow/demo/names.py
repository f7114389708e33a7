"""Names of nobody and nothing: two-part words for organisations, ordinary names for people, numbers kept for drama."""

import json
import random
from collections.abc import Iterable
from pathlib import Path

_WORDS: dict[str, list[str]] = json.loads((Path(__file__).parent / "data" / "names.json").read_text())
GIVEN = {"female": _WORDS["female"], "male": _WORDS["male"]}
FAMILY = _WORDS["family"]


class Words:
    """Invented place-like words, each given once: "Larkgarth", "Otterwath"."""

    def __init__(self, rng: random.Random, taken: Iterable[str] = ()) -> None:
        """`taken` are names whose words must not be given again."""
        used = {word for name in taken for word in name.split()}
        pairs = [
            first + last
            for first in _WORDS["first_part"]
            for last in _WORDS["last_part"]
            if not first.lower().endswith(last) and first[-1] != last[0] and first + last not in used
        ]
        rng.shuffle(pairs)
        self._left = iter(pairs)

    def next(self) -> str:
        return next(self._left)


def phone(rng: random.Random) -> str:
    """A number from Ofcom's ranges for television and radio drama: it rings nowhere."""
    return f"01632 960{rng.randint(0, 999):03d}" if rng.random() < 0.8 else f"07700 900{rng.randint(0, 999):03d}"


def nhs_number(serial: int) -> str | None:
    """The synthetic NHS number 999sssssSx of that serial (0–999,999); None when its check digit would be ten."""
    digits = f"999{serial:06d}"
    check = 11 - sum(int(d) * weight for d, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return None if check == 10 else f"{digits}{0 if check == 11 else check}"
