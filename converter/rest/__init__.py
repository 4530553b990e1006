"""What the layers that are not binary are stored and computed in: one file a choice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.graph import Graph
from tflbnn.converter.passes import merge_constants, remove_dead
from tflbnn.converter.probe import Probe
from tflbnn.converter.rest.accuracy import Comparison, compare
from tflbnn.converter.rest.float16 import store_as_float16
from tflbnn.converter.rest.int8 import measured, quantize, quantize_weights
from tflbnn.converter.rest.pixels import take_pixels
from tflbnn.converter.rest.stem import gather_pixels
from tflbnn.converter.translation import require_same
from tflbnn.errors import UserError
from tflbnn.runtime.flatbuffer import schema

Rest = Literal["float32", "float16", "int8", "int8-dynamic"]
RESTS: tuple[Rest, ...] = ("float32", "float16", "int8", "int8-dynamic")

# How far a product of such numbers may be from that of floats, as a share of its largest value.
_TOLERANCES = {"float16": 5e-3, "int8": 0.1, "int8-dynamic": 0.1}
_BATCH = 8


@dataclasses.dataclass(frozen=True)
class RestReport:
    """What became of the rest.

    Attributes:
        rest: float16, int8 or int8-dynamic.
        products: the operators that were rewritten, by what they give.
        input: the type of the model's input.
        bytes_before, bytes_after: of the flatbuffer without metadata.
        samples, samples_are_random: what the ranges were measured on, and the outputs compared.
        largest_difference: of a rewritten product, as a share of its largest value.
        outputs: the model before and after.
    """

    rest: Rest
    products: tuple[str, ...]
    input: str
    bytes_before: int
    bytes_after: int
    samples: int
    samples_are_random: bool
    largest_difference: float
    outputs: Comparison


def require_rest(rest: str) -> None:
    if rest not in RESTS:
        raise UserError(f"The rest of a binary network is {', '.join(RESTS)}. Received: {rest!r}. Use float32.")


def rewrite(
    flatbuffer: bytes,
    rest: Rest,
    samples: Sequence[NDArray[Any]] | None,
    labels: NDArray[Any] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> tuple[Graph, RestReport]:
    """The graph of a flatbuffer whose rest is smaller, verified product by product.

    Args:
        samples: for each input (number, ...), normalized; None for random numbers.
        labels: the samples' classes, for the accuracy before and after.
        mean, std: by which pixels are normalized; with them, `--rest int8` makes the input uint8.

    Raises:
        VerificationError: a product differs by more than its numbers' precision explains.
    """
    before, graph = Graph(flatbuffer), Graph(flatbuffer)
    names = [entry.name.decode() for entry in graph.model.signatureDefs[0].inputs]
    given = _random_samples(graph) if samples is None else samples
    feeds = dict(zip(names, given, strict=True))
    pixels = False
    if rest == "int8":
        products = quantize(graph, _ranges(before, feeds))
        pixels = mean is not None and len(names) == 1
    else:
        products = store_as_float16(graph) if rest == "float16" else quantize_weights(graph)
    _clean(graph)
    some = {name: array[:_BATCH] for name, array in feeds.items()}
    found = require_same(before, graph, some, _TOLERANCES[rest])
    fed = feeds
    if pixels:
        take_pixels(graph, mean, std)
        fed = _pixels(feeds, mean, std)
    if rest == "int8":
        gather_pixels(graph)
        _clean(graph)
    after = graph.pack()
    outputs = compare(flatbuffer, after, feeds, fed, labels if samples is not None else None)
    kind = "uint8" if pixels else str(next(iter(feeds.values())).dtype)
    number = len(next(iter(feeds.values())))
    report = RestReport(
        rest, tuple(products), kind, len(flatbuffer), len(after), number, samples is None, found.largest, outputs
    )
    return graph, report


def kind_of(graph: Graph) -> Rest:
    """What the rest of a graph is, by its operators."""
    types = {graph.main.tensors[int(index)].type for one in graph.operators for index in one.inputs if index >= 0}
    if schema.TensorType.INT8 in types:
        return "int8" if graph.of_kind("QUANTIZE") else "int8-dynamic"
    return "float16" if schema.TensorType.FLOAT16 in types else "float32"


def verify(
    plain: bytes, flatbuffer: bytes, samples: Sequence[NDArray[Any]], mean: Sequence[float], std: Sequence[float]
) -> dict[str, Any]:
    """Compares a flatbuffer with that of the same model whose rest is float32, product by product.

    Args:
        samples: for each input (number, ...), normalized by mean and std.

    Raises:
        VerificationError: a product differs by more than its numbers' precision explains.
    """
    before, after = Graph(plain), Graph(flatbuffer)
    after.model.metadata = None
    rest = kind_of(after)
    names = [entry.name.decode() for entry in before.model.signatureDefs[0].inputs]
    feeds = dict(zip(names, samples, strict=True))
    pixels = after.main.tensors[int(after.main.inputs[0])].type == schema.TensorType.UINT8
    found = require_same(before, after, feeds, _TOLERANCES[rest], _pixels(feeds, mean, std) if pixels else None)
    return {"rest": rest, "rest_products": found.compared, "rest_largest_difference": found.largest}


def _pixels(
    feeds: Mapping[str, NDArray[Any]], mean: Sequence[float], std: Sequence[float]
) -> dict[str, NDArray[np.uint8]]:
    whole = {name: np.rint(array * np.asarray(std) + np.asarray(mean)) for name, array in feeds.items()}
    return {name: np.clip(array, 0, 255).astype(np.uint8) for name, array in whole.items()}


def _clean(graph: Graph) -> None:
    merge_constants.rewrite(graph)
    remove_dead.rewrite(graph)


def _ranges(graph: Graph, feeds: dict[str, NDArray[Any]]) -> dict[int, tuple[float, float]]:
    """The least and the largest values on the samples."""
    wanted = measured(graph)
    inputs = {int(index): name for index, name in zip(graph.main.inputs, feeds, strict=True)}
    found = {i: (float(feeds[inputs[i]].min()), float(feeds[inputs[i]].max())) for i in wanted if i in inputs}
    computed = [index for index in wanted if index not in inputs]
    if not computed:
        return found
    probe = Probe(graph.pack(), None, computed)
    for start in range(0, len(next(iter(feeds.values()))), _BATCH):
        values = probe.run({name: array[start : start + _BATCH] for name, array in feeds.items()})
        for index, value in values.items():
            low, high = found.get(index, (np.inf, -np.inf))
            found[index] = min(low, float(value.min())), max(high, float(value.max()))
    return found


def _random_samples(graph: Graph) -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    shapes = [graph.shape(int(index)) for index in graph.main.inputs]
    return [rng.standard_normal((max(shape[0], _BATCH), *shape[1:])).astype(np.float32) for shape in shapes]
