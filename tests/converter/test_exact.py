"""Exact arithmetic: against plain loops, and against the kernels at the edge of 16 and of 24 bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn.converter.exact import BinaryConvolution, pack_bits, unpack_bits


def convolution(rng, filters, size, depth, **changes) -> BinaryConvolution:
    values = {
        "filter": rng.random((filters, *size, depth)) < 0.5,
        "multiplier": np.ones(filters, np.float32),
        "bias": np.zeros(filters, np.float32),
        "threshold": None,
        "strides": (1, 1),
        "dilations": (1, 1),
        "same": True,
        "pad_value": 1,
        "channels": depth,
        "activation": 0,
    }
    return BinaryConvolution(**{**values, **changes})


def test_bits_are_packed_whatever_their_order_in_memory():
    bits = np.random.default_rng(0).random((40, 3, 2, 5)) < 0.5
    turned = bits.T
    np.testing.assert_array_equal(unpack_bits(pack_bits(turned), 40), turned)


def by_loops(conv: BinaryConvolution, bits: np.ndarray) -> np.ndarray:
    """The sums, product by product."""
    batch, height, width, _ = bits.shape
    filters, rows, columns, depth = conv.filter.shape
    sizes, before = [], []
    for size, extent, stride, dilation in zip(
        (height, width), (rows, columns), conv.strides, conv.dilations, strict=True
    ):
        reach = (extent - 1) * dilation + 1
        count = -(-size // stride) if conv.same else (size - reach) // stride + 1
        sizes.append(count)
        before.append(max(0, (count - 1) * stride + reach - size) // 2 if conv.same else 0)
    result = np.zeros((batch, *sizes, filters), int)
    per_group = filters // (conv.channels // depth)
    for n, y, x, f in np.ndindex(result.shape):
        for i, j, c in np.ndindex(rows, columns, depth):
            row = y * conv.strides[0] + i * conv.dilations[0] - before[0]
            column = x * conv.strides[1] + j * conv.dilations[1] - before[1]
            sign = conv.pad_value
            if 0 <= row < height and 0 <= column < width:
                sign = -1 if bits[n, row, column, f // per_group * depth + c] else 1
            result[n, y, x, f] += sign * (-1 if conv.filter[f, i, j, c] else 1)
    return result


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_sums_are_what_loops_give(data):
    draw = data.draw
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    groups, depth = draw(st.integers(1, 2)), draw(st.sampled_from([1, 3, 5]))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    strides, dilations = draw(st.sampled_from([((1, 1), draw(pair)), (draw(pair), (1, 1))]))
    conv = convolution(
        rng,
        groups * draw(st.integers(1, 3)),
        draw(pair),
        depth,
        strides=strides,
        dilations=dilations,
        same=draw(st.booleans()),
        pad_value=draw(st.integers(0, 1)),
        channels=groups * depth,
    )
    bits = rng.random((draw(st.integers(0, 2)), 7, 8, groups * depth)) < 0.5
    np.testing.assert_array_equal(conv.sums(bits), by_loops(conv, bits))


@pytest.mark.parametrize("depth", [65_535, 65_536, (1 << 24) - 1, (1 << 24) + 3])
def test_large_sums_are_exact(depth):
    conv = convolution(np.random.default_rng(0), 1, (1, 1), depth)
    bits = np.zeros((1, 1, 1, depth), bool)
    bits[..., : depth // 3] = True
    expected = depth - 2 * int((bits[0, 0, 0] != conv.filter[0, 0, 0]).sum())
    assert conv.sums(bits).item() == expected


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        (0, lambda s: s),
        (1, lambda s: np.maximum(s, 0)),
        (2, lambda s: np.clip(s, -1, 1)),
        (3, lambda s: np.clip(s, 0, 6)),
    ],
    ids=["none", "relu", "relu_n1_to_1", "relu6"],
)
def test_the_output_is_the_activated_sum_scaled(activation, function):
    rng = np.random.default_rng(activation)
    multiplier = rng.integers(-8, 9, 4).astype(np.float32) / 8
    bias = rng.integers(-8, 9, 4).astype(np.float32) / 8
    conv = convolution(rng, 4, (3, 3), 5, multiplier=multiplier, bias=bias, activation=activation)
    bits = rng.random((2, 5, 5, 5)) < 0.5
    np.testing.assert_array_equal(conv.output(bits), function(conv.sums(bits)) * multiplier + bias)


def test_a_bit_is_set_above_the_threshold():
    rng = np.random.default_rng(0)
    conv = convolution(rng, 3, (1, 1), 9, threshold=np.array([0, 4, 9], np.int32))
    bits = rng.random((4, 3, 3, 9)) < 0.5
    negative_products = (9 - conv.sums(bits)) // 2
    np.testing.assert_array_equal(conv.output(bits), negative_products > np.array([0, 4, 9]))


@given(st.integers(1, 70), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_unpacking(channels, seed):
    bits = np.random.default_rng(seed).random((2, channels)) < 0.5
    padded = np.zeros((2, -(-channels // 32) * 32), bool)
    padded[:, :channels] = bits
    words = np.packbits(padded, axis=-1, bitorder="little").view("<i4")
    np.testing.assert_array_equal(unpack_bits(words, channels), bits)
