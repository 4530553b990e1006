"""The rules of design that cost a binary network time or bits: each finding with the layer, the cost and the cure.

Times are estimates by what the instructions allow a core of AVX-512: 16 float or 64 int8 or 256 binary
multiply-accumulates a cycle, as measured in docs/benchmarks.md. Shares of them are what counts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

from tflbnn.analysis.counts import LayerCounts
from tflbnn.analysis.counts_tflite import counts_tflite
from tflbnn.converter import passes
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import layers_of
from tflbnn.runtime.flatbuffer import schema

_WORD = 32
_FLOAT, _INT8, _BINARY = 16, 64, 256  # multiply-accumulates a cycle
_SAME = 0
# Shares of the estimated time from which on a float layer, and the first layer, are worth a word.
_WORTH, _FIRST = 0.02, 0.2
_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "LceBconv2d")
_ACTIVATIONS = ("RELU", "RELU6", "PRELU", "LEAKY_RELU", "HARD_SWISH", "TANH", "LOGISTIC")


@dataclasses.dataclass(frozen=True)
class Finding:
    """
    Attributes:
        rule: its name.
        layer: the layer that breaks it.
        cost: what that costs.
        cure: what to write instead.
        share: of the estimated time of the whole network; 0 where it costs no time.
    """

    rule: str
    layer: str
    cost: str
    cure: str
    share: float


class _Model:
    def __init__(self, flatbuffer: bytes) -> None:
        self.graph = Graph(flatbuffer)
        self.flatbuffer = flatbuffer
        self.producers, self.consumers = self.graph.producers(), self.graph.consumers()
        self.products = [one for one in self.graph.operators if self.graph.kind(one) in _PRODUCTS]
        rows = [row for row in counts_tflite(flatbuffer).layers if row.type in _PRODUCTS]
        self.cycles = [_cycles(row) for row in rows]
        self.total = sum(self.cycles) or 1.0

    def layer(self, operator: schema.OperatorT) -> str:
        return layers_of(self.graph.name(int(operator.outputs[0])))[0]

    def share(self, operator: schema.OperatorT) -> float:
        place = next(number for number, one in enumerate(self.products) if one is operator)
        return self.cycles[place] / self.total


def _cycles(row: LayerCounts) -> float:
    rate = _INT8 if row.input_bits == 8 else _FLOAT
    return row.binary_macs / _BINARY + row.full_precision_macs / rate


def lint(flatbuffer: bytes) -> tuple[Finding, ...]:
    """The findings of every rule, the costliest first.

    Args:
        flatbuffer: a whole file, checked by `tflbnn.runtime.check.check_model`.

    Raises:
        UserError: its operations cannot be counted.
    """
    model = _Model(flatbuffer)
    found = [finding for rule in RULES for finding in rule(model)]
    return tuple(sorted(found, key=lambda finding: -finding.share))


def _odd_channels(model: _Model) -> Iterator[Finding]:
    for operator in model.graph.of_kind("LceBconv2d"):
        channels = model.graph.options(operator).get("channels_in")
        if isinstance(channels, int) and channels % _WORD:
            words = -(-channels // _WORD)
            wasted = 1 - channels / (words * _WORD)
            share = model.share(operator) * wasted / (1 - wasted)
            cost = f"{channels} input channels fill {words} words of {_WORD} bits to {1 - wasted:.0%}"
            yield Finding(
                "channels", model.layer(operator), cost, f"use {words * _WORD} channels for the same time", share
            )


def _zero_padding(model: _Model) -> Iterator[Finding]:
    for operator in model.graph.of_kind("LceBconv2d"):
        options = model.graph.options(operator)
        _, height, width, _ = model.graph.shape(int(operator.inputs[1]))
        if options.get("padding") == _SAME and options.get("pad_values") == 0 and (height, width) != (1, 1):
            cost = "zeros around an image are no signs: the border is corrected, and a chain of layers leaves its bits"
            yield Finding("zero padding", model.layer(operator), cost, "train with pad_values=1", 0.0)


def _activation_before_norm(model: _Model) -> Iterator[Finding]:
    graph = model.graph
    for operator in graph.operators:
        source = model.producers.get(int(operator.inputs[0])) if graph.kind(operator) in _ACTIVATIONS else None
        if source is None or graph.kind(source) != "LceBconv2d":
            continue
        readers = model.consumers.get(int(operator.outputs[0]), [])
        if any(graph.kind(reader) == "MUL" and _by_channel(graph, reader) for reader in readers):
            cost = f"{graph.kind(operator)} between convolution and BatchNorm: the BatchNorm is a pass of its own"
            cure = "put BatchNorm before the activation, where it becomes part of the convolution"
            yield Finding("activation before BatchNorm", model.layer(source), cost, cure, 0.0)


def _by_channel(graph: Graph, operator: schema.OperatorT) -> bool:
    values = [graph.constant(int(index)) for index in operator.inputs]
    return any(value is not None and value.ndim == 1 and value.size > 1 for value in values)


def _float_products(model: _Model) -> Iterator[Finding]:
    """Float layers between the first and the last one."""
    graph = model.graph
    for operator in model.products[1:-1]:
        if graph.kind(operator) in ("CONV_2D", "FULLY_CONNECTED") and model.share(operator) >= _WORTH:
            if graph.main.tensors[int(operator.inputs[0])].type != schema.TensorType.FLOAT32:
                continue
            cost = f"float: {model.share(operator):.0%} of the estimated time"
            cure = "train it binary (downsampling=binary), or export with --rest int8"
            yield Finding("float layer", model.layer(operator), cost, cure, model.share(operator))


def _nearly_binary(model: _Model) -> Iterator[Finding]:
    """What the converter's passes nearly made binary."""
    for report in passes.run(Graph(model.flatbuffer)):
        for name, reason in report.missed:
            cure = "change that, or train it with 1-bit inputs and weights"
            yield Finding("nearly binary", layers_of(name)[0], f"stays float: {reason}", cure, 0.0)
        if report.name.startswith("binary_"):
            for name in report.notes:
                cost = "float, though its inputs and weights are sums of signs"
                yield Finding("left in float", layers_of(name)[0], cost, "run tflbnn optimize on the file", 0.0)


def _first_layer(model: _Model) -> Iterator[Finding]:
    if len(model.products) < 2:
        return
    first = model.products[0]
    share = model.share(first)
    if model.graph.kind(first) != "LceBconv2d" and share >= _FIRST:
        cure = "use a grouped stem, a smaller kernel or a larger stride, or export with --rest int8"
        yield Finding("first layer", model.layer(first), f"{share:.0%} of the estimated time", cure, share)


RULES: tuple[Callable[[_Model], Iterator[Finding]], ...] = (
    _first_layer,
    _float_products,
    _odd_channels,
    _zero_padding,
    _activation_before_norm,
    _nearly_binary,
)
