"""Training that detects: the same numbers whenever it is interrupted, targets that follow the pictures, mAP."""

import csv
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.test_voc import root as voc_root  # noqa: F401  (a fixture)
from tflbnn import data, recipes
from tflbnn._keras import tf
from tflbnn.data import Split, shapes
from tflbnn.data.augmentation import augment_objects
from tflbnn.data.dataset import Raw
from tflbnn.detection import decode, detect, mean_average_precision
from tflbnn.errors import UserError
from tflbnn.recipes import Augmentation, Data
from tflbnn.training import Run, train
from tflbnn.training.fit import build

RECIPE = recipes.get("ssd-shapes").override(
    {
        "layers": "1,1,1",
        "growth_rate": "8",
        "first_filters": "8",
        "extra_layers": "1",
        "samples": "40",
        "validation": "0.2",
        "batch_size": "8",
        "epochs": "3",
    }
)


@pytest.fixture(autouse=True, scope="module")
def few_shapes():
    """Forty images of each part, so that drawing them takes no time."""
    raw = Raw(shapes.draw(40, 0), shapes.draw(40, 1), shapes.LABELS, task="detection")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "read", lambda data_dir=None: raw)
        yield


@pytest.fixture(scope="module")
def reference(few_shapes, tmp_path_factory):
    return train(RECIPE, tmp_path_factory.mktemp("reference") / "run")


class Stop(Exception):  # noqa: N818
    pass


def test_a_run_holds_its_map(reference):
    assert Run.open(reference.path) == reference
    assert reference.labels == ["circle", "square", "triangle"]
    with open(reference.path / "history.csv", newline="") as file:
        assert next(csv.reader(file)) == ["epoch", "loss", "val_loss", "val_map", "learning_rate", "flip_ratio"]
    assert reference.history[-1]["loss"] < reference.history[0]["loss"]
    assert all(0 <= row["val_map"] <= 1 for row in reference.history)
    assert set(reference.metrics["test_average_precision"]) == {"circle", "square", "triangle"}
    assert "test_accuracy" not in reference.metrics


def test_the_saved_model_has_that_map(reference):
    model, dataset = reference.load_model(), data.load(RECIPE.data)
    outputs = model.predict(reference.normalization.apply(dataset.test.x), verbose=0)
    found = [detect(*image, model.default_boxes) for image in zip(*outputs, strict=True)]
    result = mean_average_precision(found, dataset.test.y, 3)
    assert result.mean == pytest.approx(reference.metrics["test_map"], abs=1e-3)
    assert result.mean_eleven_point == pytest.approx(reference.metrics["test_map_eleven_point"], abs=1e-3)


def test_an_interrupted_run_is_resumed_to_the_same(reference, tmp_path):
    def interrupt(progress):
        if (progress.epoch, progress.step) == (2, 3):
            raise Stop

    with pytest.raises(Stop):
        train(RECIPE, tmp_path / "run", progress=interrupt)
    resumed = train(RECIPE, tmp_path / "run", resume=True)
    assert resumed.history == reference.history
    assert resumed.metrics == reference.metrics


@pytest.mark.parametrize(
    ("recipe", "name", "message"),
    [
        ("ssd-shapes", "binary_densenet", "binary_densenet for classification, shapes for detection"),
        ("digits", "ssd_binary_densenet", "ssd_binary_densenet for detection, digits for classification"),
    ],
)
def test_a_network_for_another_task_is_refused(tmp_path, recipe, name, message):
    with pytest.raises(UserError, match=message):
        train(recipes.get(recipe).override({"network.name": name}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_images_that_stay_files(voc_root, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("tflbnn.data.voc.SIDE", 64)
    monkeypatch.setattr("tflbnn.data.voc.read.__defaults__", (None, 64))
    recipe = dataclasses.replace(RECIPE, data=Data("voc", validation=0.5), epochs=1, batch_size=2)
    run = train(recipe, tmp_path / "run", data_dir=voc_root)
    assert run.metrics["input_shape"] == [64, 64, 3]
    assert np.isfinite(run.metrics["test_loss"])
    known = {label: value for label, value in run.metrics["test_average_precision"].items() if value is not None}
    assert set(known) == {"dog"}  # the person is difficult


@settings(max_examples=40, deadline=None)
@given(padding=st.integers(0, 6), flip=st.booleans(), seed=st.integers(0, 2**31 - 1))
def test_objects_go_where_their_pixels_go(padding, flip, seed):
    # An image whose object is its only bright rectangle.
    rng = np.random.default_rng(seed)
    images, objects = np.zeros((4, 16, 16, 1), np.uint8), np.zeros((4, 2, 6), np.float32)
    objects[:, 1, 4] = -1
    for image, rows in zip(images, objects, strict=True):
        top, left = rng.integers(0, 10, 2)
        bottom, right = top + rng.integers(1, 6), left + rng.integers(1, 6)
        image[top:bottom, left:right] = 255
        rows[0] = [top / 16, left / 16, bottom / 16, right / 16, 3, 1]
    moved, boxes = augment_objects(tf.constant(images), tf.constant(objects), Augmentation(padding, flip), (seed, 1))
    for image, (row, filler) in zip(moved.numpy(), boxes.numpy(), strict=True):
        assert filler[4] == -1
        if row[4] == -1:  # its centre is outside
            continue
        ys, xs = np.nonzero(image[..., 0])
        np.testing.assert_allclose(row[:4] * 16, [ys.min(), xs.min(), ys.max() + 1, xs.max() + 1], atol=1e-4)
        assert row[4:].tolist() == [3, 1]


def test_targets_of_a_batch_decode_to_its_objects():
    from tflbnn.training import tasks
    from tflbnn.training.batches import evaluation_batches, training_batches

    dataset = data.load(RECIPE.data)
    model = build(RECIPE, dataset)
    task = tasks.of(model, dataset, RECIPE)
    split = Split(dataset.test.x[:3], dataset.test.y[:3])
    ((images, targets),) = evaluation_batches(split, dataset.normalization, task)
    assert images.shape == (3, 64, 64, 3)
    for classes, offsets, objects in zip(
        targets["probabilities"].numpy(), targets["boxes"].numpy(), split.y, strict=True
    ):
        matched = classes > 0
        boxes = decode(offsets[matched, :4], model.default_boxes[matched])
        wanted = objects[objects[:, 4] >= 0]
        assert set(classes[matched] - 1) == set(wanted[:, 4])
        assert np.abs(boxes[:, None] - wanted[None, :, :4]).max(axis=2).min(axis=1).max() < 1e-4
    batches, steps = training_batches(dataset, RECIPE, task)
    images, targets = next(iter(batches))
    assert (steps, images.shape[0]) == (4, 8)
    assert targets["boxes"].shape == (8, len(model.default_boxes), 5)
