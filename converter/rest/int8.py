"""--rest int8: convolutions and dense layers of the rest in 8-bit integers, their ranges measured on samples.

A product becomes QUANTIZE, the operator on integers, DEQUANTIZE. Then what only moves values, and poolings, take
integers too, a pair that undoes itself goes, and so does a RELU whose clamp QUANTIZE does by itself. BatchNorm and ReLU
are part of the operators already. `--rest int8-dynamic` stores weights so and computes with float inputs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.rest.products import PRODUCTS, float_products
from tflbnn.converter.rest.scales import Scale, integer_weights, parameters
from tflbnn.runtime.flatbuffer import schema

_INT8 = schema.TensorType.INT8
_LEAST = 256  # weights: with fewer, changing to integers and back costs more than it saves
_VERSIONS = {"CONV_2D": 3, "FULLY_CONNECTED": 4, "MAX_POOL_2D": 2, "RESHAPE": 1}
_SAME_SCALE = ("MAX_POOL_2D", "RESHAPE")


def products(graph: Graph) -> list[schema.OperatorT]:
    """The operators that become integers."""
    return [operator for operator, _ in float_products(graph, _LEAST)]


def quantize(graph: Graph, ranges: Mapping[int, tuple[float, float]]) -> list[str]:
    """Rewrites in place; the names of what the products give.

    Args:
        ranges: the least and largest value of every product's input and output, by tensor.
    """
    rewriting = _Rewriting(graph, ranges)
    concerned = [graph.name(int(operator.outputs[0])) for operator in products(graph)]
    for operator in products(graph):
        rewriting.product(operator)
    rewriting.move_dequantize_down()
    rewriting.drop_relus()
    return concerned


def quantize_weights(graph: Graph) -> list[str]:
    """Stores the weights of the products as integers; they are computed with float inputs."""
    concerned = []
    for operator, weights in list(float_products(graph, _LEAST)):
        by_filter = graph.kind(operator) == "CONV_2D"
        integers, scales = integer_weights(weights, by_filter)
        constant = graph.add_constant(f"{graph.name(int(operator.inputs[1]))} int8", integers)
        graph.main.tensors[constant].quantization = parameters(scales, [0] * len(scales))
        kind = graph.kind(operator)
        inputs = [int(operator.inputs[0]), constant, *map(int, operator.inputs[2:])]
        other = graph.operator(kind, inputs, operator.outputs, operator.builtinOptions, version=5 if by_filter else 3)
        graph.replace(operator, [other])
        concerned.append(graph.name(int(operator.outputs[0])))
    return concerned


class _Rewriting:
    def __init__(self, graph: Graph, ranges: Mapping[int, tuple[float, float]]) -> None:
        self.graph, self.ranges = graph, ranges
        self.integers: dict[int, int] = {}  # the integers of a float tensor

    def product(self, operator: schema.OperatorT) -> None:
        graph, kind = self.graph, self.graph.kind(operator)
        source, output = int(operator.inputs[0]), int(operator.outputs[0])
        before = []
        if source not in self.integers:
            self.integers[source] = self.integer_tensor(source, Scale.of_range(*self.ranges[source]))
            before.append(graph.operator("QUANTIZE", [source], [self.integers[source]], schema.QuantizeOptionsT()))
        inputs = [self.integers[source], *self.constants(operator, _scale(graph, self.integers[source]).scale)]
        result = self.integers[output] = self.integer_tensor(output, Scale.of_range(*self.ranges[output]))
        integer = graph.operator(kind, inputs, [result], operator.builtinOptions, _VERSIONS[kind])
        back = graph.operator("DEQUANTIZE", [result], [output], schema.DequantizeOptionsT(), version=2)
        graph.replace(operator, [*before, integer, back])

    def constants(self, operator: schema.OperatorT, scale: float) -> list[int]:
        """Weights and bias as integers."""
        graph = self.graph
        weights = graph.constant(int(operator.inputs[1]))
        by_filter = graph.kind(operator) == "CONV_2D"
        integers, scales = integer_weights(weights, by_filter)
        name = graph.name(int(operator.inputs[1]))
        packed = graph.add_constant(f"{name} int8", integers)
        graph.main.tensors[packed].quantization = parameters(scales, [0] * len(scales))
        given = int(operator.inputs[2]) if len(operator.inputs) > 2 else -1
        bias = np.zeros(len(weights), np.float32) if given < 0 else graph.constant(given)
        steps = np.clip(np.rint(bias / (scales * scale)), -(2**30), 2**30).astype(np.int32)
        added = graph.add_constant(f"{name} bias int32", steps)
        graph.main.tensors[added].quantization = parameters(scales * scale, [0] * len(scales))
        return [packed, added]

    def integer_tensor(self, index: int, scale: Scale) -> int:
        graph = self.graph
        tensor = graph.add_tensor(f"{graph.name(index)} int8", graph.shape(index), _INT8)
        graph.main.tensors[tensor].quantization = scale.parameters()
        return tensor

    def move_dequantize_down(self) -> None:
        """Poolings and reshapes of what was integers take these."""
        graph = self.graph
        for operator in list(graph.operators):
            source, output = int(operator.inputs[0]), int(operator.outputs[0])
            if graph.kind(operator) not in _SAME_SCALE or source not in self.integers:
                continue
            if graph.kind(graph.producers()[self.integers[source]]) == "QUANTIZE":
                continue  # quantized for another product only
            integers = self.integers[source]
            result = graph.add_tensor(f"{graph.name(output)} int8", graph.shape(output), _INT8)
            graph.main.tensors[result].quantization = graph.main.tensors[integers].quantization
            kind = graph.kind(operator)
            inputs = [integers, *map(int, operator.inputs[1:])]
            integer = graph.operator(kind, inputs, [result], operator.builtinOptions, _VERSIONS[kind])
            back = graph.operator("DEQUANTIZE", [result], [output], schema.DequantizeOptionsT(), version=2)
            graph.replace(operator, [integer, back])
            if output in self.integers:  # a product has quantized it again
                rescale_bias(graph, self.integers[output], _scale(graph, integers))
                _read_instead(graph, self.integers[output], result)
            self.integers[output] = result

    def drop_relus(self) -> None:
        """QUANTIZE clamps at the lowest integer, which is 0 behind a RELU that nobody else reads."""
        graph = self.graph
        for operator in graph.of_kind("QUANTIZE"):
            source = int(operator.inputs[0])
            producer = graph.producers().get(source)
            lowest = graph.main.tensors[int(operator.outputs[0])].quantization.zeroPoint[0] == -128
            if producer is not None and graph.kind(producer) == "RELU" and lowest:
                operator.inputs = np.array([producer.inputs[0]], np.int32)


def measured(graph: Graph) -> list[int]:
    """The tensors whose ranges `quantize` asks for."""
    return list(dict.fromkeys(int(index) for one in products(graph) for index in (one.inputs[0], one.outputs[0])))


def rescale_bias(graph: Graph, integers: int, scale: Scale, shift: float = 0.0) -> None:
    """Gives a tensor of integers another scale, and the products that read it the bias that goes with it.

    Args:
        shift: is added to every value of the tensor in these products.
    """
    old = _scale(graph, integers)
    graph.main.tensors[integers].quantization = scale.parameters()
    for operator in graph.operators:
        if operator.inputs[0] == integers and graph.kind(operator) in PRODUCTS:
            weights, bias = (int(index) for index in operator.inputs[1:3])
            scales = np.asarray(graph.main.tensors[weights].quantization.scale, np.float64)
            packed = graph.constant(weights).astype(np.float64)
            values = graph.constant(bias) * scales * old.scale
            values = values + shift * scales * packed.reshape(len(packed), -1).sum(axis=1)
            steps = np.clip(np.rint(values / (scales * scale.scale)), -(2**30), 2**30).astype(np.int32)
            added = graph.add_constant(f"{graph.name(bias)} rescaled", steps)
            graph.main.tensors[added].quantization = parameters(scales * scale.scale, [0] * len(scales))
            operator.inputs = np.array([integers, weights, added], np.int32)


def _read_instead(graph: Graph, old: int, new: int) -> None:
    for operator in graph.operators:
        if old in operator.inputs:
            operator.inputs = np.where(np.asarray(operator.inputs) == old, new, operator.inputs).astype(np.int32)


def _scale(graph: Graph, index: int) -> Scale:
    found = graph.main.tensors[index].quantization
    return Scale(float(found.scale[0]), int(found.zeroPoint[0]))
