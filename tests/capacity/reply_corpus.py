"""The replies of replies.csv with the pools that they are about."""

import csv
from dataclasses import dataclass
from pathlib import Path

from capacity.understand import AskAgain, PoolWords, Stop, Understood

NAMES = ("Fir Grove", "Fir Grove Care Home")
_R, _N = "residential", "nursing"
#: Name, unit, bed type, places for whom.
KINDS = {
    "GR": ("General residential beds", "bed", f"general-{_R}"),
    "GN": ("General nursing beds", "bed", f"general-{_N}"),
    "DR": ("Dementia residential beds", "bed", f"dementia-{_R}"),
    "DN": ("Dementia nursing beds", "bed", f"dementia-{_N}"),
    "LR": ("Learning disability beds", "bed", f"learning-disability-{_R}"),
    "MR": ("Mental health beds", "bed", f"mental-health-{_R}"),
    "TR": ("Transitional beds", "bed", "transitional"),
    "HC": ("Home care hours", "hour", ""),
    "LI": ("Live-in care places", "place", ""),
    "BF": ("Befriending places", "place", ""),
    "VW": ("Virtual ward beds", "bed", ""),
}
#: What is free now, of how many.
SETS = {
    "G1": "GR=2/20", "GD": "GR=2/20 DR=1/12", "ND": "GN=1/30 DN=0/18", "RN": "GR=3/25 GN=1/16", "G4": "GR=2/20 GN=1/16 DR=0/12 DN=3/14",
    "DNGR": "DN=1/14 GR=2/20", "HC": "HC=30/200", "TN": "TR=2/6 GN=1/30", "LD": "LR=1/8 MR=0/6", "U1": "GR=-/20", "BF": "BF=5/-",
    "VW": "VW=4/25", "HN": "HC=30/200 LI=2/10", "D3": "GR=2/20 DR=1/12 TR=0/4",
}  # fmt: skip


def pools(code: str) -> list[PoolWords]:
    """The pools of one set."""
    found = []
    for part in SETS[code].split():
        kind, _, figures = part.partition("=")
        available, maximum = (None if figure == "-" else int(figure) for figure in figures.split("/"))
        name, unit, bed_type = KINDS[kind]
        found.append(PoolWords(key=kind, name=name, unit=unit, bed_type=bed_type, available=available, maximum=maximum))
    return found


@dataclass(frozen=True)
class Row:
    half: str
    pools: str
    expected: str
    clear: bool
    text: str

    def outcome(self, got: Understood | AskAgain | Stop) -> str:
        """ "right", "asked" (of something clear to a person) or "wrong"."""
        if isinstance(got, AskAgain):
            return "right" if self.expected == "ask" else "asked"
        if isinstance(got, Stop):
            return "right" if self.expected == "stop" else "wrong"
        if self.expected == "same":
            return "right" if got.same and got.figures == {pool.key: pool.available for pool in pools(self.pools)} else "wrong"
        return "right" if self.expected == " ".join(f"{key}={n}" for key, n in sorted(got.figures.items())) or self._equal(got) else "wrong"

    def _equal(self, got: Understood) -> bool:
        return "=" in self.expected and {key: str(n) for key, n in got.figures.items()} == dict(
            part.split("=") for part in self.expected.split()
        )


def corpus() -> list[Row]:
    with (Path(__file__).parent / "replies.csv").open(newline="") as file:
        return [
            Row(row["half"], row["pools"], row["expected"], row["clear"] == "y", row["text"].replace("\\n", "\n"))
            for row in csv.DictReader(file)
        ]
