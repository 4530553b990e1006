"""Augmentation: every result is a window of the padded image, mirrored or not, and a function of the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn._keras import tf
from tflbnn.data.augmentation import augment, random_crop, random_flip
from tflbnn.recipes import Augmentation

SEEDS = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))


def _images(number, height, width, channels):
    return np.random.default_rng(0).integers(1, 256, (number, height, width, channels), np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), SEEDS)
def test_a_crop_is_a_window_of_the_padded_image(number, height, width, channels, padding, seed):
    images = _images(number, height, width, channels)
    result = random_crop(tf.constant(images), padding, tf.constant(seed, tf.int64)).numpy()
    assert result.shape == images.shape
    assert result.dtype == np.uint8
    padded = np.pad(images, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    for before, after in zip(padded, result, strict=True):
        shifts = range(2 * padding + 1)
        windows = [before[y : y + height, x : x + width] for y in shifts for x in shifts]
        assert any(np.array_equal(window, after) for window in windows)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 4), st.integers(1, 5), SEEDS)
def test_a_flip_mirrors_or_does_not(number, width, seed):
    images = _images(number, 2, width, 1)
    result = random_flip(tf.constant(images), tf.constant(seed, tf.int64)).numpy()
    for before, after in zip(images, result, strict=True):
        assert np.array_equal(before, after) or np.array_equal(before[:, ::-1], after)


def test_the_seed_decides_and_every_image_has_its_own_draw():
    images = np.repeat(_images(1, 8, 8, 1), 64, axis=0)
    augmentation = Augmentation(padding=2, flip=True)
    once, again, other = (
        augment(tf.constant(images), augmentation, tf.constant(seed, tf.int64)).numpy()
        for seed in ((1, 2), (1, 2), (1, 3))
    )
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
    assert len({image.tobytes() for image in once}) > 20  # of 50 that there are


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_nothing_to_do_changes_nothing(dtype):
    images = _images(3, 4, 4, 3).astype(dtype)
    assert np.array_equal(augment(tf.constant(images), Augmentation(), tf.constant([0, 0])).numpy(), images)
