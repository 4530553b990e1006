"""Weights of few values as a sum of scaled signs: what k-bit, ternary and multi-base weights are taken apart into.

    w = offset_f + Σ scale_fp · B_p,   B_p = ±1, for every filter f

Values that are odd multiples of a unit, -(2^k - 1) to 2^k - 1 (DoReFa; with k = 1 plain signs), take k planes: the bits
of their numbers. Any others take one plane less than they are (ternary, ABC-Net): plane p says whether a weight is
above the p-th value, its scale is half the step to the next, and the offset is the middle of the ends.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.passes.report import NoMatchError

MOST_PLANES = 6
# Products that a sum must have for each plane: with fewer, one float convolution is as quick as that many binary ones.
# Every filter of two weights has no more than two values; only signs, without an offset, pay there.
_LEAST_PRODUCTS = 8
_MOST_VALUES = 16  # of one filter
# Values of a filter this close, as a share of the largest, are one: a folded BatchNorm has rounded them.
_SAME = 2.0**-20
# Planes of a filter whose scales lie further apart: what the large ones cancel to is rounding, in whatever order.
_FARTHEST = 2.0**16


@dataclasses.dataclass(frozen=True)
class Planes:
    """
    Attributes:
        negative: an array for each plane, of the weights' shape, True where the sign is -1.
        scales: (planes, filters).
        offset: (filters,).
    """

    negative: tuple[NDArray[np.bool_], ...]
    scales: NDArray[np.float64]
    offset: NDArray[np.float64]

    def shaped(self, negative: Sequence[NDArray[np.bool_]]) -> Planes:
        """The planes with arrays of another shape in the place of theirs."""
        return dataclasses.replace(self, negative=tuple(negative))

    def weights(self) -> NDArray[np.float64]:
        """The sum, of the weights' shape."""
        shape = (-1, *[1] * (self.negative[0].ndim - 1))
        total = np.broadcast_to(self.offset.reshape(shape), self.negative[0].shape).copy()
        for negative, scale in zip(self.negative, self.scales, strict=True):
            total += np.where(negative, -1, 1) * scale.reshape(shape)
        return total


def planes_of(weights: NDArray[np.float32]) -> Planes:
    """Takes weights (filters, ...) apart.

    Raises:
        NoMatchError: a filter has more values than planes pay for.

    >>> planes = planes_of(np.float32([[-0.5, 0, 0, 2.0] * 4]))
    >>> planes.scales.tolist(), planes.offset.tolist(), planes.weights()[0, :4].tolist()
    ([[0.25], [1.0]], [0.75], [-0.5, 0.0, 0.0, 2.0])
    """
    flat = weights.reshape(len(weights), -1)
    largest = np.abs(flat).max(axis=1, initial=0).astype(np.float64)
    if not np.isfinite(largest).all():
        raise NoMatchError("its weights are not finite")
    if flat.shape[1] > 1 and np.abs(flat).min(axis=1).tolist() == largest.tolist() and largest.all():
        return Planes((weights < 0,), largest[None], np.zeros(len(flat)))  # signs: most layers end here
    flat = flat.astype(np.float64)
    shares = flat / np.where(largest > 0, largest, 1)[:, None]
    values, codes = _values(shares)
    groups: dict[bytes, list[int]] = {}
    present = np.zeros((len(flat), len(values)), bool)
    np.put_along_axis(present, codes, True, axis=1)
    for number, row in enumerate(present):
        groups.setdefault(row.tobytes(), []).append(number)
    sets = [np.flatnonzero(present[numbers[0]]) for numbers in groups.values()]
    if max(len(found) for found in sets) > _MOST_VALUES:
        raise NoMatchError(f"a filter's weights have more than {_MOST_VALUES} values")
    tables = _tables([values[found] for found in sets])
    products = len(flat[0])
    count = len(tables[0].signs)
    plain = count == 1 and not any(table.offset for table in tables)
    if products < (2 if plain else _LEAST_PRODUCTS * count):
        raise NoMatchError(f"sums of {products} products are too short for {count} plane{'s' * (count > 1)}")
    negative = np.zeros((len(tables[0].signs), *flat.shape), bool)
    scales, offset = np.zeros((len(negative), len(flat))), np.zeros(len(flat))
    for numbers, found, table in zip(groups.values(), sets, tables, strict=True):
        place = np.zeros(len(values), int)
        place[found] = np.arange(len(found))
        negative[:, numbers] = table.signs[:, place[codes[numbers]]]
        scales[:, numbers] = table.scales[:, None] * largest[numbers]
        offset[numbers] = table.offset * largest[numbers]
    if (scales.max(axis=0) > _FARTHEST * np.where(scales > 0, scales, np.inf).min(axis=0)).any():
        raise NoMatchError(f"the values of a filter's weights lie further apart than 1 to {_FARTHEST:.0f}")
    return Planes(tuple(plane.reshape(weights.shape) for plane in negative), scales, offset)


def _values(shares: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The values of all filters, in order, and which of them each weight is."""
    if len(_clustered(shares[:4])[0]) > 4 * _MOST_VALUES:  # most layers of floats end here
        raise NoMatchError(f"a filter's weights have more than {_MOST_VALUES} values")
    values, codes = _clustered(shares)
    if len(values) > 4 * _MOST_VALUES:
        raise NoMatchError("its filters have different values")
    return values, codes


def _clustered(shares: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    found, inverse = np.unique(shares, return_inverse=True)
    cluster = np.concatenate([[0], np.cumsum(np.diff(found) > _SAME)])
    first = np.searchsorted(cluster, np.arange(cluster[-1] + 1))
    return found[first], cluster[inverse].reshape(shares.shape)


@dataclasses.dataclass(frozen=True)
class _Table:
    """The planes of one set of values: signs (planes, values), True for -1; scales (planes,)."""

    signs: NDArray[np.bool_]
    scales: NDArray[np.float64]
    offset: float

    def padded(self, planes: int) -> _Table:
        missing = planes - len(self.signs)
        signs = np.concatenate([self.signs, np.zeros((missing, self.signs.shape[1]), bool)])
        return _Table(signs, np.concatenate([self.scales, np.zeros(missing)]), self.offset)


def _tables(sets: Sequence[NDArray[np.float64]]) -> list[_Table]:
    steps = [_steps(values) for values in sets]
    odd = [table for values in sets if (table := _odd_multiples(values)) is not None]
    choices = [odd, steps] if len(odd) == len(sets) else [steps]
    counts = [max(len(table.signs) for table in tables) for tables in choices]
    number = max(1, min(counts))
    if number > MOST_PLANES:
        raise NoMatchError(f"its weights would take {number} planes, more than {MOST_PLANES}")
    return [table.padded(number) for table in choices[counts.index(min(counts))]]


def _odd_multiples(values: NDArray[np.float64]) -> _Table | None:
    """k planes of the values of a filter that are odd multiples of a unit; None where they are none."""
    gap = np.diff(values).min(initial=2 * float(np.abs(values).max()))
    for parts in range(1, _MOST_VALUES // 2):
        unit = gap / 2 / parts
        if not unit:
            return None
        numbers = np.rint(values / unit)
        close = np.abs(values / unit - numbers).max() <= _SAME * np.abs(numbers).max()
        if close and (np.abs(numbers) % 2 == 1).all() and np.abs(numbers).max() < _MOST_VALUES:
            k = int(np.abs(numbers).max()).bit_length()
            levels = ((numbers + 2**k - 1) / 2).astype(int)
            signs = np.array([(levels >> bit) & 1 == 0 for bit in range(k)])
            return _Table(signs, unit * 2.0 ** np.arange(k), 0.0)
    return None


def _steps(values: NDArray[np.float64]) -> _Table:
    numbers = np.arange(len(values))
    signs = numbers[None, :] <= numbers[:-1, None]
    return _Table(signs.reshape(-1, len(values)), np.diff(values) / 2, float(values[0] + values[-1]) / 2)
