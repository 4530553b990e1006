"""LCE's operations in numpy, from their definition: sums of products of signs, in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NONE, RELU, RELU_N1_TO_1, RELU6 = range(4)
SAME, VALID = range(2)


def signs(x: np.ndarray) -> np.ndarray:
    """+1 and -1 as int32; neither -0 nor NaN is negative."""
    return np.where(x < 0, -1, 1).astype(np.int32)


def window(size: int, filter_size: int, stride: int, dilation: int, padding: int) -> tuple[int, int]:
    """The number of positions, and the padding before the first element."""
    extent = (filter_size - 1) * dilation + 1
    if padding == VALID:
        return (size - extent) // stride + 1, 0
    positions = -(-size // stride)
    return positions, max(0, (positions - 1) * stride + extent - size) // 2


def taps(
    x: np.ndarray,
    filter_size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: int,
    pad: int,
) -> np.ndarray:
    """[filter height, filter width, batch, output height, output width, channels]: what each tap sees."""
    batch, height, width, channels = x.shape
    (rows, top), (columns, left) = (
        window(size, *rest, padding) for size, *rest in zip((height, width), filter_size, stride, dilation, strict=True)
    )
    seen = np.full((*filter_size, batch, rows, columns, channels), pad, x.dtype)
    for fy, fx, y, x_ in np.ndindex(*filter_size, rows, columns):
        iy, ix = y * stride[0] - top + fy * dilation[0], x_ * stride[1] - left + fx * dilation[1]
        if 0 <= iy < height and 0 <= ix < width:
            seen[fy, fx, :, y, x_] = x[:, iy, ix]
    return seen


@dataclass(frozen=True)
class Convolution:
    """The parameters of an LceBconv2d, in the order and the names of its options."""

    channels_in: int
    channels_out: int
    filter_size: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: int = SAME
    pad_values: int = 1
    activation: int = NONE
    groups: int = 1
    output: str = "float32"  # or int32 (packed signs) or int8
    scale: float = 0.5  # of an int8 output
    zero_point: int = 3

    @property
    def depth(self) -> int:
        """K, the products in one sum."""
        return self.filter_size[0] * self.filter_size[1] * self.channels_in // self.groups

    def fits(self, height: int, width: int) -> bool:
        extents = ((f - 1) * d + 1 for f, d in zip(self.filter_size, self.dilation, strict=True))
        return self.padding == SAME or all(e <= s for e, s in zip(extents, (height, width), strict=True))

    def sums(self, x: np.ndarray, filters: np.ndarray) -> np.ndarray:
        """x: [batch, height, width, channels_in] signs; filters: [channels_out, *filter_size, channels of a group]."""
        seen = taps(x, self.filter_size, self.stride, self.dilation, self.padding, self.pad_values)
        groups = np.split(seen, self.groups, axis=-1), np.split(filters, self.groups, axis=0)
        return np.concatenate([np.einsum("fgnyxc,ofgc->nyxo", s, f) for s, f in zip(*groups, strict=True)], axis=-1)

    def __call__(
        self, x: np.ndarray, filters: np.ndarray, multiplier: np.ndarray, bias: np.ndarray, threshold: np.ndarray
    ) -> np.ndarray:
        """The output as the operation rounds it: unpacked signs for int32."""
        k = self.depth
        sums = self.sums(x, filters)
        if self.output == "int32":  # the doubled number of products that are -1, against the doubled threshold
            return np.where((k - sums).astype(np.int64) > 2 * threshold.astype(np.int64), -1, 1)
        low, high = {NONE: (-k, k), RELU: (0, k), RELU_N1_TO_1: (-1, 1), RELU6: (0, 6)}[self.activation]
        doubled = k - np.clip(sums, max(low, -k), min(high, k))
        scale, zero_point = (self.scale, self.zero_point) if self.output == "int8" else (1.0, 0.0)
        scale = np.float64(np.float32(scale))
        m = (-multiplier.astype(np.float64) / scale).astype(np.float32)
        b = ((bias.astype(np.float64) + k * multiplier.astype(np.float64)) / scale + zero_point).astype(np.float32)
        y = doubled.astype(np.float32) * m + b
        if self.output == "float32":
            return y
        away_from_zero = np.trunc(y.astype(np.float64) + np.copysign(0.5, y))
        return np.clip(away_from_zero, -128, 127).astype(np.int8)


def max_pool(x: np.ndarray, filter_size: tuple[int, int], stride: tuple[int, int], padding: int) -> np.ndarray:
    """The maximum of signs; padding takes no part in it, as no sign is below -1."""
    return taps(x, filter_size, stride, (1, 1), padding, -1).max(axis=(0, 1))
