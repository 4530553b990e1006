"""Removes operators whose outputs nobody reads, tensors that nothing refers to, and buffers that hold nothing or that
nothing refers to.

LCE leaves a tensor for every constant that was folded away, and gives every computed tensor an empty buffer of its own.
By the format's convention buffer 0 is the empty one, and all of them can share it.
"""

from __future__ import annotations

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes.report import Matches
from tflbnn.runtime.flatbuffer import schema

# Whatever a pass replaces is dead.
AFTER = ("binary_dense", "binary_conv2d", "binary_transpose_conv", "merge_constants")


def rewrite(graph: Graph) -> Matches:
    """Matches what is removed, by kind."""
    model = graph.model
    operators = _remove_operators(graph)
    tensors = sum(_remove_tensors(model, number) for number in range(len(model.subgraphs)))
    buffers = _remove_buffers(model)
    counted = {"operators": operators, "tensors": tensors, "buffers": buffers}
    return Matches([f"{number} {kind}" for kind, number in counted.items() if number])


def _remove_operators(graph: Graph) -> int:
    read = set(map(int, graph.main.outputs))
    kept = []
    for operator in reversed(graph.operators):
        if read.intersection(map(int, operator.outputs)):
            kept.append(operator)
            read.update(map(int, operator.inputs))
    removed = len(graph.operators) - len(kept)
    graph.main.operators = kept[::-1]
    return removed


def _remove_tensors(model: schema.ModelT, number: int) -> int:
    graph = model.subgraphs[number]
    signatures = [signature for signature in model.signatureDefs or [] if signature.subgraphIndex == number]
    entries = [entry for signature in signatures for entry in (*signature.inputs, *signature.outputs)]
    lists = [(graph, "inputs"), (graph, "outputs")]
    for operator in graph.operators or []:
        lists += [(operator, name) for name in ("inputs", "outputs", "intermediates")]
    lists = [(owner, name) for owner, name in lists if getattr(owner, name) is not None]
    used = {index for owner, name in lists for index in np.asarray(getattr(owner, name)).tolist()}
    used |= {entry.tensorIndex for entry in entries}
    kept = [index for index in range(len(graph.tensors)) if index in used]
    renumbered = {index: position for position, index in enumerate(kept)} | {-1: -1}
    for owner, name in lists:
        indices = np.asarray(getattr(owner, name)).tolist()
        setattr(owner, name, np.array([renumbered[index] for index in indices], np.int32))
    for entry in entries:
        entry.tensorIndex = renumbered[entry.tensorIndex]
    removed = len(graph.tensors) - len(kept)
    graph.tensors = [graph.tensors[index] for index in kept]
    return removed


def _remove_buffers(model: schema.ModelT) -> int:
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    kept = [schema.BufferT()]  # buffer 0: the empty one
    renumbered: dict[int, int] = {}

    def renumber(index: int) -> int:
        buffer = model.buffers[index]
        if buffer.data is None or not len(buffer.data):
            return 0
        if index not in renumbered:
            renumbered[index] = len(kept)
            kept.append(buffer)
        return renumbered[index]

    for tensor in tensors:
        tensor.buffer = renumber(tensor.buffer)
    for entry in model.metadata or []:
        entry.buffer = renumber(entry.buffer)
    removed = len(model.buffers) - len(kept)
    model.buffers = kept
    return removed
