"""How data sets are divided and normalised."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tflbnn import data
from tflbnn.data import Normalization
from tflbnn.data.dataset import Dataset, Raw, Split, stratify
from tflbnn.errors import UserError
from tflbnn.recipes import Data


@given(npst.arrays(np.int32, st.integers(0, 200), elements=st.integers(0, 9)), st.floats(0.01, 0.5), st.integers(0, 99))
def test_a_split_is_one_and_has_its_share_of_every_class(labels, share, seed):
    rest, held_out = stratify(labels, share, np.random.default_rng(seed))
    assert sorted([*rest, *held_out]) == list(range(len(labels)))
    for label in np.unique(labels):
        wanted = share * (labels == label).sum()
        assert abs((labels[held_out] == label).sum() - wanted) <= 1
    assert abs(len(held_out) - share * len(labels)) <= 1


@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=4, max_dims=4, min_side=1, max_side=6)))
def test_normalization_is_that_of_numpy(images):
    normalization = Normalization.of(images)
    means, stds = images.mean((0, 1, 2), np.float64), images.std((0, 1, 2), np.float64)
    assert normalization.mean == pytest.approx(means, abs=6e-4)
    assert normalization.std == pytest.approx(np.where(np.round(stds, 3) == 0, 1, stds), abs=6e-4)
    result = normalization.apply(images)
    assert result.dtype == np.float32
    assert result.shape == images.shape
    assert np.isfinite(result).all()
    expected = (images - np.array(normalization.mean)) / np.array(normalization.std)
    assert np.allclose(result, expected, rtol=1e-5, atol=1e-4)


def test_digits_is_divided_the_same_way_every_time():
    first, second = data.load(Data("digits")), data.load(Data("digits"))
    parts = (first.train, first.validation, first.test)
    assert [len(part) for part in parts] == [1294, 144, 359]
    for name in ("train", "validation", "test"):
        assert np.array_equal(getattr(first, name).x, getattr(second, name).x)
    assert first.train.x.min() == 0
    assert first.train.x.max() == 255
    other = data.load(Data("digits", split_seed=1))
    assert np.array_equal(first.test.x, other.test.x)
    assert not np.array_equal(first.validation.x, other.validation.x)


def test_normalization_sees_the_training_images_alone():
    train = Split(np.full((20, 2, 2, 1), 10, np.uint8), np.arange(20, dtype=np.int32) % 2)
    test = Split(np.full((4, 2, 2, 1), 255, np.uint8), np.zeros(4, np.int32))
    dataset = Dataset.divide(Data("digits", validation=0.5), Raw(train, test, ("a", "b")))
    assert dataset.normalization == Normalization((10.0,), (1.0,))
    assert (len(dataset.train), len(dataset.validation), dataset.classes) == (10, 10, 2)


def test_samples_limit_training_and_test():
    dataset = data.load(Data("digits", samples=64))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (58, 6, 64)
    with pytest.raises(UserError, match=r"Raise data\.samples"):
        data.load(Data("digits", samples=1))


def test_unknown_data_sets_and_folders():
    with pytest.raises(UserError, match="Did you mean 'digits'"):
        dataclasses.replace(Data("digits"), name="digit")
    with pytest.raises(UserError, match="data folder must exist"):
        data.load(Data("digits"), "/nowhere/at/all")


def test_table_has_a_row_a_data_set():
    assert [row["dataset"] for row in data.table()] == list(data.NAMES)
    assert all(len(row) == 6 and all(row.values()) for row in data.table())


def test_loading_digits_loads_no_tensorflow():
    code = (
        "import sys; from tflbnn import data; from tflbnn.recipes import Data; "
        "data.load(Data('digits')); data.table(); print('tensorflow' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"
