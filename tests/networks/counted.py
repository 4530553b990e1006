"""Counts of networks of any size, without the time that drawing their weights takes."""

from __future__ import annotations

import functools
from typing import Any

from tflbnn import networks
from tflbnn._keras import tf
from tflbnn.analysis.counts import Counts, counts
from tflbnn.binarization import Binarization


def counted(
    name: str,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    binarization: Binarization | None = None,
    **knobs: Any,
) -> Counts:
    return _counted(name, input_shape, classes, binarization, tuple(sorted(knobs.items())))


@functools.cache
def _counted(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    binarization: Binarization | None,
    knobs: tuple[tuple[str, Any], ...],
) -> Counts:
    arguments = {"binarization": binarization} if binarization else {}
    with tf.variable_creator_scope(_zeros):
        return counts(networks.get(name)(input_shape, classes, **arguments, **dict(knobs)))


def _zeros(next_creator: Any, **arguments: Any) -> Any:
    shape = arguments.get("shape")
    if shape is not None:
        arguments["initial_value"] = lambda: tf.zeros(shape, arguments["dtype"])
    return next_creator(**arguments)
