"""Random graphs of binary convolutions and the float operations between them that the delegate fuses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.delegate.lce_flatbuffer import Graph, conv_options, pack_signs

SIDE = 6
CHANNELS = (1, 31, 32, 33, 64, 40, 96)


@dataclass
class Author:
    """Adds operations to a graph over images of batch 1; every method takes and gives a tensor."""

    rng: np.random.Generator
    graph: Graph = field(default_factory=Graph)

    def shape(self, x: int) -> list[int]:
        return list(self.graph.graph.tensors[x].shape)

    def pick(self, values: tuple[int, ...]) -> int:
        return values[self.rng.integers(len(values))]

    def constants(self, channels: int) -> np.ndarray:
        """Numbers of both signs, some of them zero."""
        values = self.rng.standard_normal(channels) * self.rng.choice((0.0, 1.0, 1.0, 3.0), channels)
        return values.astype(np.float32)

    def same(self, name: str, inputs: list[int], **options: int) -> int:
        return self.graph.builtin(name, inputs, self.graph.tensor(self.shape(inputs[0])), **options)

    def batch_norm(self, x: int, parts: tuple[str, ...] = ("MUL", "ADD")) -> int:
        for part in parts:
            channels = self.shape(x)[-1] if self.rng.random() < 0.8 else 1
            x = self.same(part, [x, self.graph.constant(self.constants(channels))])
        return x

    def conv(self, x: int, channels: int, size: int = 3, activation: int = 0) -> int:
        batch, height, width, channels_in = self.shape(x)
        filters = self.rng.choice((-1.0, 1.0), (channels, size, size, channels_in))
        multiplier, bias = self.constants(channels), self.constants(channels)
        return self.graph.custom(
            "LceBconv2d",
            [
                self.graph.quantize(x),
                self.graph.constant(pack_signs(filters)),
                self.graph.constant(multiplier),
                self.graph.constant(bias),
                -1,
            ],
            self.graph.tensor((batch, height, width, channels)),
            conv_options(channels_in, pad_values=int(self.rng.integers(2)), fused_activation_function=activation),
        )

    def add(self, x: int, y: int, activation: int = 0) -> int:
        return self.same("ADD", [x, y], fusedActivationFunction=activation)

    def concat(self, *inputs: int) -> int:
        *rest, _ = self.shape(inputs[0])
        channels = sum(self.shape(x)[-1] for x in inputs)
        return self.graph.builtin("CONCATENATION", list(inputs), self.graph.tensor((*rest, channels)), axis=3)

    def prelu(self, x: int) -> int:
        return self.same("PRELU", [x, self.graph.constant(self.constants(self.shape(x)[-1])[None, None])])

    def gate(self, x: int) -> int:
        """Multiplies by another input of the graph: a vector for each image."""
        batch, *_, channels = self.shape(x)
        return self.same("MUL", [x, self.graph.input((batch, 1, 1, channels))])

    def pool(self, x: int, size: int = 2, stride: int = 2, same: bool = False, activation: int = 0) -> int:
        batch, height, width, channels = self.shape(x)
        side = [-(-n // stride) if same else (n - size) // stride + 1 for n in (height, width)]
        return self.graph.builtin(
            "MAX_POOL_2D",
            [x],
            self.graph.tensor((batch, *side, channels)),
            padding=0 if same else 1,
            strideH=stride,
            strideW=stride,
            filterHeight=size,
            filterWidth=size,
            fusedActivationFunction=activation,
        )

    def average_pool(self, x: int, size: tuple[int, int] = (2, 2), stride: int = 2, same: bool = False) -> int:
        batch, height, width, channels = self.shape(x)
        side = [-(-n // stride) if same else (n - k) // stride + 1 for n, k in zip((height, width), size, strict=True)]
        return self.graph.builtin(
            "AVERAGE_POOL_2D",
            [x],
            self.graph.tensor((batch, *side, channels)),
            padding=0 if same else 1,
            strideH=stride,
            strideW=stride,
            filterHeight=size[0],
            filterWidth=size[1],
        )

    def mean(self, x: int, keep_dims: bool = False) -> int:
        batch, *_, channels = self.shape(x)
        shape = (batch, 1, 1, channels) if keep_dims else (batch, channels)
        axes = self.graph.constant(np.array((1, 2), np.int32))
        return self.graph.builtin("MEAN", [x, axes], self.graph.tensor(shape), keepDims=keep_dims)

    def dense(self, x: int, units: int, activation: int = 0) -> int:
        batch, channels = self.shape(x)
        weights = self.rng.standard_normal((units, channels)).astype(np.float32)
        bias = self.graph.constant(self.constants(units)) if self.rng.random() < 0.5 else -1
        return self.graph.builtin(
            "FULLY_CONNECTED",
            [x, self.graph.constant(weights), bias],
            self.graph.tensor((batch, units)),
            fusedActivationFunction=activation,
        )

    def relu(self, x: int) -> int:
        return self.same(("RELU", "RELU6", "RELU_N1_TO_1")[self.rng.integers(3)], [x])

    def excite(self, x: int, source: int, logistic: bool = False) -> int:
        """Squeeze-and-excite: a factor for each channel of x from the means of `source`."""
        channels = self.shape(x)[-1]
        y = self.dense(self.dense(self.mean(source), 8, activation=1), channels)
        if logistic:
            y = self.same("LOGISTIC", [y])
        shape = self.graph.constant(np.array((-1, 1, 1, channels), np.int32))
        vectors = self.graph.builtin("RESHAPE", [y, shape], self.graph.tensor((self.shape(y)[0], 1, 1, channels)))
        return self.same("MUL", [x, vectors])

    def conv2d(
        self, x: int, channels: int, size: int = 3, stride: int = 1, same: bool = True, activation: int = 0
    ) -> int:
        """A convolution of floats."""
        batch, height, width, channels_in = self.shape(x)
        side = [-(-n // stride) if same else (n - size) // stride + 1 for n in (height, width)]
        filters = self.rng.standard_normal((channels, size, size, channels_in)).astype(np.float32)
        return self.graph.builtin(
            "CONV_2D",
            [x, self.graph.constant(filters), self.graph.constant(self.constants(channels))],
            self.graph.tensor((batch, *side, channels)),
            padding=0 if same else 1,
            strideH=stride,
            strideW=stride,
            fusedActivationFunction=activation,
        )

    def depthwise(self, x: int, size: int = 3, stride: int = 1, activation: int = 0) -> int:
        """A filter of floats for each channel."""
        batch, height, width, channels = self.shape(x)
        filters = self.rng.standard_normal((1, size, size, channels)).astype(np.float32)
        return self.graph.builtin(
            "DEPTHWISE_CONV_2D",
            [x, self.graph.constant(filters), self.graph.constant(self.constants(channels))],
            self.graph.tensor((batch, -(-height // stride), -(-width // stride), channels)),
            strideH=stride,
            strideW=stride,
            depthMultiplier=1,
            fusedActivationFunction=activation,
        )

    def blur(self, x: int, expose: bool = False) -> int | tuple[int, int]:
        """A pooling of stride 1 and (1 2 1) x (1 2 1) / 16 of stride 2; with `expose` what lies between them, too."""
        pooled = self.pool(x, 2, 1, activation=int(self.rng.integers(2)))
        batch, height, width, channels = self.shape(pooled)
        weights = np.outer((1, 2, 1), (1, 2, 1)).astype(np.float32) / 16
        y = self.graph.builtin(
            "DEPTHWISE_CONV_2D",
            [
                pooled,
                self.graph.constant(np.repeat(weights[None, :, :, None], channels, 3)),
                self.graph.constant(self.constants(channels)),
            ],
            self.graph.tensor((batch, -(-height // 2), -(-width // 2), channels)),
            strideH=2,
            strideW=2,
            depthMultiplier=1,
        )
        return (y, pooled) if expose else y


def random_graph(seed: int) -> bytes:
    """Some ten operations, each over random earlier tensors, and a few of the tensors as outputs."""
    author = Author(np.random.default_rng(seed))
    rng = author.rng
    tensors = [author.graph.input((1, SIDE, SIDE, author.pick(CHANNELS)))]
    tensors.append(author.conv(tensors[0], author.pick(CHANNELS)))
    for _ in range(int(rng.integers(4, 12))):
        x = tensors[-1] if rng.random() < 0.6 else author.pick(tuple(tensors))
        channels = author.shape(x)[-1]
        what = rng.integers(11)
        if what <= 1:
            x = author.conv(x, author.pick((channels, channels, *CHANNELS)), activation=int(rng.integers(2)))
        elif what == 2:
            x = author.batch_norm(x, (("MUL", "ADD"), ("MUL",), ("ADD",), ("ADD", "MUL"))[rng.integers(4)])
        elif what == 3:
            same = [y for y in tensors if y != x and author.shape(y) == author.shape(x)]
            if same:
                x = author.add(x, author.pick(tuple(same)), int(rng.choice((0, 0, 1, 2, 3))))
        elif what == 4:
            others = [y for y in tensors if author.shape(y)[:-1] == author.shape(x)[:-1]]
            x = author.concat(*(author.pick(tuple(others)) for _ in range(rng.integers(1, 3))), x)
        elif what == 5:
            x = author.prelu(x) if rng.random() < 0.5 else author.gate(x)
        elif what == 8:
            size, activation = int(rng.choice((1, 1, 2, 3, 5))), int(rng.integers(4))
            x = author.conv2d(x, author.pick(CHANNELS), size, activation=activation)
            if rng.random() < 0.5:
                x = author.depthwise(x, int(rng.choice((1, 2, 3, 5))), activation=int(rng.integers(4)))
        elif what == 9:
            x = author.relu(x) if rng.random() < 0.5 else author.excite(x, author.pick(tuple(tensors)))
        elif what == 10 and author.shape(x)[1] > 3:
            size = ((2, 2), (3, 3), (1, 2), (4, 2))[rng.integers(4)]
            x = author.average_pool(x, size, int(rng.integers(1, 4)), bool(rng.integers(2)))
        elif author.shape(x)[1] > 2:
            pool = author.pool if rng.random() < 0.7 else lambda x, *_: author.blur(x)
            x = pool(author.batch_norm(x) if rng.random() < 0.5 else x, *((2, 2), (3, 2, True))[rng.integers(2)])
        if x not in tensors:
            tensors.append(x)
    # A graph's input is no output of it, and what nobody reads would not be computed.
    read = {i for operator in author.graph.graph.operators for i in operator.inputs}
    outputs = [x for x in tensors[1:] if x not in read or rng.random() < 0.15]
    if rng.random() < 0.3:
        outputs.append(author.dense(author.mean(outputs[0]), author.pick(CHANNELS)))
    return author.graph.finish(*outputs)
