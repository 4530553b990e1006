"""A model before and after its rest was made smaller, on the same samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.runtime import Model


@dataclasses.dataclass(frozen=True)
class Comparison:
    """
    Attributes:
        agreement: share of the samples whose largest output is the same one; None of what are no classes.
        accuracy_before, accuracy_after: share of the samples whose largest output is their label; None without labels.
        mean_abs_error: of the first output.
    """

    agreement: float | None
    accuracy_before: float | None
    accuracy_after: float | None
    mean_abs_error: float


def compare(
    before: bytes,
    after: bytes,
    feeds_before: Mapping[str, NDArray[Any]],
    feeds_after: Mapping[str, NDArray[Any]],
    labels: NDArray[Any] | None,
) -> Comparison:
    """Both models' first outputs, each on inputs as it takes them."""
    outputs = []
    for flatbuffer, feeds in ((before, feeds_before), (after, feeds_after)):
        with Model(flatbuffer) as model:
            found = model.predict(feeds)
        outputs.append(next(iter(found.values())) if isinstance(found, dict) else found)
    error = float(np.abs(outputs[1] - outputs[0]).mean()) if outputs[0].size else 0.0
    if outputs[0].ndim != 2 or outputs[0].shape[1] < 2:
        return Comparison(None, None, None, error)
    chosen = [output.argmax(axis=1) for output in outputs]
    agreement = float((chosen[0] == chosen[1]).mean())
    if labels is None:
        return Comparison(agreement, None, None, error)
    accuracies = [float((one == np.asarray(labels)[: len(one)]).mean()) for one in chosen]
    return Comparison(agreement, *accuracies, error)
