"""Several models as one flatbuffer: they share what they have in common, and their votes are counted inside.

Subgraph 0 runs all members on one input, then the vote. Every member is a subgraph of its own as well, with a signature
member_01, member_02, ..., whose constants are the same buffers: the runtime can ask them one by one. The file stays a
plain LCE flatbuffer: the vote is made of builtin operators.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.converter import Conversion, Metadata, convert
from tflbnn.converter.comparison import TOLERANCE
from tflbnn.converter.graph import Graph
from tflbnn.converter.verify import verify as _verify
from tflbnn.ensembles.voting import SMALLEST, Rule, member_weights, vote
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.ensemble import ENTRY, read_ensemble
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.metadata import add_metadata, read_metadata


def convert_ensemble(
    models: Sequence[keras.Model],
    rule: Rule,
    weights: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
    samples: NDArray[np.float32] | None = None,
    metadata: Metadata | None = None,
    verify: bool = True,
    fail_on_float: bool = False,
) -> Conversion:
    """Converts the members of an ensemble into one file and verifies it.

    Args:
        models: of the same inputs and classes; probabilities come out of them, or regressions (rule "additive").
        rule: how they vote, see `tflbnn.ensembles.voting.vote`; weights: of their votes.
        labels, samples, metadata, verify, fail_on_float: as for `tflbnn.converter.convert`.

    Raises:
        UserError: a member cannot be converted, or members do not fit together.
        VerificationError: a member does not compute what its model does, or the file not what its members say.

    >>> members = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")]) for _ in range(3)]
    >>> Model(convert_ensemble(members, "hard").flatbuffer).signatures
    ['serving_default', 'member_01', 'member_02', 'member_03']
    """
    shares = member_weights(len(models), weights)
    conversions = []
    for number, model in enumerate(models, 1):
        with _naming(number):
            conversions.append(convert(model, verify=False, fail_on_float=fail_on_float))
    merged = merge([conversion.flatbuffer for conversion in conversions], rule, shares.tolist())
    described = metadata or Metadata(name=f"{models[0].name} ensemble")
    if labels is not None:
        described = dataclasses.replace(described, labels=tuple(labels))
    first = conversions[0].report
    versions = read_metadata(conversions[0].flatbuffer).versions
    flatbuffer = add_metadata(merged, dataclasses.replace(described, versions=versions | described.versions))
    verification = verify_ensemble(models, flatbuffer, samples) if verify else None
    rows = tuple(row for conversion in conversions for row in conversion.report.explain)
    return Conversion(flatbuffer, dataclasses.replace(first, explain=rows, verification=verification))


@contextlib.contextmanager
def _naming(number: int) -> Iterator[None]:
    try:
        yield
    except (UserError, VerificationError) as error:
        raise type(error)(f"Member {number}: {error}") from error


def merge(flatbuffers: Sequence[bytes], rule: Rule, weights: Sequence[float]) -> bytes:
    """One file of several models with the same inputs; see the top of this module.

    Raises:
        UserError: their inputs or outputs differ, or one has several outputs.
    """
    graphs = [Graph(flatbuffer) for flatbuffer in flatbuffers]
    _require_same(graphs)
    whole = Graph(flatbuffers[0])
    names = [_text(entry.name) for entry in whole.model.signatureDefs[0].inputs]
    merger = _Merger(whole)
    outputs = [merger.add(graph) for graph in graphs]
    whole.main.outputs = np.array([_count(whole, outputs, rule, weights)], np.int32)
    whole.model.signatureDefs = [_signature("serving_default", 0, whole.main, names, "probabilities")]
    members = []
    for number, graph in enumerate(graphs, 1):
        members.append(f"member_{number:02}")
        output = _text(graph.model.signatureDefs[0].outputs[0].name)
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
        names = [_text(entry.name) for entry in graph.model.signatureDefs[0].inputs]
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


def members_of(flatbuffer: bytes) -> list[bytes]:
    """Every member of an ensemble's file as a file of its own.

    Raises:
        UserError: the file is no ensemble.
    """
    ensemble = read_ensemble(flatbuffer)
    if ensemble is None:
        raise UserError("An ensemble's file is needed. Received: a model that is none. Export an ensemble.")
    return [_member(flatbuffer, signature) for signature in ensemble.signatures]


def _member(flatbuffer: bytes, name: str) -> bytes:
    graph = Graph(flatbuffer)
    model = graph.model
    signature = next(found for found in model.signatureDefs if _text(found.signatureKey) == name)
    model.subgraphs = [model.subgraphs[signature.subgraphIndex]]
    signature.signatureKey, signature.subgraphIndex = "serving_default", 0
    model.signatureDefs, model.metadata = [signature], None
    used = sorted({0, *(tensor.buffer for tensor in model.subgraphs[0].tensors)})
    model.buffers = [model.buffers[place] for place in used]
    for tensor in model.subgraphs[0].tensors:
        tensor.buffer = used.index(tensor.buffer)
    return graph.pack()


def verify_ensemble(
    models: Sequence[keras.Model], flatbuffer: bytes, samples: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """Compares an ensemble's file with the Keras models of its members, one by one, and its votes with theirs.

    Args:
        samples: inputs to verify on, (number, ...); random ones when left out.

    Returns:
        What `tflbnn.converter.verify.verify` gives, of all members together, with members, vote, and same_labels, the
        share of the samples that the Keras members, voting likewise, label as the file does.

    Raises:
        VerificationError: a member does not compute what its model does, or the file not what its members say.
    """
    ensemble, alone = read_ensemble(flatbuffer), members_of(flatbuffer)
    if len(alone) != len(models):
        raise VerificationError(f"The file must have {len(models)} members. Received: {len(alone)}.")
    if samples is None:
        samples = np.random.default_rng(0).standard_normal((8, *models[0].input_shape[1:])).astype(np.float32)
    found, said = [], []
    for number, (model, content) in enumerate(zip(models, alone, strict=True), 1):
        with _naming(number):
            found.append(_verify(model, content, samples))
        with Model(content) as member:
            said.append(member.predict(samples))
    expected = vote(said, ensemble.rule, ensemble.weights)
    with Model(flatbuffer) as whole:
        counted = whole.predict(samples)
    error = float(np.abs(counted - expected).max())
    if not error <= TOLERANCE:
        raise VerificationError(
            f"The file must count its members' votes. Received: a difference of {error:.3g} (at most {TOLERANCE} is "
            "rounding)."
        )
    by_keras = vote([model.predict(samples, verbose=0) for model in models], ensemble.rule, ensemble.weights)
    return {
        **found[0],
        "layers": [
            {**layer, "layer": f"{signature}/{layer['layer']}"}
            for signature, one in zip(ensemble.signatures, found, strict=True)
            for layer in one["layers"]
        ],
        "members": len(models),
        "vote": ensemble.rule,
        "binary_layers": sum(one["binary_layers"] for one in found),
        "ties": sum(one["ties"] for one in found),
        "max_abs_error": max(error, *(one["max_abs_error"] for one in found)),
        "same_labels": float((counted.argmax(axis=1) == by_keras.argmax(axis=1)).mean()),
    }


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


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
