"""Several flatbuffers with the same inputs as one: equal operations and constants once, then a vote.

What `tflbnn.converter.ensemble` does with the members of an ensemble.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter import Metadata
from tflbnn.converter.graph import Graph
from tflbnn.ensembles.voting import SMALLEST, Rule
from tflbnn.errors import UserError
from tflbnn.runtime.ensemble import ENTRY
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.metadata import add_metadata


def merge(flatbuffers: Sequence[bytes], rule: Rule, weights: Sequence[float]) -> bytes:
    """One file of several models with the same inputs; see the top of `tflbnn.converter.ensemble`.

    Raises:
        UserError: their inputs or outputs differ, or one has several outputs.
    """
    graphs = [Graph(flatbuffer) for flatbuffer in flatbuffers]
    _require_same(graphs)
    whole = Graph(flatbuffers[0])
    names = [text(entry.name) for entry in whole.model.signatureDefs[0].inputs]
    merger = _Merger(whole)
    outputs = [merger.add(graph) for graph in graphs]
    whole.main.outputs = np.array([_count(whole, outputs, rule, weights)], np.int32)
    whole.model.signatureDefs = [_signature("serving_default", 0, whole.main, names, "probabilities")]
    members = []
    for number, graph in enumerate(graphs, 1):
        members.append(f"member_{number:02}")
        output = text(graph.model.signatureDefs[0].outputs[0].name)
        whole.model.subgraphs.append(merger.subgraph(graph, members[-1]))
        place = len(whole.model.subgraphs) - 1
        whole.model.signatureDefs.append(_signature(members[-1], place, whole.model.subgraphs[-1], names, output))
    whole.model.metadata = None
    _describe(whole, {"rule": rule, "weights": list(weights), "signatures": members})
    return add_metadata(whole.pack(), Metadata())


class _Merger:
    """Puts graphs behind one another into the main graph of a model; what is computed already is not computed again."""

    def __init__(self, whole: Graph) -> None:
        self.whole, self.inputs = whole, list(map(int, whole.main.inputs))
        kept = [whole.main.tensors[index] for index in self.inputs]
        whole.main.tensors, whole.main.operators = kept, []
        whole.main.inputs = self.inputs = np.arange(len(kept), dtype=np.int32)
        whole.model.buffers = whole.model.buffers[:1]  # the first stands for no data
        for tensor in kept:
            tensor.buffer = 0
        _drop_empty(kept)
        self.buffers: dict[bytes, int] = {}
        self.constants: dict[Any, int] = {}
        self.computed: dict[Any, NDArray[np.int32]] = {}

    def add(self, graph: Graph) -> int:
        """Adds a member's operators; where its output is."""
        _drop_empty(graph.main.tensors)
        main = self.whole.main
        places = dict(zip(map(int, graph.main.inputs), map(int, self.inputs), strict=True))
        places[-1] = -1
        for operator in graph.operators:
            for index in map(int, operator.inputs):
                if index not in places:
                    places[index] = self._constant(graph, index)
            inputs = tuple(places[int(index)] for index in operator.inputs)
            code = self._code(graph, operator)
            key = (code, inputs, _options(operator))
            if key not in self.computed:
                added = copy.copy(operator)
                added.opcodeIndex, added.inputs = code, np.array(inputs, np.int32)
                first = len(main.tensors)
                added.outputs = np.arange(first, first + len(operator.outputs), dtype=np.int32)
                for index in operator.outputs:
                    tensor = copy.copy(graph.main.tensors[int(index)])
                    tensor.buffer = 0
                    main.tensors.append(tensor)
                main.operators.append(added)
                self.computed[key] = added.outputs
            places.update(zip(map(int, operator.outputs), map(int, self.computed[key]), strict=True))
        return places[int(graph.main.outputs[0])]

    def subgraph(self, graph: Graph, name: str) -> schema.SubGraphT:
        """A member for itself, its constants in the buffers of the whole."""
        alone = copy.copy(graph.main)
        alone.name, alone.tensors, alone.operators = name, [], []
        for index, tensor in enumerate(graph.main.tensors):
            alone.tensors.append(copy.copy(tensor))
            alone.tensors[-1].buffer = self._buffer(graph, index)
        for operator in graph.operators:
            alone.operators.append(copy.copy(operator))
            alone.operators[-1].opcodeIndex = self._code(graph, operator)
        return alone

    def _constant(self, graph: Graph, index: int) -> int:
        tensor = graph.main.tensors[index]
        key = (self._buffer(graph, index), tensor.type, graph.shape(index), _quantization(tensor))
        if key not in self.constants:
            added = copy.copy(tensor)
            added.buffer = key[0]
            self.whole.main.tensors.append(added)
            self.constants[key] = len(self.whole.main.tensors) - 1
        return self.constants[key]

    def _buffer(self, graph: Graph, index: int) -> int:
        data = graph.model.buffers[graph.main.tensors[index].buffer].data
        if data is None or not len(data):
            return 0
        content = bytes(data)
        if content not in self.buffers:
            self.buffers[content] = len(self.whole.model.buffers)
            self.whole.model.buffers.append(graph.model.buffers[graph.main.tensors[index].buffer])
        return self.buffers[content]

    def _code(self, graph: Graph, operator: schema.OperatorT) -> int:
        version = graph.model.operatorCodes[operator.opcodeIndex].version
        return self.whole.operator(graph.kind(operator), [], [], version=version).opcodeIndex


def _count(whole: Graph, outputs: Sequence[int], rule: Rule, weights: Sequence[float]) -> int:
    """Adds the operators that make one output, (batch, classes), of the members'."""
    members, classes = len(outputs), whole.shape(outputs[0])[-1]
    floats, integers = schema.TensorType.FLOAT32, schema.TensorType.INT32

    def add(
        kind: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        options: Any = None,
        type_: int = floats,
        version: int = 1,
    ) -> int:
        output = whole.add_tensor(f"vote/{kind.lower()}", shape, type_)
        whole.main.operators.append(whole.operator(kind, inputs, [output], options, version))
        return output

    def constant(name: str, value: Any, dtype: Any = np.float32) -> int:
        return whole.add_constant(f"vote/{name}", np.asarray(value, dtype))

    def softmax(scores: int) -> int:
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return add("SOFTMAX", [scores], (1, classes), options)

    every = (1, members, classes)
    pack = schema.PackOptionsT()
    pack.valuesCount, pack.axis = members, 1
    said = add("PACK", outputs, every, pack)
    if rule == "hard":
        options = schema.ArgMaxOptionsT()
        options.outputType = integers
        chosen = add("ARG_MAX", [said, constant("axis", [2], np.int32)], (1, members), options, integers)
        one_hot = schema.OneHotOptionsT()
        one_hot.axis = -1
        depth, on, off = constant("classes", classes, np.int32), constant("for", 1), constant("against", 0)
        said = add("ONE_HOT", [chosen, depth, on, off], every, one_hot)
    elif rule == "geometric":
        said = add("MAXIMUM", [said, constant("least", SMALLEST)], every, schema.MaximumMinimumOptionsT())
        said = add("LOG", [said], every)
    scales = [(classes - 1) / classes] * members if rule == "additive" else weights
    said = add("MUL", [said, constant("weights", np.reshape(scales, (1, members, 1)))], every, schema.MulOptionsT())
    options = schema.ReducerOptionsT()
    options.keepDims = False
    total = add("SUM", [said, constant("members", [1], np.int32)], (1, classes), options)
    return softmax(total) if rule in ("geometric", "additive") else total


def _require_same(graphs: Sequence[Graph]) -> None:
    def interface(graph: Graph) -> Any:
        ends = [
            [(graph.shape(int(index)), graph.main.tensors[int(index)].type) for index in indices]
            for indices in (graph.main.inputs, graph.main.outputs)
        ]
        names = [text(entry.name) for entry in graph.model.signatureDefs[0].inputs]
        return ends, names if len(names) > 1 else []  # one input is the same, whatever it is called

    for number, graph in enumerate(graphs, 1):
        if interface(graph) != interface(graphs[0]) or len(graph.main.outputs) != 1:
            raise UserError(
                "Members must have the same inputs, and one output of the same shape each. Received: member "
                f"{number}, with {interface(graph)} where the first has {interface(graphs[0])}."
            )
    shape = graphs[0].shape(int(graphs[0].main.outputs[0]))
    if len(shape) != 2:
        raise UserError(f"Members must say something about each class, (batch, classes). Received: {shape}.")


def _signature(key: str, place: int, graph: schema.SubGraphT, inputs: Sequence[str], output: str) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = key, place
    signature.inputs = [_entry(name, index) for name, index in zip(inputs, graph.inputs, strict=True)]
    signature.outputs = [_entry(output, graph.outputs[0])]
    return signature


def _entry(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, int(index)
    return entry


def _describe(whole: Graph, ensemble: dict[str, Any]) -> None:
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(json.dumps(ensemble, sort_keys=True).encode(), np.uint8)
    entry.name, entry.buffer = ENTRY, len(whole.model.buffers)
    whole.model.buffers.append(buffer)
    whole.model.metadata = [entry]


def _drop_empty(tensors: Sequence[schema.TensorT]) -> None:
    """Takes tables away that say nothing about how a float is quantized."""
    for tensor in tensors:
        found = tensor.quantization
        if found is not None and found.scale is None and found.zeroPoint is None and found.min is None:
            tensor.quantization = None


def _options(operator: schema.OperatorT) -> Any:
    """Options as what can be compared."""
    custom = operator.customOptions
    builtin = operator.builtinOptions
    fields = () if builtin is None else tuple(sorted((key, _plain(value)) for key, value in vars(builtin).items()))
    return (b"" if custom is None else bytes(custom)), operator.builtinOptionsType, fields


def _plain(value: Any) -> str:
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


def _quantization(tensor: schema.TensorT) -> str:
    found = tensor.quantization
    return (
        "" if found is None else repr({key: _plain(value) for key, value in vars(found).items() if value is not None})
    )


def text(name: str | bytes) -> str:
    """A name of the file as a string."""
    return name.decode() if isinstance(name, bytes) else name
