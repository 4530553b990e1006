"""Any LCE model file through the converter's passes: what was left in float runs in bits, and nothing else changes."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter import passes
from tflbnn.converter.graph import Graph
from tflbnn.converter.passes import PassReport
from tflbnn.converter.rest import Rest, RestReport, require_rest
from tflbnn.converter.rest import rewrite as rewrite_rest
from tflbnn.converter.translation import require_same
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.check import check_model
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.metadata import add_metadata, read_metadata

_SAMPLES = 2


@dataclasses.dataclass(frozen=True)
class Optimized:
    """
    Attributes:
        flatbuffer: the new file, with the old one's metadata.
        passes: what every pass did.
        compared: the rewritten tensors that were compared, on random numbers.
        largest_difference: of one, as a share of its largest value.
        rest: what became of a rest that is not float32.
    """

    flatbuffer: bytes
    passes: tuple[PassReport, ...]
    compared: int
    largest_difference: float
    rest: RestReport | None


def optimize(content: bytes, rest: Rest = "float32") -> Optimized:
    """Rewrites a model file and compares it with what it was, tensor by tensor.

    Raises:
        UserError: the file is damaged, or TensorFlow Lite cannot run it with the delegate.
        VerificationError: a pass changed what the model computes.
    """
    require_rest(rest)
    check_model(content)
    metadata = read_metadata(content)
    before = named(content)
    plain = before.pack()
    graph = Graph(plain)
    if len(graph.model.subgraphs) != 1:
        raise UserError(f"A model to optimize has one graph. Received: {len(graph.model.subgraphs)}. Split it.")
    reports = passes.run(graph)
    found = require_same(before, graph, random_samples(plain))
    small = None
    if rest != "float32":
        normalization = (None, None) if metadata is None else (metadata.mean, metadata.std)
        graph, small = rewrite_rest(graph.pack(), rest, None, None, *normalization)
        if metadata is not None and small.input == "uint8":
            metadata = dataclasses.replace(metadata, mean=(0.0,), std=(1.0,))
    file = graph.pack()
    if metadata is not None:
        file = add_metadata(file, metadata)
    check_model(file)
    return Optimized(file, reports, found.compared, found.largest, small)


def named(content: bytes) -> Graph:
    """The graph with a name of its own for every tensor, and a signature, without metadata of the file's own."""
    graph = Graph(content)
    graph.model.metadata = [
        entry for entry in graph.model.metadata or [] if entry.name in (b"min_runtime_version", b"CONVERSION_METADATA")
    ]
    used: set[str] = set()
    for index, tensor in enumerate(graph.main.tensors):
        name = graph.name(index)
        tensor.name = name if name and name not in used else f"{name or 'tensor'} #{index}"
        used.add(tensor.name)
    if not graph.model.signatureDefs:
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs = [_entry(graph, int(index)) for index in graph.main.inputs]
        signature.outputs = [_entry(graph, int(index)) for index in dict.fromkeys(map(int, graph.main.outputs))]
        graph.model.signatureDefs = [signature]
    return graph


def _entry(graph: Graph, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = graph.name(index), index
    return entry


def random_samples(flatbuffer: bytes) -> dict[str, NDArray]:
    """Normal numbers for inputs of floats, 0 to 255 for uint8, 0 and 1 for other integers."""
    rng = np.random.default_rng(0)
    samples = {}
    with Model(flatbuffer) as model:
        for name, ((_, *sizes), dtype) in model.input_specs.items():
            shape = (_SAMPLES, *(size or 1 for size in sizes))
            if dtype.kind == "f":
                samples[name] = rng.standard_normal(shape).astype(dtype)
            else:
                samples[name] = rng.integers(0, 256 if dtype == np.uint8 else 2, shape).astype(dtype)
    return samples
