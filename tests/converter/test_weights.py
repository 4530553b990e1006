"""Packed weights: out, in, and what is refused."""

import numpy as np
import pytest

from tests.converter.models import L, randomized, small
from tests.runtimes import predict_keras
from tflbnn import Binarization, layers
from tflbnn._keras import keras
from tflbnn.converter.weights import load_weights, save_weights
from tflbnn.errors import UserError


def network(preset: str, seed: int, **fields) -> keras.Model:
    keras.utils.set_random_seed(seed)
    binarization = Binarization.preset(preset, **fields)
    image = x = L.Input((6, 6, 16))
    x = L.BatchNormalization(name="norm")(layers.conv2d(binarization, 24, 3, name="conv")(x))
    x = layers.dense(binarization, 10, use_bias=True, name="dense")(L.Flatten(name="flat")(x))
    return randomized(keras.Model(image, L.Dense(3, name="last")(x)), seed)


@pytest.mark.parametrize(
    ("preset", "fields"),
    [
        ("bdn", {}),
        ("bi_real_net", {}),
        ("bnn_plus", {}),
        ("dorefa", {"input_bits": 2, "kernel_bits": 1}),
        ("dorefa", {"input_bits": 2, "kernel_bits": 3}),
        ("ttq", {"input_quantizer": "ste_sign"}),
    ],
)
def test_a_round_trip(preset, fields, tmp_path):
    model, other = network(preset, 1, **fields), network(preset, 2, **fields)
    size = save_weights(model, tmp_path / "weights.npz")
    assert size < sum(weight.size * 4 for weight in model.get_weights()) / 4
    load_weights(other, tmp_path / "weights.npz")
    samples = np.random.default_rng(0).normal(size=(2, 6, 6, 16)).astype(np.float32)
    np.testing.assert_allclose(predict_keras(other, samples)[0], predict_keras(model, samples)[0], rtol=1e-4, atol=1e-4)


def test_bits_are_the_signs(tmp_path):
    model = network("bdn", 1)
    save_weights(model, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as file:
        assert {name.partition("/")[0].partition(":")[0] for name in file.files} == {"conv", "norm", "dense", "last"}
        kernel = np.moveaxis(model.get_layer("conv").kernel.latent_variable.numpy(), -1, 0)
        np.testing.assert_array_equal(np.unpackbits(file["conv/bits"][0], count=kernel.size), (kernel < 0).reshape(-1))
        np.testing.assert_array_equal(file["conv/scales"], np.ones((1, 24)))


def test_weights_of_another_model_are_refused(tmp_path):
    model = network("bdn", 1)
    save_weights(small(), tmp_path / "weights.npz")
    before = model.get_weights()
    with pytest.raises(UserError, match="none of conv"):
        load_weights(model, tmp_path / "weights.npz")
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("content", [b"", b"PK\3\4 no zip", b"\x93NUMPY"])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(UserError, match="no file that save_weights wrote"):
        load_weights(network("bdn", 1), tmp_path / "weights.npz")
    with pytest.raises(UserError, match="Cannot read the weights"):
        load_weights(network("bdn", 1), tmp_path / "none.npz")


def test_damaged_bits_are_refused(tmp_path):
    model = network("bdn", 1)
    save_weights(model, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as file:
        arrays = dict(file)
    arrays["conv/bits"] = arrays["conv/bits"][:, :5]
    np.savez(tmp_path / "cut.npz", **arrays)
    with pytest.raises(UserError, match="damaged weights of conv"):
        load_weights(model, tmp_path / "cut.npz")
