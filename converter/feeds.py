"""What a flatbuffer fed to every quantized layer, as Keras has it: signs, or the numbers of levels."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.converter.binary import Binary
from tflbnn.converter.exact import unpack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import layers_of
from tflbnn.converter.synchronized import Fed, is_quantizer
from tflbnn.converter.ties import Margins, near_zero

_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "LceBconv2d")
_SAME_VALUES = ("PAD", "PADV2", "RESHAPE", "EXPAND_DIMS", "SQUEEZE")


def fed_to_layers(
    graph: Graph,
    groups: Sequence[Sequence[Binary]],
    layers: Mapping[str, keras.layers.Layer],
    samples: Mapping[str, NDArray[Any]],
    values: Mapping[int, NDArray[Any]],
) -> dict[str, list[Fed]]:
    """By a layer's path, once for each time it is used.

    Args:
        groups: the binary convolutions that make one layer's result together.
        samples: the model's inputs by name, in its order.
        values: what the flatbuffer's tensors have on these, by index.
    """
    return _Feeds(graph, samples, values).of(groups, layers)


class _Feeds:
    def __init__(self, graph: Graph, samples: Mapping[str, NDArray[Any]], values: Mapping[int, NDArray[Any]]) -> None:
        self.graph, self.values = graph, values
        self.inputs = dict(zip(map(int, graph.main.inputs), samples.values(), strict=True))
        self.producers = {int(index): operator for operator in graph.operators for index in operator.outputs}
        self.margins = Margins(graph, values)

    def of(self, groups: Sequence[Sequence[Binary]], layers: Mapping[str, keras.layers.Layer]) -> dict[str, list[Fed]]:
        feeds: dict[str, list[Fed]] = {}
        channels = {}
        summands = set()
        for group in groups:
            for binary in group:
                channels[int(binary.operator.inputs[0])] = binary.convolution.channels
            planes = list(dict.fromkeys(int(binary.operator.inputs[0]) for binary in group))
            surrounded = next((found for index in planes if (found := self._surrounded(index)) is not None), None)
            if len(group) > 1 or surrounded is not None:
                summands.update(id(binary.operator) for binary in group)
                fed = self._planes(planes, channels) if surrounded is None else self._signs(surrounded)
                feeds.setdefault(group[0].path, []).append(fed)
        for operator in self.graph.operators:
            if id(operator) in summands:
                continue
            kind = self.graph.kind(operator)
            path = layers_of(self.graph.name(operator.outputs[0]))[0]
            if kind == "LceQuantize" and path in layers and is_quantizer(layers[path]):
                index = int(operator.outputs[0])
                count = self.graph.shape(int(operator.inputs[0]))[-1]
            elif kind in _PRODUCTS and path in layers:
                index = self._quantized_input(int(operator.inputs[0]))
                count = channels.get(index)
            else:
                continue
            if index in self.values:
                value = self.values[index]
                if value.dtype == np.int32:
                    if count is None:
                        continue
                    value = np.where(unpack_bits(value, count), np.float32(-1), np.float32(1))
                feeds.setdefault(path, []).append(Fed(value, functools.partial(self.margins.near, index)))
        return feeds

    def _planes(self, planes: list[int], channels: Mapping[int, int]) -> Fed:
        """What several tensors of bits stand for together: numbers from 0 to 2^planes - 1, which are levels."""
        codes = np.zeros((), np.uint32)
        for number, index in enumerate(planes):
            codes = codes + (unpack_bits(self.values[index], channels[index]).astype(np.uint32) << number)

        def near() -> NDArray[np.bool_] | None:
            found = [self.margins.near(index) for index in planes]
            return None if any(one is None for one in found) else np.logical_or.reduce(found)

        return Fed(codes, near, coded=True)

    def _signs(self, index: int) -> Fed:
        """The signs of a tensor of numbers."""
        numbers = self.values[index] if index in self.values else self.inputs[index]

        def near() -> NDArray[np.bool_]:
            found = self.margins.near(index)
            return near_zero(numbers) if found is None else found

        return Fed(np.where(numbers >= 0, np.float32(1), np.float32(-1)), near)

    def _surrounded(self, bits: int) -> int | None:
        """The numbers that a border was put around before their signs were taken; None where there is none."""
        for kind in ("LceQuantize", "PADV2"):
            source = self.producers.get(bits)
            if source is None or self.graph.kind(source) != kind:
                return None
            bits = int(source.inputs[0])
        return bits if bits in self.values or bits in self.inputs else None

    def _quantized_input(self, index: int) -> int:
        """Back through what only moves values, to the tensor that was quantized."""
        while index in self.producers and self.graph.kind(self.producers[index]) in _SAME_VALUES:
            index = int(self.producers[index].inputs[0])
        return index
