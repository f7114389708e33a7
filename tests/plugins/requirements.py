"""Keep, for each test marked `@pytest.mark.req("R001")`, whether it passed: `make requirements` counts from that.

`var/requirements.json` maps a test's id to `{"ids": [...], "passed": bool}`. A run adds to what is there, so that the browser
tests, which run apart, count too; `make test` begins with an empty file. Runs side by side take turns.
"""

import fcntl
import json
import os
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[2] / "var" / "requirements.json"


class Recorder:
    """Collects outcomes in the process that sees all reports: the controller when pytest-xdist spreads the tests."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.tests: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        ids = [value for name, value in report.user_properties if name == "req"]
        if not ids:
            return
        so_far = self.tests.setdefault(report.nodeid, {"ids": ids, "passed": False})
        if report.when == "call":
            so_far["passed"] = report.passed
        elif report.failed:
            so_far["passed"] = False

    def pytest_sessionfinish(self) -> None:
        if not self.tests:
            return
        self.file.parent.mkdir(exist_ok=True)
        with self.file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh = self.file.with_suffix(".new")
            fresh.write_text(json.dumps(self._kept() | self.tests, indent=1, sort_keys=True) + "\n")
            os.replace(fresh, self.file)  # a reader sees the old file or the new one, never half of it

    def _kept(self) -> dict[str, dict[str, object]]:
        """What earlier runs recorded; nothing when the file is missing or not one of ours."""
        try:
            kept = json.loads(self.file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(FILE), "lune-requirements")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put the marks' ids where a report carries them across processes."""
    for mark in item.iter_markers("req"):
        item.user_properties.extend(("req", requirement) for requirement in mark.args)
