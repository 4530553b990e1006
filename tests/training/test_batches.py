"""Batches for training: a function of (seed, epoch, step), so that a resumed run sees what it would have seen."""

import dataclasses

import numpy as np
import pytest

from tflbnn import data, recipes
from tflbnn.data import Normalization
from tflbnn.data.dataset import Dataset, Split
from tflbnn.recipes import Augmentation, Loss
from tflbnn.training.batches import evaluation_batches, training_batches
from tflbnn.training.tasks import Classification

# Image i has the value i everywhere, so a batch tells which images are in it.
NUMBER = 37
IMAGES = np.broadcast_to(np.arange(NUMBER, dtype=np.uint8)[:, None, None, None], (NUMBER, 4, 4, 1)).copy()
SPLIT = Split(IMAGES, np.arange(NUMBER, dtype=np.int32))
DATASET = Dataset("digits", SPLIT, SPLIT, SPLIT, tuple(map(str, range(NUMBER))), Normalization((3.0,), (2.0,)))


def _recipe(**changes):
    return dataclasses.replace(recipes.get("digits"), **{"epochs": 3, "batch_size": 8, "seed": 5, **changes})


def _epochs(recipe, first_epoch=0):
    batches, steps = training_batches(DATASET, recipe, Classification(10, Loss()), first_epoch)
    everything = [(x.numpy(), y.numpy()) for x, y in batches]
    assert len(everything) == steps * (recipe.epochs - first_epoch)
    return [everything[start : start + steps] for start in range(0, len(everything), steps)]


def test_an_epoch_has_each_image_at_most_once_and_orders_differ():
    orders = []
    for epoch in _epochs(_recipe()):
        order = np.concatenate([y for _, y in epoch])
        assert len(set(order)) == len(order) == NUMBER // 8 * 8
        for x, y in epoch:
            assert x.shape == (8, 4, 4, 1)
            assert np.array_equal(x, DATASET.normalization.apply(IMAGES[y]))
        orders.append(tuple(order))
    assert len(set(orders)) == 3


@pytest.mark.parametrize("first_epoch", [1, 2, 3])
def test_later_epochs_are_the_same_whenever_they_start(first_epoch):
    recipe = _recipe(augmentation=Augmentation(padding=1, flip=True))
    whole, rest = _epochs(recipe)[first_epoch:], _epochs(recipe, first_epoch)
    for expected, epoch in zip(whole, rest, strict=True):
        for (x, y), (again_x, again_y) in zip(expected, epoch, strict=True):
            assert np.array_equal(x, again_x)
            assert np.array_equal(y, again_y)


def test_the_seed_changes_the_order():
    first, second = (_epochs(_recipe(seed=seed, epochs=1))[0][0][1] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_fewer_images_than_a_batch_are_one_batch():
    (((x, y),),) = _epochs(_recipe(epochs=1, batch_size=1000))
    assert len(x) == len(y) == NUMBER


def test_evaluation_takes_every_image_in_order():
    digits = data.load(recipes.get("digits").data)
    batches = list(evaluation_batches(digits.test, digits.normalization, Classification(10, Loss())))
    assert np.array_equal(np.concatenate([y for _, y in batches]), digits.test.y)
    assert np.allclose(np.concatenate([x for x, _ in batches]), digits.normalization.apply(digits.test.x), atol=1e-6)
