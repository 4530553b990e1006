"""Checks of what a network is asked for, and the types of its arguments. Nothing here loads TensorFlow."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflbnn.binarization import Binarization
from tflbnn.errors import UserError, nearest

if TYPE_CHECKING:
    from tf_keras import Model
else:
    Model = Any  # resolvable without Keras: recipes read the builders' signatures


_UNITS = {"KB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}


@dataclasses.dataclass(frozen=True)
class Figure:
    """One published row: what was measured, of which network.

    Attributes:
        source: the paper's table or section.
        size: the model's size as printed; None where the row has none.
        unit: "MiB", "KiB", "MB" or "KB" (decimal), what the number means rather than what the paper calls it.
        parameters: their number as printed.
        moving_statistics: the row counts BatchNorm's moving statistics as well.
        data: the data set that `top1`, an accuracy in %, was measured on.
        knobs, binarization: what differs from the builder's defaults; of the latter, from `Binarization()`.
        ours: what is counted here instead, by the names of `Counts`' fields, where that is not what is printed (3 %
            apart for a size, at all for parameters). The network's docstring derives the difference.
    """

    source: str
    size: float | None = None
    unit: str = "MiB"
    _: dataclasses.KW_ONLY
    input_shape: tuple[int, int, int]
    classes: int
    parameters: int | None = None
    moving_statistics: bool = False
    data: str | None = None
    top1: float | None = None
    knobs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    binarization: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    ours: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def is_binary(self) -> bool:
        """Whether it is of a network with binary layers, rather than of a full-precision twin."""
        return Binarization(**self.binarization).is_binary

    @property
    def size_bytes(self) -> float | None:
        return None if self.size is None else self.size * _UNITS[self.unit]


# What a stem divides height and width by.
STEM_STRIDES = {"cifar": 1, "imagenet": 4}
WITH_GROUPED_STEM = {**STEM_STRIDES, "grouped": 4}
# Its last convolution has 8 groups, and half of the filters as inputs.
GROUPED_STEM_MULTIPLE = 16


def check_integer(what: str, value: object, minimum: int = 1) -> int:
    """`value` as an int of at least `minimum`.

    >>> check_integer("growth_rate", 64)
    64
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < minimum:
        raise UserError(f"{what} must be an integer of at least {minimum}. Received: {value!r}. Use {minimum} or more.")
    return number


def check_sequence(what: str, value: object, length: int | None = None) -> tuple[Any, ...]:
    """`value` as a tuple, of `length` items if given, else of at least one."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UserError(f"{what} must be a list of numbers. Received: {value!r}. Write (2, 2), for instance.")
    items = tuple(value)
    if length is None and not items:
        raise UserError(f"{what} must hold at least one number. Received: none. Write (2, 2), for instance.")
    if length is not None and len(items) != length:
        given = ", ".join(map(str, items))
        cure = f"Add {length - len(items)}." if len(items) < length else f"Remove {len(items) - length}."
        plural = "s" if length != 1 else ""
        raise UserError(f"{what} must hold {length} number{plural}. Received: {len(items)} ({given}). {cure}")
    return items


def check_number(what: str, value: object, minimum: float) -> float:
    """`value` as a finite float of at least `minimum`."""
    number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if number is None or not minimum <= number < float("inf"):
        raise UserError(
            f"{what} must be a number of at least {minimum:g}. Received: {value!r}. Use {minimum:g} or more."
        )
    return number


def scale_channels(channels: int, width: float, multiple: int = 1) -> int:
    """`channels` times the multiplier `width`, to the nearest multiple of `multiple`; never none.

    BENN's Tiny networks have a width of 0.5, its Nano networks of 0.1 (BENN table 2). Halves round up.

    >>> [scale_channels(channels, 0.1) for channels in (64, 96, 192)]
    [6, 10, 19]
    >>> scale_channels(64, 0.1, multiple=4)
    8
    """
    return max(1, math.floor(channels * width / multiple + 0.5)) * multiple


def check_width(width: object) -> float:
    """The channel multiplier `width`: a number above 0.

    >>> check_width(0.1)
    0.1
    """
    number = check_number("width (what the channels are multiplied by)", width, 0.0)
    if number == 0:
        raise UserError("width (what the channels are multiplied by) must be above 0. Received: 0. Use 0.1 or more.")
    return number


def check_filters(what: str, value: object, length: int, width: object = 1.0, multiple: int = 1) -> tuple[int, ...]:
    """`length` numbers of channels, times the multiplier `width`, each a multiple of `multiple`.

    >>> check_filters("filters", (64, 128), 2, width=0.5)
    (32, 64)
    """
    width = check_width(width)
    each = f"every number of {what.partition(' (')[0]}"
    filters = (check_integer(each, n) for n in check_sequence(what, value, length))
    return tuple(scale_channels(n, width, multiple) for n in filters)


def check_fraction(what: str, value: object) -> float:
    """`value` as a float of at least 0 and below 1.

    >>> check_fraction("dropout", 0.5)
    0.5
    """
    number = check_number(what, value, 0.0)
    if number >= 1:
        raise UserError(f"{what} must be below 1. Received: {value!r}. Use 0.5, for instance.")
    return number


def check_choice(what: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UserError(
            f"{what} must be one of {', '.join(choices)}. Received: {value!r}. {nearest(str(value), choices)}"
        )


def check_input_shape(
    input_shape: object, smallest: int, reason: str = "the product of the network's strides"
) -> tuple[int, int, int]:
    """(height, width, channels), each side at least `smallest`, for that reason.

    >>> check_input_shape((32, 32, 3), 8)
    (32, 32, 3)
    """
    shape = check_sequence("input_shape", input_shape, 3)
    height, width, channels = (check_integer("every part of input_shape", size) for size in shape)
    if min(height, width) < smallest:
        raise UserError(
            f"An image must be at least {smallest}×{smallest} pixels, {reason}. "
            f"Received: {height}×{width}. Use {max(height, smallest)}×{max(width, smallest)}, or fewer stages."
        )
    return height, width, channels


def check_stem(stem: object, filters: int, stems: Mapping[str, int]) -> int:
    """What that stem divides height and width by. Its filters must fit its groups.

    >>> check_stem("grouped", 64, WITH_GROUPED_STEM)
    4
    """
    check_choice("stem", stem, tuple(stems))
    if stem == "grouped" and filters % GROUPED_STEM_MULTIPLE:
        raise UserError(
            f"A grouped stem must have a multiple of {GROUPED_STEM_MULTIPLE} filters, so that 8 groups divide half of "
            f"them. Received: {filters}. Use {scale_channels(filters, 1.0, GROUPED_STEM_MULTIPLE)}."
        )
    return stems[str(stem)]


def check_stages(
    input_shape: object,
    classes: object,
    layers: object,
    filters: object,
    stem: str,
    width: object = 1.0,
    stems: Mapping[str, int] = STEM_STRIDES,
    first_multiple: int = 1,
) -> tuple[tuple[int, int, int], int, tuple[int, ...], tuple[int, ...]]:
    """What networks in stages, each with half the resolution of the one before, are asked for; checked, in order.

    The filters are those times `width`, the first stage's, which are the stem's as well, to a multiple of
    `first_multiple`.

    >>> check_stages((32, 32, 3), 10, (2, 2), (64, 128), "cifar", width=0.5)
    ((32, 32, 3), 10, (2, 2), (32, 64))
    """
    classes = check_integer("classes", classes, 2)
    layers = tuple(check_integer("every number of layers", n) for n in check_sequence("layers", layers))
    filters = tuple(
        check_integer("every number of filters", n)
        for n in check_sequence("filters (one number a stage)", filters, len(layers))
    )
    strides = check_stem(stem, filters[0], stems)
    multiple = GROUPED_STEM_MULTIPLE if stem == "grouped" else first_multiple
    width = check_width(width)
    multiples = (multiple, *(1,) * (len(filters) - 1))
    filters = tuple(scale_channels(n, width, m) for n, m in zip(filters, multiples, strict=True))
    return check_input_shape(input_shape, strides * 2 ** (len(layers) - 1)), classes, layers, filters


def check_alexnet(
    input_shape: object,
    classes: object,
    filters: object,
    units: object,
    groups: object,
    width: object,
    smallest: int,
) -> tuple[tuple[int, int, int], int, tuple[int, ...], tuple[int, ...], int]:
    """What networks of five convolutions, in groups, and two hidden layers are asked for; checked, in order.

    >>> check_alexnet((32, 32, 3), 10, (8, 16, 16, 16, 8), (32, 32), 2, 0.5, 15)
    ((32, 32, 3), 10, (4, 8, 8, 8, 4), (16, 16), 2)
    """
    groups = check_integer("groups", groups)
    for channels in check_filters("filters (one a convolution)", filters, 5):
        if channels % groups:
            raise UserError(
                f"groups={groups} must divide every number of filters. Received: {channels}. "
                f"Use {scale_channels(channels, 1.0, groups)}, or groups=1."
            )
    return (
        check_input_shape(input_shape, smallest, "of which the strides and poolings leave one"),
        check_integer("classes", classes, 2),
        check_filters("filters (one a convolution)", filters, 5, width, groups),
        check_filters("units (one a hidden layer)", units, 2, width),
        groups,
    )
