"""Looking inside a flatbuffer: a copy with intermediate tensors as outputs, and their values on samples."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.graph import Graph
from tflbnn.runtime import Model
from tflbnn.runtime.flatbuffer import schema

_BITS_FROM = ("LceQuantize", "LceBconv2d", "LceBMaxPool2d")


class Probe:
    """The values of a flatbuffer's tensors by index, computed by the delegate with one kernel.

    Args:
        only: the tensors to look at; None for every float tensor and all bits.
    """

    def __init__(self, flatbuffer: bytes, kernel: str | None, only: Collection[int] | None = None) -> None:
        graph = Graph(flatbuffer)
        # The copy is another file: neither its checksum nor its labels are its own.
        graph.model.metadata = None
        outputs = list(map(int, graph.main.outputs))
        computed = [int(index) for operator in graph.operators for index in operator.outputs]
        added = [index for index in computed if index not in outputs and self.wanted(graph, index)]
        looked_at = [*dict.fromkeys(outputs), *added] if only is None else list(only)
        graph.main.outputs = np.array(looked_at, np.int32)
        signature = graph.model.signatureDefs[0]
        signature.outputs = []
        for index in graph.main.outputs:
            entry = schema.TensorMapT()
            entry.name, entry.tensorIndex = f"tensor {index}", int(index)
            signature.outputs.append(entry)
        self.indices = list(map(int, graph.main.outputs))
        self.model = Model(graph.pack(), kernel=kernel)

    @staticmethod
    def wanted(graph: Graph, index: int) -> bool:
        """Float tensors, and bits, that have the batch in front; integers of other operators are shapes."""
        batch = graph.shape(int(graph.main.inputs[0]))[:1]
        if graph.shape(index)[:1] != batch:
            return False
        if graph.main.tensors[index].type == schema.TensorType.FLOAT32:
            return True
        return any(index in operator.outputs for kind in _BITS_FROM for operator in graph.of_kind(kind))

    def run(self, samples: Mapping[str, NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """Every probed tensor, batch first."""
        values = self.model.predict(samples)
        if len(self.indices) == 1:
            return {self.indices[0]: values}
        return {index: values[f"tensor {index}"] for index in self.indices}
