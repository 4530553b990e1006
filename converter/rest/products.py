"""Which operators of the rest have weights that are worth storing smaller."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.graph import Graph
from tflbnn.runtime.flatbuffer import schema

PRODUCTS = ("CONV_2D", "FULLY_CONNECTED")


def float_products(graph: Graph, least: int) -> Iterator[tuple[schema.OperatorT, NDArray[np.float32]]]:
    """The products of float inputs with at least so many constant float weights, with these."""
    for operator in graph.operators:
        if graph.kind(operator) in PRODUCTS:
            inputs, weights = int(operator.inputs[0]), graph.constant(int(operator.inputs[1]))
            floats = graph.main.tensors[inputs].type == schema.TensorType.FLOAT32
            if floats and weights is not None and weights.dtype == np.float32 and weights.size >= least:
                yield operator, weights
