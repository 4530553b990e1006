"""Puts the batch first in both inputs of an elementwise operator.

Where a gate's factors (batch, 1, 1, channels) multiply an image, as squeeze-and-excite does, LCE leaves away the
reshape that made them of (batch, channels), which at its batch of 1 changes nothing. At a batch as large as the image
is wide the factors of a sample would go to a column, and at most others TensorFlow Lite refuses the shapes. So the
computed input of lower rank, if the batch comes first in it, gets its reshape back, (-1, 1, 1, channels).
"""

from __future__ import annotations

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.runtime.flatbuffer import schema

_ELEMENTWISE = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM")


def rewrite(graph: Graph) -> tuple[int, tuple[str, ...]]:
    """Matches (inputs of lower rank) and the tensors that are computed with them."""
    aligned: dict[tuple[int, int], int] = {}
    operators, notes = [], []
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
                notes.append(graph.name(int(operator.outputs[0])))
        operators.append(operator)
    graph.main.operators = operators
    return len(notes), tuple(notes)


def _reshape(graph: Graph, index: int, rank: int) -> schema.OperatorT:
    _, *sizes = graph.shape(index)
    sizes = [*[1] * (rank - 1 - len(sizes)), *sizes]
    name = f"tensor_{index} of rank {rank}"
    operator = schema.OperatorT()
    operator.opcodeIndex = _operator_code(graph)
    shape = graph.add_constant(f"shape of {name}", np.array([-1, *sizes], np.int32))
    operator.inputs = np.array([index, shape], np.int32)
    operator.outputs = np.array([graph.add_tensor(name, (1, *sizes), graph.main.tensors[index].type)], np.int32)
    return operator


def _operator_code(graph: Graph) -> int:
    """Where the model lists RESHAPE, which it does from now on."""
    codes = graph.model.operatorCodes
    for place, code in enumerate(codes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.RESHAPE:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    codes.append(code)
    return len(codes) - 1
