"""The figures that a benchmark writes must be right, whatever it measures."""

import json

import pytest

from tests.bench import harness


def test_median_p95_and_ratios_are_of_candidate_and_floor() -> None:
    benchmark = harness.Benchmark(name="x", unit="ms", goal="none", measure=lambda: harness.Measured([], []))
    candidate = [0.001 * i for i in range(1, 101)]
    row = harness.result(benchmark, harness.Measured(candidate=candidate, floor=[0.010] * 100, note="made up"))
    assert row == {
        "name": "x",
        "unit": "ms",
        "n": 100,
        "median": 50.5,
        "p95": 95.0,
        "floor_median": 10.0,
        "floor_p95": 10.0,
        "ratio_median": 5.05,
        "ratio_p95": 9.5,
        "goal": "none",
        "note": "made up",
    }


def test_interleave_takes_turns_and_alternates_who_is_first() -> None:
    calls: list[str] = []
    measured = harness.interleave(lambda: calls.append("c"), lambda: calls.append("f"), n=3, warmup=1)
    assert "".join(calls) == "cf" + "cf" + "fc" + "cf"
    assert len(measured.candidate) == len(measured.floor) == 3


def test_a_new_figure_replaces_the_old_one_of_its_name_only(tmp_path) -> None:
    file = tmp_path / "var" / "bench.json"
    harness.merge(file, [{"name": "a", "n": 1}, {"name": "b", "n": 1}])
    harness.merge(file, [{"name": "b", "n": 2}])
    assert json.loads(file.read_text()) == [{"name": "a", "n": 1}, {"name": "b", "n": 2}]


def test_two_benchmarks_may_not_share_a_name(monkeypatch) -> None:
    monkeypatch.setattr(harness, "REGISTERED", {})
    harness.bench("twice", goal="none")(lambda: harness.Measured([1], [1]))
    with pytest.raises(ValueError, match="twice"):
        harness.bench("twice", goal="none")(lambda: harness.Measured([1], [1]))
    assert list(harness.REGISTERED) == ["twice"]
