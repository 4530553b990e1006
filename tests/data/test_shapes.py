"""Drawn shapes: the same every time, boxes tight around what is drawn."""

import numpy as np

from tflbnn import data
from tflbnn.data import shapes
from tflbnn.detection import intersection_over_union
from tflbnn.recipes import Data


def test_the_same_seed_draws_the_same():
    first, again, other = shapes.draw(5, 3), shapes.draw(5, 3), shapes.draw(5, 4)
    assert np.array_equal(first.x, again.x)
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)


def test_objects():
    split = shapes.draw(200, 0)
    assert split.x.dtype == np.uint8
    present = split.y[..., 4] >= 0
    assert (present.sum(axis=1) >= 1).all()
    assert set(present.sum(axis=1)) == {1, 2, 3}
    objects = split.y[present]
    assert set(objects[:, 4]) == {0, 1, 2}
    assert ((objects[:, :4] >= 0) & (objects[:, :4] <= 1)).all()
    sides = (objects[:, 2:4] - objects[:, :2]) * shapes.SIDE
    assert sides.min() >= 7
    assert sides.max() <= 33
    for rows in split.y:
        boxes = rows[rows[:, 4] >= 0, :4]
        overlaps = intersection_over_union(boxes, boxes) - np.eye(len(boxes))
        assert overlaps.max() <= 0.051


def test_boxes_are_tight(monkeypatch):
    monkeypatch.setattr(shapes, "_NOISE", 0)
    monkeypatch.setattr(shapes, "OBJECTS", 1)
    monkeypatch.setattr(shapes, "_background", lambda rng: np.zeros((64, 64, 3)))
    split = shapes.draw(50, 0)
    for image, (row,) in zip(split.x, split.y, strict=True):
        rows, columns = np.nonzero(image.any(axis=2))
        tight = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        assert (row[:4] * 64).tolist() == tight


def test_as_a_data_set():
    dataset = data.load(Data("shapes", samples=60))
    assert dataset.task == "detection"
    assert dataset.input_shape == (64, 64, 3)
    assert dataset.labels == ("circle", "square", "triangle")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (54, 6, 60)
    assert dataset.train.y.shape == (54, 3, 6)
