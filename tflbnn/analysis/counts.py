"""Parameters, size and operations of a network, as the papers count them (BDN 5.2).

- A binary weight takes 1 bit (a k-bit weight k), any other parameter 32. BatchNorm's gamma and beta are parameters,
  as in the papers' sizes; its moving statistics are not: a converted model has them folded into these two.
- Operations are multiply-accumulates of convolutions and dense layers for one example, borders counted like the rest.
  Those whose inputs and weights both have 1 bit are binary (b), all others full precision (f); together they are
  f + b/32. Normalization, activations, pooling and additions are not counted.

Importing this module does not load TensorFlow; `counts` does.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn._keras import keras


@dataclasses.dataclass(frozen=True)
class LayerCounts:
    """One layer, or one operation of a flatbuffer.

    Attributes:
        output_shape: without the batch; None is a size that is not fixed.
        input_bits, weight_bits: bits of one value; None where a layer multiplies no weights with its inputs. Of a
            separable convolution, those of its depthwise part.
        parameters, moving_statistics: what is no moving statistic, and what is.
    """

    name: str
    type: str
    output_shape: tuple[int | None, ...]
    input_bits: int | None
    weight_bits: int | None
    parameters: int
    moving_statistics: int
    binary_weights: int
    size_bytes: int
    full_precision_macs: int
    binary_macs: int


@dataclasses.dataclass(frozen=True)
class Counts:
    """The totals of a network, and its layers in their order.

    Attributes:
        parameters: all but moving statistics.
        moving_statistics: BatchNorm's means and variances (0 in a flatbuffer, which has none).
        binary_weights: those of the parameters that take 1 bit.
        size_bytes: of the parameters, by their bits.
        full_precision_macs, binary_macs: multiply-accumulates for one example.
        operations: full_precision_macs + binary_macs / 32.
    """

    parameters: int
    moving_statistics: int
    binary_weights: int
    size_bytes: int
    full_precision_macs: int
    binary_macs: int
    operations: float
    layers: tuple[LayerCounts, ...]

    @classmethod
    def of(cls, layers: Sequence[LayerCounts]) -> Counts:
        """The sums over `layers`."""

        def total(field: str) -> int:
            return sum(getattr(layer, field) for layer in layers)

        full_precision, binary = total("full_precision_macs"), total("binary_macs")
        return cls(
            parameters=total("parameters"),
            moving_statistics=total("moving_statistics"),
            binary_weights=total("binary_weights"),
            size_bytes=total("size_bytes"),
            full_precision_macs=full_precision,
            binary_macs=binary,
            operations=full_precision + binary / 32,
            layers=tuple(layers),
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it; a layer is a dictionary."""
        return dataclasses.asdict(self)


def packed_bytes(weights: int, bits: int) -> int:
    """Bytes that so many weights of `bits` bits take, packed without gaps.

    >>> packed_bytes(9, 1)
    2
    """
    return math.ceil(weights * bits / 8)


def counts(model: keras.Model) -> Counts:
    """Counts of a Keras model that has been built from `keras.Input`s or is a built Sequential.

    A layer that is called several times has its parameters counted once and its operations as often as it is called.

    Raises:
        UserError: an image's size is not fixed, or layers do not know their shapes.

    >>> from tflbnn import networks
    >>> total = counts(networks.binary_densenet28((224, 224, 3)))
    >>> total.parameters, total.binary_weights, round(total.size_bytes / 2**20, 2)
    (5131496, 4202496, 4.04)
    """
    return Counts.of([_layer_counts(layer) for layer in _layers(model)])


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model and of the models in it, each once."""
    from tflbnn._keras import keras

    seen = set()
    pending = list(reversed(model.layers))
    while pending:
        layer = pending.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if isinstance(layer, keras.Model):
            pending.extend(reversed(layer.layers))
        else:
            yield layer


def _moving_statistics(layer: keras.layers.Layer) -> int:
    from tflbnn._keras import keras

    if not isinstance(layer, keras.layers.BatchNormalization):
        return 0
    return sum(math.prod(weight.shape) for weight in (layer.moving_mean, layer.moving_variance))


def _layer_counts(layer: keras.layers.Layer) -> LayerCounts:
    from tflbnn import quantizers

    moving_statistics = _moving_statistics(layer)
    parameters = sum(math.prod(weight.shape) for weight in layer.weights) - moving_statistics
    input_bits = weight_bits = None
    quantized = binary = size = full_precision_macs = binary_macs = 0
    for name, kernel, quantizer in _kernels(layer):
        weights, bits = math.prod(kernel.shape), quantizers.bits(quantizer)
        # The pointwise part of a separable convolution sees the sums that the depthwise part has made.
        sums = name == "pointwise_kernel"
        bits_in = 32 if sums else quantizers.bits(getattr(layer, "input_quantizer", None))
        if not sums:
            input_bits, weight_bits = bits_in, bits
        if bits < 32:
            quantized += weights
            size += packed_bytes(weights, bits)
        if bits == 1:
            binary += weights
        macs = weights * sum(_positions(layer, node) for node in range(len(layer.inbound_nodes)))
        if bits_in == bits == 1:
            binary_macs += macs
        else:
            full_precision_macs += macs
    return LayerCounts(
        name=layer.name,
        type=type(layer).__name__,
        output_shape=tuple(_shape(layer, 0, "output")),
        input_bits=input_bits,
        weight_bits=weight_bits,
        parameters=parameters,
        moving_statistics=moving_statistics,
        binary_weights=binary,
        size_bytes=size + 4 * (parameters - quantized),
        full_precision_macs=full_precision_macs,
        binary_macs=binary_macs,
    )


def _kernels(layer: keras.layers.Layer) -> list[tuple[str, Any, Any]]:
    """The weights that a convolution or dense layer multiplies with its inputs: name, weights, quantizer."""
    names = {
        "kernel": "kernel_quantizer",
        "depthwise_kernel": "depthwise_quantizer",
        "pointwise_kernel": "pointwise_quantizer",
    }
    return [
        (name, getattr(layer, name), getattr(layer, quantizer, None))
        for name, quantizer in names.items()
        if getattr(layer, name, None) is not None
    ]


def _positions(layer: keras.layers.Layer, node: int) -> int:
    """How often each weight is used for one example.

    A convolution slides its kernel over every pixel of its output, a transposed one over every pixel of its input,
    a dense layer over all dimensions but the last, which has no others in most networks.
    """
    from tflbnn._keras import keras

    transposed = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
    shape = _shape(layer, node, "input" if isinstance(layer, transposed) else "output")
    pixels = shape[1:] if getattr(layer, "data_format", None) == "channels_first" else shape[:-1]
    if None in pixels:
        raise UserError(
            f"Operations can be counted for a fixed image size only. Received: {layer.name} with {shape}. "
            "Build the network for a height and a width."
        )
    return math.prod(pixels)


def _shape(layer: keras.layers.Layer, node: int, side: str) -> tuple[int | None, ...]:
    """A shape without the batch, of the node-th call; of the first tensor where there are several."""
    try:
        shape = layer.get_output_shape_at(node) if side == "output" else layer.get_input_shape_at(node)
    except (AttributeError, RuntimeError) as error:
        raise UserError(
            f"Only models built from keras.Input can be counted. Received: one whose layer {layer.name} does not "
            "know its shape. Use the functional API or a built Sequential."
        ) from error
    if isinstance(shape, dict):
        shape = next(iter(shape.values()))
    if isinstance(shape, list):
        shape = shape[0]
    return tuple(shape[1:])
