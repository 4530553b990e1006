"""The recipe of shapes finds them: as measured, and, among the long tests, again."""

import csv
from pathlib import Path

import pytest

from tflbnn import recipes
from tflbnn.training import train

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "ssd_shapes.csv"


def test_as_measured():
    with open(RESULTS, newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert int(row["epochs"]) == recipes.get(row["recipe"]).epochs
        assert float(row["test_map"]) >= 0.8
        assert float(row["exported_test_map"]) == pytest.approx(float(row["test_map"]), abs=0.005)


@pytest.mark.long
def test_again(tmp_path):
    assert train(recipes.get("ssd-shapes"), tmp_path / "run").metrics["test_map"] >= 0.8
