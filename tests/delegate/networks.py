"""A network that uses every operation, with its prediction in numpy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tests.delegate.lce_flatbuffer import Graph, conv_options, pack_signs, pool_options
from tests.delegate.reference import Convolution, max_pool, signs

SIZE, CHANNELS = 9, 33


@dataclass(frozen=True)
class Chain:
    """Numbers, signs, convolution to signs, pooling, convolution to numbers; nothing inside leaves the partition."""

    model: bytes
    first: Convolution
    second: Convolution
    constants: tuple[tuple[np.ndarray, ...], ...]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = self.first(signs(x), *self.constants[0])
        return self.second(max_pool(y, (2, 2), (2, 2), 0), *self.constants[1])


def chain(seed: int = 0) -> Chain:
    rng = np.random.default_rng(seed)
    first = Convolution(CHANNELS, 40, pad_values=0, output="int32")
    second = replace(first, channels_in=40, channels_out=7, output="float32")
    constants = tuple(
        (
            signs(rng.standard_normal((c.channels_out, 3, 3, c.channels_in))),
            rng.standard_normal(c.channels_out).astype(np.float32),
            rng.standard_normal(c.channels_out).astype(np.float32),
            rng.integers(0, c.depth, c.channels_out, dtype=np.int32),
        )
        for c in (first, second)
    )
    graph = Graph()
    bits = graph.quantize(graph.input((1, SIZE, SIZE, CHANNELS)))
    (filters, _, _, threshold), (filters2, multiplier, bias, _) = constants
    bits = graph.custom(
        "LceBconv2d",
        [bits, graph.constant(pack_signs(filters)), -1, -1, graph.constant(threshold)],
        graph.tensor((1, SIZE, SIZE, 2), "int32"),
        conv_options(CHANNELS, pad_values=0),
    )
    half = -(-SIZE // 2)
    bits = graph.custom("LceBMaxPool2d", [bits], graph.tensor((1, half, half, 2), "int32"), pool_options())
    output = graph.custom(
        "LceBconv2d",
        [bits, graph.constant(pack_signs(filters2)), graph.constant(multiplier), graph.constant(bias), -1],
        graph.tensor((1, half, half, 7)),
        conv_options(40, pad_values=0),
    )
    return Chain(graph.finish(output), first, second, constants)
