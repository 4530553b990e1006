"""Each of LCE's operations in a stock interpreter, against its definition in numpy, with every kernel of this CPU."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.delegate.interpreters import RUNTIMES, Network
from tests.delegate.lce_flatbuffer import Graph, conv_options, pack_signs, pool_options, unpack_signs
from tests.delegate.reference import SAME, VALID, Convolution, max_pool, signs, window
from tflbnn.runtime.delegate import kernels

SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45], np.float32)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Convolution, tuple[int, int, int], int]:
    """A convolution, the input's batch, height and width, a seed."""
    pair = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))  # noqa: E731
    groups = draw(st.sampled_from((1, 1, 1, 2, 3)))
    channels_in = (
        32 * groups * draw(st.integers(1, 2)) if groups > 1 else draw(st.sampled_from((1, 2, 31, 32, 33, 64, 100)))
    )
    convolution = Convolution(
        channels_in,
        groups * draw(st.sampled_from((1, 5, 16, 31, 32, 33, 64))),
        filter_size=draw(pair(1, 4)),
        stride=draw(pair(1, 3)),
        dilation=draw(pair(1, 3)),
        padding=draw(st.sampled_from((SAME, SAME, VALID))),
        pad_values=draw(st.integers(0, 1)),
        activation=draw(st.integers(0, 3)),
        groups=groups,
        output=draw(st.sampled_from(("float32", "int32", "int8"))),
    )
    batch, height, width = draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    if convolution.padding == VALID:
        height, width = (
            max(size, (f - 1) * d + 1)
            for size, f, d in zip((height, width), convolution.filter_size, convolution.dilation, strict=True)
        )
    return convolution, (batch, height, width), draw(st.integers(0, 2**32 - 1))


def convolution_model(
    convolution: Convolution, shape: tuple[int, int, int], rng: np.random.Generator
) -> tuple[bytes, list[np.ndarray]]:
    """Numbers to signs to convolution; the model and the constants, in the order of Convolution.__call__."""
    c = convolution
    filters = signs(rng.standard_normal((c.channels_out, *c.filter_size, c.channels_in // c.groups)))
    multiplier, bias = rng.standard_normal((2, c.channels_out)).astype(np.float32) * np.array([[1], [9]], np.float32)
    threshold = rng.integers(-1, c.depth + 1, c.channels_out, dtype=np.int32)
    graph = Graph()
    bits = graph.quantize(graph.input((*shape, c.channels_in)))
    inputs = [bits, graph.constant(pack_signs(filters)), -1, -1, -1]
    if c.output == "int32":
        inputs[4] = graph.constant(threshold)
    else:
        inputs[2:4] = graph.constant(multiplier), graph.constant(bias)
    rows, columns = (
        window(size, *rest, c.padding)[0]
        for size, *rest in zip(shape[1:], c.filter_size, c.stride, c.dilation, strict=True)
    )
    channels = -(-c.channels_out // 32) if c.output == "int32" else c.channels_out
    quantization = {"scale": c.scale, "zero_point": c.zero_point} if c.output == "int8" else {}
    output = graph.tensor((shape[0], rows, columns, channels), c.output, **quantization)
    options = conv_options(
        c.channels_in,
        stride_height=c.stride[0],
        stride_width=c.stride[1],
        dilation_height_factor=c.dilation[0],
        dilation_width_factor=c.dilation[1],
        padding=c.padding,
        pad_values=c.pad_values,
        fused_activation_function=c.activation,
    )
    return graph.finish(graph.custom("LceBconv2d", inputs, output, options)), [filters, multiplier, bias, threshold]


@pytest.mark.parametrize("runtime", RUNTIMES)
@settings(max_examples=60, deadline=None)
@given(case=convolutions())
def test_convolution(runtime: str, case: tuple[Convolution, tuple[int, int, int], int]) -> None:
    convolution, shape, seed = case
    rng = np.random.default_rng(seed)
    model, constants = convolution_model(convolution, shape, rng)
    x = rng.standard_normal((*shape, convolution.channels_in)).astype(np.float32)
    want = convolution(signs(x), *constants)
    for kernel in kernels():
        (got,) = Network(model, runtime, kernel=kernel, num_threads=1 + seed % 2)(x)
        if convolution.output == "int32":
            unused = got[..., -1].view(np.uint32) >> np.uint32(convolution.channels_out % 32)
            assert convolution.channels_out % 32 == 0 or not unused.any()
            got = unpack_signs(got, convolution.channels_out)
        np.testing.assert_array_equal(got, want, err_msg=kernel)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("dtype", ["float32", "int8"])
@settings(max_examples=25, deadline=None)
@given(
    leading=st.lists(st.integers(1, 5), max_size=4),
    channels=st.sampled_from((1, 31, 32, 33, 63, 64, 65, 130)),
    seed=st.integers(0, 2**32 - 1),
)
def test_quantize_and_dequantize(runtime: str, dtype: str, leading: list[int], channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape, zero_point = (*leading, channels), int(rng.integers(-128, 128))
    graph = Graph()
    if dtype == "float32":
        x = rng.standard_normal(shape).astype(np.float32)
        x[rng.random(shape) < 0.2] = rng.choice(SPECIAL)
        bits = graph.quantize(graph.input(shape))
        output, want = graph.tensor(shape), signs(x).astype(np.float32)
    else:
        x = rng.integers(-128, 128, shape).astype(np.int8)
        bits = graph.quantize(graph.input(shape, "int8", scale=0.1, zero_point=zero_point))
        output = graph.tensor(shape, "int8", scale=0.03, zero_point=zero_point)
        step = signs(x.astype(np.int32) - zero_point) * 33  # 1 / 0.03, rounded
        want = np.clip(zero_point + step, -128, 127).astype(np.int8)
    model = graph.finish(bits, graph.custom("LceDequantize", [bits], output))
    below = x < 0 if dtype == "float32" else x.astype(np.int32) < zero_point
    for kernel in kernels():
        packed, unpacked = Network(model, runtime, kernel=kernel)(x)
        np.testing.assert_array_equal(packed, pack_signs(np.where(below, -1, 1)), err_msg=kernel)
        np.testing.assert_array_equal(unpacked, want, err_msg=kernel)


@pytest.mark.parametrize("runtime", RUNTIMES)
@settings(max_examples=40, deadline=None)
@given(
    filter_size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.sampled_from((SAME, VALID)),
    channels=st.sampled_from((1, 32, 33, 100)),
    seed=st.integers(0, 2**32 - 1),
)
def test_max_pool(runtime: str, filter_size: tuple, stride: tuple, padding: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    batch, height, width = (int(n) for n in rng.integers((1, 4, 4), (3, 9, 9)))
    x = signs(rng.standard_normal((batch, height, width, channels)) + 0.5)
    want = max_pool(x, filter_size, stride, padding)
    graph = Graph()
    output = graph.tensor((*want.shape[:-1], -(-channels // 32)), "int32")
    options = pool_options(
        filter_height=filter_size[0],
        filter_width=filter_size[1],
        stride_height=stride[0],
        stride_width=stride[1],
        padding=padding,
    )
    model = graph.finish(graph.custom("LceBMaxPool2d", [graph.input(pack_signs(x).shape, "int32")], output, options))
    for kernel in kernels():
        (got,) = Network(model, runtime, kernel=kernel)(pack_signs(x))
        np.testing.assert_array_equal(unpack_signs(got, channels), want, err_msg=kernel)
