"""Every method of the papers on networks: it trains, is saved and loaded, computes in half precision, converts."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tests.networks.residual_networks import loss_of_one_step
from tests.networks.smallest import smallest
from tests.networks.test_zoo import KINDS
from tflbnn import layers
from tflbnn._keras import keras, tf
from tflbnn.binarization import PRESETS, QUANTIZERS, Binarization
from tflbnn.converter import Conversion, convert
from tflbnn.runtime import Model
from tflbnn.training import execution

METHODS = {name: Binarization.preset(name) for name in PRESETS if name not in ("ltb", "bdn")} | {  # bnn's twins
    "B": Binarization(t_clip=0.5, scaling="backward", scaling_per="layer"),
    "FB": Binarization(t_clip=0.5, scaling="both", scaling_per="layer"),
    "xnor_net_centred": Binarization.preset("xnor_net", centred=True),
    "bnn_plus_trained_beta": Binarization.preset("bnn_plus", trainable_beta=True, scaling_per="layer"),
    "dorefa_3_bits": Binarization.preset("dorefa", kernel_bits=3, input_bits=2),
    "dorefa_1_bit": Binarization.preset("dorefa", input_bits=1),
    "abc_net_1_1": Binarization.preset("abc_net", input_bits=1, kernel_bits=1),
    "horq_3": Binarization.preset("horq", input_bits=3),
}
IMAGES = np.random.default_rng(0).normal(size=(4, 6, 6, 32)).astype(np.float32)


def branches(methods: dict[str, Binarization]) -> keras.Model:
    """A convolution and a dense layer of each method side by side: one model is converted sooner than twenty."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 32), name="image")
    outputs = []
    for name, binarization in methods.items():
        x = layers.conv2d(binarization, 8, 3, strides=2, name=f"{name}_conv")(image)
        x = layers.batch_normalization(name=f"{name}_norm")(x)
        x = keras.layers.Flatten(name=f"{name}_flat")(x)
        outputs.append(layers.dense(binarization, 3, name=f"{name}_dense")(x))
    return keras.Model(image, keras.layers.Concatenate(name="together")(outputs))


def trained(model: keras.Model) -> keras.Model:
    """The model after two steps."""
    targets = np.random.default_rng(1).normal(size=(len(IMAGES), model.output_shape[-1]))
    model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)  # a graph of so many methods takes long to make
    model.fit(IMAGES, targets, batch_size=2, shuffle=False, verbose=0)
    return model


@functools.cache
def all_trained() -> tuple[keras.Model, list[str]]:
    model = branches(METHODS)
    before = [weight.numpy() for weight in model.trainable_variables]
    trained(model)
    pairs = zip(model.trainable_variables, before, strict=True)
    return model, [weight.name for weight, old in pairs if not np.any(weight.numpy() != old)]


@functools.cache
def all_converted() -> Conversion:
    return convert(all_trained()[0], samples=IMAGES)


def test_every_trained_value_moves() -> None:
    model, unmoved = all_trained()
    assert unmoved == []
    names = {weight.name.removesuffix(":0") for weight in model.trainable_variables}
    assert {
        "bnn_plus_conv/kernel_quantizer/alpha",
        "bnn_plus_dense/kernel_quantizer/alpha",
        "abc_net_conv/input_quantizer/shifts",
        "abc_net_dense/input_quantizer/scales",
        "ttq_conv/kernel_quantizer/negative",
        "react_net_conv_shift/shift",
    } <= names


def test_trained_scales_stay_above_0() -> None:
    model = branches({"bnn_plus": METHODS["bnn_plus"]})
    model.compile(keras.optimizers.SGD(1e3), "mse", run_eagerly=True)
    model.fit(IMAGES, np.ones((4, 3)), verbose=0)
    assert model.get_layer("bnn_plus_conv").kernel_quantizer.alpha.numpy().min() > 0


def test_every_method_converts_and_agrees_with_keras() -> None:
    conversion = all_converted()
    assert conversion.report.verification["verified"]
    with Model(conversion.flatbuffer) as runtime:
        found = runtime.predict(IMAGES)
    np.testing.assert_allclose(found, all_trained()[0](IMAGES), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_products_of_what_is_exportable_are_1_bit_and_others_explained(name: str) -> None:
    rows = {row.layer: row for row in all_converted().report.explain}
    sides = (METHODS[name].input_quantizer, METHODS[name].kernel_quantizer)
    exportable = all(QUANTIZERS[side].exportable for side in sides)
    for row in (rows[f"{name}_conv"], rows[f"{name}_dense"]):
        assert row.bits == (1 if exportable else 32), row
        assert not row.left_in_float
        if exportable:
            assert "LceBconv2d" in row.operators
        else:
            assert "no quantizer" in row.why or "stay float (" in row.why


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5"])
def test_weights_are_saved_and_loaded(suffix: str, tmp_path) -> None:
    model = all_trained()[0]
    model.save_weights(tmp_path / f"model{suffix}")
    again = branches(METHODS)
    again.load_weights(tmp_path / f"model{suffix}")
    for old, new in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(old.numpy(), new.numpy(), err_msg=old.name)
    np.testing.assert_array_equal(model(IMAGES), again(IMAGES))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_models_are_saved_and_loaded(suffix: str, tmp_path) -> None:
    model = all_trained()[0]
    model.save(tmp_path / f"model{suffix}")
    again = keras.models.load_model(tmp_path / f"model{suffix}", compile=False)
    np.testing.assert_array_equal(model(IMAGES), again(IMAGES))
    assert [loss.numpy() for loss in again.losses] == [loss.numpy() for loss in model.losses]


def test_frozen_layers_keep_their_weights() -> None:
    model = branches({"bnn_plus": METHODS["bnn_plus"], "ttq": METHODS["ttq"], "abc_net": METHODS["abc_net"]})
    names = sorted(weight.name for weight in model.weights)
    model.trainable = False
    assert sorted(weight.name for weight in model.weights) == names
    assert model.trainable_weights == []


@pytest.mark.parametrize("half", [tf.float16, tf.bfloat16])
def test_every_method_trains_in_half_precision(half: tf.DType) -> None:
    with execution.policy(f"mixed_{half.name}"):
        model = branches(METHODS)
        targets = np.random.default_rng(1).normal(size=(len(IMAGES), model.output_shape[-1]))
        model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
        losses = model.fit(IMAGES, targets, epochs=2, verbose=0).history["loss"]
    assert model(IMAGES).dtype == half
    assert {weight.dtype for weight in model.trainable_variables} == {tf.float32}
    assert np.isfinite(losses).all()
    assert losses[1] != losses[0]


def test_the_map_of_magnitudes_is_the_papers() -> None:
    from tflbnn.scaling import MagnitudeMap

    x = np.random.default_rng(0).normal(size=(2, 7, 6, 4)).astype(np.float32)
    box = np.full((3, 3, 1, 1), 1 / 9, np.float32)
    for strides, dilation, padding in ((1, 1, "same"), (2, 1, "valid"), (1, 2, "same")):
        mean = np.abs(x).mean(axis=-1, keepdims=True)
        expected = tf.nn.conv2d(mean, box, strides, padding.upper(), dilations=dilation)
        found = MagnitudeMap(3, strides, dilation, padding=padding)(x)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    mean = np.abs(x).reshape(2, 7, 6, 2, 2).mean(axis=-1).repeat(3, axis=-1)
    np.testing.assert_allclose(MagnitudeMap(1, groups=2, filters=6)(x), mean, rtol=1e-6)


def test_xnor_net_is_equation_5() -> None:
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 4)).astype(np.float32)
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, layers.conv2d(METHODS["xnor_net"], 5, 3, padding="valid", name="conv")(inputs))
    w = model.get_layer("conv").kernel.latent_variable.numpy()
    signs = [np.where(values >= 0, np.float32(1), np.float32(-1)) for values in (x, w)]
    product = tf.nn.conv2d(*signs, 1, "VALID")
    magnitude = tf.nn.conv2d(
        np.abs(x).mean(axis=-1, keepdims=True), np.full((3, 3, 1, 1), 1 / 9, np.float32), 1, "VALID"
    )
    np.testing.assert_allclose(model(x), product * np.abs(w).mean(axis=(0, 1, 2)) * magnitude, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_a_network(name: str) -> None:
    kind = list(KINDS)[list(METHODS).index(name) % len(KINDS)]  # all of them: the long test
    assert np.isfinite(loss_of_one_step(smallest(kind, METHODS[name], **KINDS[kind])))


@pytest.mark.long
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_method_runs_on_a_plain_a_residual_and_a_dense_network(kind: str, name: str) -> None:
    model = smallest(kind, METHODS[name], **KINDS[kind])
    assert np.isfinite(loss_of_one_step(model))
    assert convert(model).report.verification["verified"]
