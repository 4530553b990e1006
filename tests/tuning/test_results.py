"""Rows of trials: the Pareto front, the best one, trials.csv and the picture."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tflbnn.errors import UserError
from tflbnn.tuning import results
from tflbnn.tuning.plot import scatter
from tflbnn.tuning.results import Row

points = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9, 0.95]), st.integers(1, 5)), max_size=12)


@given(points)
def test_the_front_is_unbeaten_and_beats_the_rest(points):
    front = results.pareto_front(points)
    members = [point for point, member in zip(points, front, strict=True) if member]
    assert bool(members) == bool(points)
    for accuracy, size in members:
        assert not any(a >= accuracy and s <= size and (a > accuracy or s < size) for a, s in points)
    for (accuracy, size), member in zip(points, front, strict=True):
        assert member or any(a >= accuracy and s <= size and (a, s) != (accuracy, size) for a, s in members)


def rows(points):
    return [
        Row(number, results.COMPLETED, {"network.layers": (2, size), "binarization.t_clip": accuracy}, epochs=size,
            val_accuracy=accuracy, parameters=8 * size, size_bytes=size, seconds=1.5)
        for number, (accuracy, size) in enumerate(points, 1)
    ]  # fmt: skip


@given(points)
def test_the_best_trial_is_on_the_front(points):
    best = results.best(results.with_front(rows(points)))
    assert (best is None) == (not points)
    assert best is None or (best.pareto and best.val_accuracy == max(a for a, _ in points))


@given(points)
def test_csv_has_every_trial(points):
    failed = Row(
        len(points) + 1, results.FAILED, {"network.layers": (1,), "binarization.t_clip": 1.0}, reason='no, "it"'
    )
    text = results.to_csv([*results.with_front(rows(points)), failed], ["network.layers", "binarization.t_clip"])
    read = list(csv.DictReader(io.StringIO(text)))
    assert [(float(row["val_accuracy"]), int(row["size_bytes"])) for row in read[:-1]] == points
    assert read[-1]["reason"] == 'no, "it"'
    assert read[-1]["val_accuracy"] == ""
    assert {"trial", "status", "epochs", "layers", "t_clip", "parameters", "seconds", "pareto"} <= set(read[-1])


def test_keys_that_end_alike_stay_whole():
    names = results.short_keys(["optimizer.name", "schedule.name", "seed"])
    assert names == {"optimizer.name": "optimizer.name", "schedule.name": "schedule.name", "seed": "seed"}


@pytest.mark.parametrize("count", [1, 3])
def test_the_picture(tmp_path, count):
    drawn = results.with_front(rows([(0.9, 3), (0.95, 5), (0.5, 4)][:count]))
    scatter(drawn, (), ("accuracy",), "digits", tmp_path / "trials.png", "binarization.t_clip")
    with Image.open(tmp_path / "trials.png") as image:
        assert image.size == (1200, 750)
        assert len(image.convert("RGB").getcolors(1 << 20)) > 20
    assert [path.name for path in tmp_path.iterdir()] == ["trials.png"]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="Cannot write"):
        scatter(drawn, (), ("accuracy",), "digits", tmp_path / "file" / "trials.png", None)
