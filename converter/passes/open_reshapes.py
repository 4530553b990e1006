"""Leaves the batch open where a RESHAPE to a constant shape has it as 1.

LCE converts for a batch of 1 and writes it into the shapes of most reshapes, which then take no other batch, or make
one sample of several where another axis is what is left, as in (1, -1, 8).
"""

from __future__ import annotations

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.report import Matches


def rewrite(graph: Graph) -> Matches:
    """Matches reshapes, by the tensors that they give."""
    matches = Matches()
    for operator in graph.of_kind("RESHAPE"):
        source, output = int(operator.inputs[0]), int(operator.outputs[0])
        shape = graph.constant(int(operator.inputs[1])) if len(operator.inputs) > 1 else None
        _, *sizes = graph.shape(output) or (1,)
        if shape is None or shape[:1].tolist() != [1] or min(sizes, default=1) < 1 or not graph.batch_leads(source):
            continue
        # Another operator may have the same constant.
        constant = graph.add_constant(f"shape of tensor_{output}", np.array([-1, *sizes], np.int32))
        operator.inputs = np.array([source, constant], np.int32)
        matches.matched.append(graph.name(output))
    return matches
