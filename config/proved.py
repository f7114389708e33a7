"""Which rows of `docs/requirements.csv` have a passing test.

`python config/proved.py report` (`make requirements`) counts them from the last test run;
`python config/proved.py table SOURCE.csv` writes the table anew from a fuller one, keeping id, system and requirement.
"""

import csv
import json
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parents[1]
TABLE = BASE_DIR / "docs" / "requirements.csv"
OUTCOMES = BASE_DIR / "var" / "requirements.json"
COLUMNS = ["id", "system", "requirement"]


def table(source: Path, target: Path = TABLE) -> int:
    """Write `target` from `source`; the number of rows."""
    with source.open(newline="", encoding="utf-8") as file:
        rows = [{column: row[column].strip() for column in COLUMNS} for row in csv.DictReader(file)]
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def requirements(source: Path = TABLE) -> dict[str, str]:
    """What each id asks for."""
    with source.open(newline="", encoding="utf-8") as file:
        return {row["id"]: row["requirement"] for row in csv.DictReader(file)}


def proved(outcomes: dict[str, dict]) -> tuple[dict[str, int], dict[str, list[str]]]:
    """For each id, how many tests prove it; and for each id that is not proved, the marked tests that did not pass.

    A row counts as proved when it has a marked test and all of its marked tests passed.
    """
    passed: dict[str, int] = {}
    failed: dict[str, list[str]] = {}
    for test, outcome in outcomes.items():
        for requirement in outcome["ids"]:
            if outcome["passed"]:
                passed[requirement] = passed.get(requirement, 0) + 1
            else:
                failed.setdefault(requirement, []).append(test)
    return {key: count for key, count in passed.items() if key not in failed}, failed


def report(known: dict[str, str], outcomes: dict[str, dict]) -> str:
    """The report that `make requirements` prints."""
    good, failed = proved(outcomes)
    lines = [f"{row}  {known[row]}  ({good[row]} {'test' if good[row] == 1 else 'tests'})" for row in sorted(good) if row in known]
    lines.append(f"{len(lines)} of {len(known)} requirements have a passing test and none that fails.")
    lines += [f"NOT PROVED: {row}: failed in {', '.join(sorted(failed[row]))}" for row in sorted(failed) if row in known]
    unknown = sorted({*good, *failed} - set(known))
    if unknown:
        lines.append(f"WARNING: docs/requirements.csv has no row {', '.join(unknown)}. Correct the mark on the test.")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["table", source]:
            print(f"{TABLE.relative_to(BASE_DIR)}: {table(Path(source))} rows")
        case ["report"] if not OUTCOMES.exists():
            print("No test run is recorded yet, so nothing is known to be proved. Run `make test` first.")
        case ["report"]:
            print(report(requirements(), json.loads(OUTCOMES.read_text())))
        case _:
            sys.exit("usage: python config/proved.py report | table SOURCE.csv")


if __name__ == "__main__":
    main(sys.argv[1:])
