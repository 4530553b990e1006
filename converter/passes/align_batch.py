"""Puts the batch first in both inputs of an elementwise operator.

Where a gate's factors (batch, 1, 1, channels) multiply an image, as squeeze-and-excite does, LCE leaves away the
reshape that made them of (batch, channels), which at its batch of 1 changes nothing. At a batch as large as the image
is wide the factors of a sample would go to a column, and at most others TensorFlow Lite refuses the shapes. So the
computed input of lower rank, if the batch comes first in it, gets its reshape back, (-1, 1, 1, channels).
"""

from __future__ import annotations

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.report import Matches
from tflbnn.runtime.flatbuffer import schema

_ELEMENTWISE = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM")


def rewrite(graph: Graph) -> Matches:
    """Matches inputs of lower rank, by the tensors that are computed with them."""
    aligned: dict[tuple[int, int], int] = {}
    operators, matches = [], Matches()
    for operator in graph.operators:
        if graph.kind(operator) in _ELEMENTWISE:
            ranks = [len(graph.shape(int(index))) for index in operator.inputs]
            for place, index in enumerate(map(int, operator.inputs)):
                if ranks[place] == max(ranks) or not graph.batch_leads(index):
                    continue
                key = index, max(ranks)
                if key not in aligned:
                    reshape = _reshape(graph, *key)
                    aligned[key] = int(reshape.outputs[0])
                    operators.append(reshape)
                operator.inputs = np.array(operator.inputs, np.int32)
                operator.inputs[place] = aligned[key]
                matches.matched.append(graph.name(int(operator.outputs[0])))
        operators.append(operator)
    graph.main.operators = operators
    return matches


def _reshape(graph: Graph, index: int, rank: int) -> schema.OperatorT:
    _, *sizes = graph.shape(index)
    sizes = [*[1] * (rank - 1 - len(sizes)), *sizes]
    name = f"tensor_{index} of rank {rank}"
    shape = graph.add_constant(f"shape of {name}", np.array([-1, *sizes], np.int32))
    output = graph.add_tensor(name, (1, *sizes), graph.main.tensors[index].type)
    return graph.operator("RESHAPE", [index, shape], [output])
