"""Smoothed, mixed and taught targets, and what training with them leaves in TensorBoard's logs."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.tiny import RECIPE
from tflbnn import recipes
from tflbnn._keras import keras, tf
from tflbnn.data.augmentation import mixup, random_window
from tflbnn.data.dataset import Dataset, Normalization, Split
from tflbnn.errors import UserError
from tflbnn.recipes import Loss
from tflbnn.training import fit, losses, tasks, train


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 1), st.floats(0.5, 8), st.floats(0, 0.5))
def test_cross_entropy_is_that_of_hinton(seed, weight, temperature, smoothing):
    rng = np.random.default_rng(seed)
    logits, taught = rng.normal(size=(2, 6, 4))
    y = rng.integers(0, 4, 6)

    def softmax(values):
        e = np.exp(values - values.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    targets = np.eye(4)[y] * (1 - smoothing) + smoothing / 4
    hard = -(targets * np.log(softmax(logits))).sum(1)
    soft = -(softmax(taught / temperature) * np.log(softmax(logits / temperature))).sum(1)
    expected = (1 - weight) * hard + weight * temperature**2 * soft

    p, q = tf.constant(softmax(logits), tf.float32), tf.constant(softmax(taught), tf.float32)
    given_targets = tf.concat([losses.smoothed(tf.constant(y), 4, smoothing), losses.softened(q, temperature)], 1)
    loss = losses.cross_entropy(Loss(teacher_weight=weight, temperature=temperature))
    np.testing.assert_allclose(loss(given_targets, p).numpy(), expected, rtol=1e-3, atol=1e-4)
    labels = tf.constant(y[:, None])
    np.testing.assert_allclose(loss(labels, p), keras.losses.sparse_categorical_crossentropy(labels, p))
    np.testing.assert_array_equal(losses.accuracy(labels, p), losses.accuracy(given_targets, p))


def test_mixup_keeps_images_and_targets_together():
    images = np.arange(6, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 1), np.float32)
    mixed, targets = mixup(tf.constant(images), tf.eye(6), 0.4, (1, 2))
    np.testing.assert_allclose(mixed.numpy()[:, 0, 0, 0], targets.numpy() @ np.arange(6), rtol=1e-5)
    again, _ = mixup(tf.constant(images), tf.eye(6), 0.4, (1, 2))
    np.testing.assert_array_equal(mixed, again)
    assert len(np.unique(mixed.numpy().round(4))) > 3


def test_a_window_is_a_part_of_its_image_and_every_place_is_drawn():
    image = np.arange(20).reshape(1, 5, 4, 1)
    corners = set()
    for window in random_window(tf.constant(np.repeat(image, 200, 0)), 3, 3, (0, 0)).numpy()[..., 0]:
        top, left = divmod(int(window[0, 0]), 4)
        np.testing.assert_array_equal(window, image[0, top : top + 3, left : left + 3, 0])
        corners.add((top, left))
    assert corners == {(top, left) for top in range(3) for left in range(2)}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return train(RECIPE.override({"epochs": "1"}), tmp_path_factory.mktemp("teacher") / "run")


def test_a_student_learns_from_its_teacher_alone(teacher, tmp_path):
    changes = {"loss.teacher": str(teacher.path), "teacher_weight": "1", "label_smoothing": "0.1", "mixup": "0.2"}
    run = train(RECIPE.override({**changes, "epochs": "2"}), tmp_path / "run")
    assert run.history[1]["loss"] < run.history[0]["loss"]
    assert run.metrics["parameters"] == teacher.metrics["parameters"]


def test_a_teacher_of_other_classes_is_refused(teacher, tmp_path):
    cropped = RECIPE.override({"loss.teacher": str(teacher.path), "crop": "6"})
    with pytest.raises(UserError, match=r"teacher must know the same images.*8×8×1, for digits in 6×6×1"):
        train(cropped, tmp_path / "run")


def test_what_is_for_classification_is_refused_elsewhere():
    shapes = SimpleNamespace(name="shapes", task="detection")
    for key, value in (("mixup", "0.2"), ("label_smoothing", "0.1"), ("teacher", "runs/a")):
        with pytest.raises(UserError, match=rf"{key} is for classification\. Received: {value} for shapes"):
            tasks.require_same(recipes.get("ssd-shapes").override({key: value}), shapes)


def test_logs_have_flips_saturated_inputs_and_histograms(teacher):
    events = EventAccumulator(str(teacher.path / "logs" / "binary"), size_guidance={"tensors": 0})
    events.Reload()
    tags = set(events.Tags()["tensors"])
    name = "stage1_layer1_conv"
    assert {f"{kind}/{name}" for kind in ("flip_ratio", "saturated_inputs", "weights")} <= tags
    for kind in ("flip_ratio", "saturated_inputs"):
        assert 0 <= tf.make_ndarray(events.Tensors(f"{kind}/{name}")[0].tensor_proto) <= 1


def test_the_five_likeliest():
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(12), 50).astype(np.float32), rng.integers(0, 12, 50)
    p[0, :] = 1 / 12  # none is likelier than another
    rank = (p > np.take_along_axis(p, y[:, None], 1)).sum(axis=1)
    expected = (rank < 5).astype(np.float32)
    assert 0 < expected.mean() < 1
    for targets in (y[:, None], np.eye(12, dtype=np.float32)[y]):
        found = losses.top5_accuracy(tf.constant(targets), tf.constant(p))
        np.testing.assert_array_equal(found, expected)


def test_of_many_classes_the_five_likeliest_are_in_the_history(tmp_path):
    def split(number, seed):
        rng = np.random.default_rng(seed)
        return Split(rng.integers(0, 256, (number, 8, 8, 1), np.uint8), np.arange(number, dtype=np.int32) % 100)

    labels = tuple(map(str, range(100)))
    dataset = Dataset("digits", split(200, 0), split(100, 1), split(100, 2), labels, Normalization((127.0,), (74.0,)))
    recipe = dataclasses.replace(RECIPE, epochs=1)
    for loss in (Loss(), Loss(label_smoothing=0.1)):
        recipe = dataclasses.replace(recipe, loss=loss)
        model = fit.build(recipe, dataset)
        (row,) = fit.fit(model, recipe, dataset, tmp_path / str(loss.label_smoothing))
        assert row["val_accuracy"] <= row["val_top5_accuracy"] <= 1
        metrics = fit._test(model, recipe, dataset)
        assert metrics["test_accuracy"] <= metrics["test_top5_accuracy"] <= 0.5
