"""The count of proved requirements can be believed."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import proved
from tests.plugins.requirements import Recorder

TESTS = Path(__file__).parent
KNOWN = {"R001": "Rank", "R002": "Fit", "R003": "Push"}


def outcome(*ids: str, passed: bool = True) -> dict:
    return {"ids": list(ids), "passed": passed}


def test_a_row_counts_when_all_of_its_tests_passed() -> None:
    text = proved.report(KNOWN, {"a": outcome("R001", "R002"), "b": outcome("R001"), "c": outcome("R002", passed=False)})
    assert "R001  Rank  (2 tests)" in text
    assert "1 of 3 requirements have a passing test" in text
    assert "NOT PROVED: R002: failed in c" in text


def test_an_id_without_a_row_is_named_and_not_counted() -> None:
    text = proved.report(KNOWN, {"a": outcome("R999"), "b": outcome("R003")})
    assert "1 of 3 requirements" in text
    assert "no row R999" in text


def test_the_table_keeps_three_columns(tmp_path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('id,system,requirement,quote\nR001,S," Rank, well ",secret\n')
    assert proved.table(source, target) == 1
    assert target.read_text() == 'id,system,requirement\nR001,S,"Rank, well"\n'
    assert proved.requirements(target) == {"R001": "Rank, well"}


def test_the_recorder_merges_and_a_failing_teardown_counts_as_failed(tmp_path) -> None:
    file = tmp_path / "requirements.json"
    first, second = Recorder(file), Recorder(file)
    first.pytest_runtest_logreport(report("a", "call"))
    first.pytest_sessionfinish()
    second.pytest_runtest_logreport(report("b", "call"))
    second.pytest_runtest_logreport(report("b", "teardown", passed=False))
    second.pytest_runtest_logreport(report("unmarked", "call", ids=()))
    second.pytest_sessionfinish()
    good, failed = proved.proved(proved.json.loads(file.read_text()))
    assert good == {}
    assert failed == {"R001": ["b"]}


def test_runs_side_by_side_lose_nothing(tmp_path) -> None:
    file = tmp_path / "requirements.json"
    runs = [Recorder(file) for _ in range(8)]
    for number, run in enumerate(runs):
        run.pytest_runtest_logreport(report(f"test-{number}", "call"))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(Recorder.pytest_sessionfinish, runs))
    assert len(proved.json.loads(file.read_text())) == 8


@pytest.mark.parametrize("spoilt", ["", '{"a": {"ids"', "[1]"])
def test_a_spoilt_file_is_begun_anew(tmp_path, spoilt) -> None:
    file = tmp_path / "requirements.json"
    file.write_text(spoilt)
    run = Recorder(file)
    run.pytest_runtest_logreport(report("a", "call"))
    run.pytest_sessionfinish()
    assert list(proved.json.loads(file.read_text())) == ["a"]


def report(nodeid: str, when: str, *, passed: bool = True, ids: tuple[str, ...] = ("R001",)) -> SimpleNamespace:
    properties = [("req", requirement) for requirement in ids]
    return SimpleNamespace(nodeid=nodeid, when=when, passed=passed, failed=not passed, user_properties=properties)


def test_every_mark_names_a_row() -> None:
    known = proved.requirements()
    marks = {
        (requirement, str(file.relative_to(TESTS)))
        for file in TESTS.rglob("test_*.py")
        if file != Path(__file__)
        for call in re.findall(r"mark\.req\(([^)]*)\)", file.read_text())
        for requirement in re.findall(r"[\"']([^\"']+)[\"']", call)
    }
    assert {mark for mark in marks if mark[0] not in known} == set()
