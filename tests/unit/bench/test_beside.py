"""Demands beside other work: two runs of three decide."""

import pytest
from bench.beside import decided, kept, section, split, verdicts
from bench.section import Section


@pytest.mark.parametrize(
    "demand, what, value",
    [
        (
            "at least 0.9 of an empty worker's rate: 0.83",
            "at least 0.9 of an empty worker's rate",
            "0.83",
        ),
        ("idle at most 15 %: 6 %", "idle at most 15 %", "6 %"),
        (
            "1e-06 per pixel: at most 1.5× one pass: 1.12×",
            "1e-06 per pixel: at most 1.5× one pass",
            "1.12×",
        ),
        ("idle: nothing queues", "idle: nothing queues", ""),
    ],
)
def test_a_demand_and_its_value(demand, what, value):
    assert split(demand) == (what, value)


@pytest.mark.parametrize(
    "runs, verdict",
    [([True], False), ([True, False], False), ([True, True], True), ([False, True, False], True)],
)
def test_two_runs_that_agree_decide(runs, verdict):
    assert decided(runs) is verdict


def runs_of(*holds: bool):
    left = list(holds)
    return lambda: Section("A", "", [(f"fast: {len(left)}", left.pop(0))])


def test_a_third_run_only_where_two_disagree():
    found = {}
    verdicts(runs_of(True, True, False), found)
    assert found == {"A: fast": [("3", True), ("2", True)]}
    found = {}
    verdicts(runs_of(True, False, True), found)
    assert [holds for _, holds in found["A: fast"]] == [True, False, True]
    shown = section(found, 1, "Beside", {"A: fast": "abc"})
    assert "| A: fast | 3 ✓ | 2 ✗ | 1 ✓ | abc |" in shown.text
    assert shown.demands == [("1 of 1 hold in two runs of three", True)]


def test_a_demand_that_fails_twice_is_named():
    found = {}
    verdicts(runs_of(False, False), found)
    shown = section(found, 2, "Beside", {"A: fast": "abc"})
    assert "| A: fast | 2 ✗ | 1 ✗ | – | abc |" in shown.text
    assert shown.demands == [("0 of 1 hold in two runs of three", False)]


def test_what_is_not_measured_again_stays():
    found = {"A: fast": [("3", True), ("2", False)], "B: right": [("", True), ("", True)]}
    commits = {"A: fast": "abc", "B: right": "def"}
    text = section(found, 1, "Beside", commits).text
    page = f"# Page\n\n## A\n\n| A: slow | 1 ✓ |\n\n## Beside\n\n{text}\n\n## C\n\n| C: x | 1 ✓ |\n"
    assert kept(page, "Beside", {}) == (found, commits)
    left = {"B: right": found["B: right"]}, {"B: right": "def"}
    assert kept(page, "Beside", {"A: new": []}) == left
    assert kept("# Page\n", "Beside", {}) == ({}, {})
