"""Random small models of every kind of quantized layer: those that run on 1-bit products, and depthwise ones."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import strategies as st

from tests.converter.models import L, randomized
from tflbnn import Binarization, layers
from tflbnn._keras import keras, lq

PRESETS = (
    ("bdn", {}),
    ("bdn", {"pad_values": 0.0}),
    ("xnor_net", {}),
    ("bi_real_net", {}),
    ("bnn_plus", {}),
    *(("dorefa", {"input_bits": k, "kernel_bits": w}) for k in (1, 2, 3, 4) for w in (1, 2)),
    ("tbn", {}),
    ("horq", {}),
    ("abc_net", {"input_bits": 2, "kernel_bits": 2}),
    ("abc_net", {"input_bits": 3, "kernel_bits": 1}),
    ("ttq", {"input_quantizer": "ste_sign"}),
    ("ttq", {"input_quantizer": "dorefa", "input_bits": 2}),
)
_KINDS = ("conv", "conv", "conv", "transposed", "transposed", "dense", "dense", "depthwise", "separable")
_SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
_TERNARY = {"input_quantizer": "ste_tern", "kernel_quantizer": "ste_tern", "kernel_constraint": "weight_clip"}


@dataclasses.dataclass(frozen=True)
class RandomModel:
    model: keras.Model
    samples: np.ndarray
    kinds: tuple[str, ...]


@st.composite
def models(draw: st.DrawFn) -> RandomModel:
    """One to three layers that are quantized, with what may stand between them, and one to three samples."""
    keras.utils.set_random_seed(draw(st.integers(0, 9999)))
    channels = draw(st.sampled_from((16, 17, 32, 33, 40)))
    one_dimension = draw(st.integers(0, 5)) == 0
    shape = (draw(st.integers(7, 12)), channels) if one_dimension else (*draw(_sizes), channels)
    image = x = L.Input(shape)
    kinds = []
    for _ in range(draw(st.integers(1, 3))):
        x = L.BatchNormalization()(x) if draw(st.booleans()) else x
        kind = draw(st.sampled_from(("dense", "conv1d") if one_dimension else _KINDS))
        kinds.append(kind)
        if kind == "dense":
            x = L.Flatten()(x) if draw(st.booleans()) else x
            x = _preset_layer(draw, layers.dense, draw(st.integers(1, 40)), use_bias=draw(st.booleans()))(x)
            if len(x.shape) == 2:
                break
        else:
            x = _LAYERS[kind](draw, x)
        x = L.ReLU()(x) if draw(st.integers(0, 3)) == 0 else x
    x = L.BatchNormalization()(x) if draw(st.booleans()) else x
    model = randomized(keras.Model(image, x), draw(st.integers(0, 9999)))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    samples = rng.normal(size=(draw(st.sampled_from((1, 3))), *shape)).astype(np.float32)
    return RandomModel(model, samples, tuple(kinds))


_sizes = st.tuples(st.integers(4, 9), st.integers(4, 9))


def _preset_layer(draw: st.DrawFn, build, *arguments, **options):
    preset, fields = draw(st.sampled_from(PRESETS))
    return build(Binarization.preset(preset, **fields), *arguments, **options)


def _window(draw: st.DrawFn, x, axes: int) -> dict[str, object]:
    kernel = draw(st.integers(1, min(3, *x.shape[1 : 1 + axes])))
    # TensorFlow takes a dilated convolution of one dimension apart, and what it becomes stays float.
    strides, dilation = draw(st.sampled_from(((1, 1), (2, 1), (1, 2))[: axes + 1]))
    reach = (kernel - 1) * dilation + 1
    padding = draw(st.sampled_from(("same", "valid"))) if reach <= min(x.shape[1 : 1 + axes]) else "same"
    return {"kernel_size": kernel, "strides": strides, "dilation_rate": dilation, "padding": padding}


def _conv(draw: st.DrawFn, x):
    filters, bias, window = draw(st.integers(1, 40)), draw(st.booleans()), _window(draw, x, 2)
    if draw(st.integers(0, 5)) == 0:
        return lq.layers.QuantConv2D(filters, use_bias=bias, pad_values=0.0, **window, **_TERNARY)(x)
    return _preset_layer(draw, layers.conv2d, filters, use_bias=bias, **window)(x)


def _conv1d(draw: st.DrawFn, x):
    quantizers = draw(st.sampled_from((_SIGNS, _TERNARY)))
    pad = draw(st.sampled_from((0.0, 1.0))) if quantizers is _SIGNS else 0.0
    return lq.layers.QuantConv1D(draw(st.integers(1, 40)), pad_values=pad, **_window(draw, x, 1), **quantizers)(x)


def _transposed(draw: st.DrawFn, x):
    strides = draw(st.integers(1, 3))
    return lq.layers.QuantConv2DTranspose(
        draw(st.integers(1, 20)),
        draw(st.integers(strides, 4)),
        strides=strides,
        padding=draw(st.sampled_from(("same", "valid"))),
        use_bias=draw(st.booleans()),
        **_SIGNS,
    )(x)


def _depthwise(draw: st.DrawFn, x):
    """Its products stay float; what stands around it does not."""
    return lq.layers.QuantDepthwiseConv2D(
        draw(st.integers(1, min(3, *x.shape[1:3]))),
        padding=draw(st.sampled_from(("same", "valid"))),
        depth_multiplier=draw(st.integers(1, 2)),
        pad_values=1.0,
        use_bias=draw(st.booleans()),
        input_quantizer="ste_sign",
        depthwise_quantizer="ste_sign",
        depthwise_constraint="weight_clip",
    )(x)


def _separable(draw: st.DrawFn, x):
    """Depthwise products of signs, and a convolution of 1×1 of what they give, both in float."""
    return lq.layers.QuantSeparableConv2D(
        draw(st.integers(1, 40)),
        draw(st.integers(1, min(3, *x.shape[1:3]))),
        padding=draw(st.sampled_from(("same", "valid"))),
        pad_values=1.0,
        use_bias=draw(st.booleans()),
        input_quantizer="ste_sign",
        depthwise_quantizer="ste_sign",
        pointwise_quantizer="ste_sign",
        depthwise_constraint="weight_clip",
        pointwise_constraint="weight_clip",
    )(x)


_LAYERS = {
    "conv": _conv,
    "conv1d": _conv1d,
    "transposed": _transposed,
    "depthwise": _depthwise,
    "separable": _separable,
}
