"""Makes one buffer of constants that hold the same bytes.

The planes of a layer's inputs share its weights, and layers often share shapes, borders and zeros.
"""

from __future__ import annotations

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.report import Matches

AFTER = ("binary_dense", "binary_conv2d", "binary_transpose_conv")


def rewrite(graph: Graph) -> Matches:
    """Matches tensors whose buffer was another's over again."""
    matches = Matches()
    kept: dict[bytes, int] = {}
    for subgraph in graph.model.subgraphs:
        for tensor in subgraph.tensors:
            data = graph.model.buffers[tensor.buffer].data
            if data is None or not len(data):
                continue
            first = kept.setdefault(bytes(data), tensor.buffer)
            if first != tensor.buffer:
                tensor.buffer = first
                name = tensor.name.decode() if isinstance(tensor.name, bytes) else tensor.name
                matches.matched.append(name or "")
    return matches
