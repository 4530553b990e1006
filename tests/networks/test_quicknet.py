import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.networks.residual_networks import imagenet_counts, loss_of_one_step, operators, probabilities, small
from tflbnn import layers, networks
from tflbnn._keras import keras, lq
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("quicknet_small", 12_655_688), ("quicknet", 13_234_088), ("quicknet_large", 23_342_248)],
)
def test_parameters_are_larq_zoos(name: str, parameters: int) -> None:
    counted = imagenet_counts(name)
    assert counted.parameters == parameters
    assert counted.size_bytes == pytest.approx(networks.figures(name)[0].size_bytes, rel=0.002)


def test_operations_are_those_of_the_layers() -> None:
    counted = imagenet_counts("quicknet")
    # Every stage has a quarter of the pixels and four times the products of the one before.
    assert counted.binary_macs == 16 * 56**2 * 9 * 64**2 == 1_849_688_064
    stem = 112**2 * 9 * 3 * 16 + 56**2 * 9 * 16 + 56**2 * 16 * 64
    blurs = 28**2 * 9 * 64 + 14**2 * 9 * 128 + 7**2 * 9 * 256
    transitions = 28**2 * 64 * 128 + 14**2 * 128 * 256 + 7**2 * 256 * 512
    assert counted.full_precision_macs == stem + blurs + transitions + 512_000


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 7), st.integers(1, 7), st.sampled_from([1, 3]), st.integers(0, 2**32 - 1))
def test_blur_pool_is_a_weighted_mean_of_nine_pixels(height: int, width: int, channels: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(2, height, width, channels)).astype(np.float32)
    y = layers.blur_pool()(x).numpy()
    # "Same" padding puts a border of one pixel before an odd side, none before an even one, and one after either.
    padded = np.pad(x, [(0, 0), (height % 2, 1), (width % 2, 1), (0, 0)])
    rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:])[:, ::2] / 4
    expected = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:])[:, :, ::2] / 4
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)


def test_blurs_are_not_trained_and_survive_saving(tmp_path) -> None:
    model = small(networks.quicknet)
    blur = model.get_layer("transition1_blur")
    before = blur.get_weights()[0]
    assert before.sum(axis=(0, 1)) == pytest.approx(1)
    loss_of_one_step(model)
    np.testing.assert_array_equal(blur.get_weights()[0], before)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert not again.get_layer("transition1_blur").trainable
    np.testing.assert_array_equal(probabilities(again), probabilities(model))


@pytest.mark.parametrize("name", ["quicknet_small", "quicknet", "quicknet_large"])
def test_relu_and_norm_go_into_the_binary_operation(name: str) -> None:
    model = small(networks.get(name))
    loss_of_one_step(model)  # batch normalization is no identity any more
    became = operators(model)
    inner = [layer.name for layer in model.layers if isinstance(layer, lq.layers.QuantConv2D)]
    assert len(inner) == 3
    for conv in inner:
        assert became[conv][-1] == "LceBconv2d"
        for part in ("relu", "norm"):
            assert became[conv.replace("_conv", f"_{part}")] == (f"in {conv}",)


def test_binary_transitions_convolve_before_they_blur() -> None:
    def order(binarization: Binarization) -> list[str]:
        names = [layer.name for layer in small(networks.quicknet, binarization).layers]
        return [name.removeprefix("transition1_") for name in names if name.startswith("transition1")]

    assert order(Binarization()) == ["relu", "pool", "blur", "conv", "norm"]
    assert order(Binarization(downsampling="binary")) == ["conv", "blur", "norm"]
    became = operators(small(networks.quicknet, Binarization(downsampling="binary")))
    assert became["transition1_conv"][-1] == "LceBconv2d"


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"filters": (30, 64)}, "first number of filters must be a multiple of 4.*Received: 30. Use 32."),
        ({"filters": (3, 64)}, "Received: 3. Use 4."),
    ],
)
def test_wrong_arguments_are_named(knobs: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(networks.quicknet, **knobs)
