"""Checks of the arrays that go into a model, before TFLite sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tflbnn.errors import UserError

Shape = tuple[int | None, ...]


def check_inputs(
    inputs: ArrayLike | Mapping[str, ArrayLike], specs: dict[str, tuple[Shape, np.dtype[Any]]]
) -> dict[str, NDArray[Any]]:
    """The inputs by name, each of the type and shape in `specs`, all of one batch size.

    Args:
        inputs: an array for the first input, or arrays by name.
        specs: the shape, None for any size, and the type of every input.

    Raises:
        UserError: a name, shape or type does not fit, or an array has NaN.

    >>> feeds = check_inputs([[0.5, 1.0]], {"x": ((None, 2), np.dtype("float32"))})
    >>> feeds["x"].dtype
    dtype('float32')
    """
    given = inputs if isinstance(inputs, Mapping) else {next(iter(specs)): inputs}
    if set(given) != set(specs):
        raise UserError(
            f"The inputs must be {', '.join(specs)}. Received: {', '.join(map(str, given)) or 'none'}. "
            "Give a dictionary of arrays by name."
        )
    feeds = {name: _check_array(name, given[name], *spec) for name, spec in specs.items()}
    batches = {name: len(array) for name, array in feeds.items()}
    if len(set(batches.values())) > 1:
        raise UserError(f"All inputs must have the same batch size. Received: {batches}. Make them equally long.")
    return feeds


def _check_array(name: str, value: ArrayLike, shape: Shape, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise UserError(f"The input {name} must be an array. Received: {error}.") from error
    if dtype.kind == "f" and array.dtype.kind == "f":
        array = array.astype(dtype, copy=False)
    if array.dtype != dtype:
        raise UserError(
            f"The input {name} must be {dtype}. Received: {array.dtype}. "
            "Use model.preprocess(image) for images, or convert the array."
        )
    if array.ndim != len(shape) or any(want not in (None, size) for want, size in zip(shape, array.shape, strict=True)):
        cure = "Reshape or resize it."
        if array.ndim == len(shape) - 1:
            cure = "A single sample needs the batch axis too: array[numpy.newaxis]."
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise UserError(f"The input {name} must have shape ({wanted}). Received: {array.shape}. {cure}")
    if dtype.kind == "f" and (count := int(np.isnan(array).sum())):
        raise UserError(
            f"The input {name} must not contain NaN. Received: {count} of {array.size} values. Clean the data."
        )
    return array
