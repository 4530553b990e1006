"""--rest float16: weights stored in half precision, which TensorFlow Lite unpacks when it loads the model."""

from __future__ import annotations

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.rest.products import float_products

_LEAST = 64  # weights: with fewer, the operator that unpacks them is larger


def store_as_float16(graph: Graph) -> list[str]:
    """Rewrites in place; the names of what the products give. A weight beyond ±65504 is the largest half."""
    concerned = []
    unpacked: dict[int, int] = {}
    for operator, weights in list(float_products(graph, _LEAST)):
        source = int(operator.inputs[1])
        if source not in unpacked:
            limit = float(np.finfo(np.float16).max)
            half = graph.add_constant(f"tensor_{source} half", np.clip(weights, -limit, limit).astype(np.float16))
            unpacked[source] = graph.add_tensor(f"tensor_{source} unpacked", weights.shape)
            graph.main.operators.insert(0, graph.operator("DEQUANTIZE", [half], [unpacked[source]], version=3))
        operator.inputs = np.array(operator.inputs, np.int32)
        operator.inputs[1] = unpacked[source]
        concerned.append(graph.name(int(operator.outputs[0])))
    return concerned
