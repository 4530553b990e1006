"""What became of every Keras layer, and why: which run on 1 bit, which stayed float."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from tflbnn._keras import keras, lq
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import layers_of
from tflbnn.converter.passes import PassReport
from tflbnn.converter.planes import MOST_PLANES
from tflbnn.converter.signs import LARGEST_K
from tflbnn.errors import UserError
from tflbnn.quantizers import bits

_BINARY = ("LceBconv2d", "LceBMaxPool2d")
_CONVERSIONS = ("LceQuantize", "LceDequantize")

# Layers that have no binary operator here, with what to write instead.
_NO_OPERATOR = {
    "QuantDepthwiseConv2D": "a QuantConv2D: of so few products a sum, bits save nothing",
    "QuantSeparableConv1D": "QuantConv1D layers",
    "QuantSeparableConv2D": "QuantConv2D layers",
    "QuantConv3D": "QuantConv2D layers",
    "QuantConv3DTranspose": "QuantConv2D layers",
    "QuantLocallyConnected1D": "a QuantConv2D",
    "QuantLocallyConnected2D": "a QuantConv2D",
}


@dataclasses.dataclass(frozen=True)
class Explained:
    """One Keras layer in the flatbuffer.

    Attributes:
        layer: its path, such as "conv" or "inner/conv".
        type: its class.
        operators: the operators that compute it; those of another layer that it went into have "in" before them.
        bits: of its products, 1 or 32; 0 where it has none.
        why: why it became that.
        left_in_float: it was trained on so few bits that it could run on 1-bit products, and does not.
    """

    layer: str
    type: str
    operators: tuple[str, ...]
    bits: int
    why: str
    left_in_float: bool


def explain(model: keras.Model, graph: Graph, reports: Sequence[PassReport] = ()) -> tuple[Explained, ...]:
    """A row for every layer, in the model's order; why a pass nearly matched is said where that left it in float."""
    missed = {layers_of(name)[0]: reason for report in reports for name, reason in report.missed}
    own: dict[str, list[str]] = {}
    within: dict[str, list[str]] = {}
    for operator in graph.operators:
        for index in operator.outputs:
            first, *others = layers_of(graph.name(index))
            own.setdefault(first, []).append(graph.kind(operator))
            for layer in others:
                within.setdefault(layer, []).append(first)
    return tuple(
        _explain(path, layer, own.get(path, []), within.get(path, []), missed.get(path))
        for path, layer in leaves(model)
    )


def leaves(model: keras.Model, path: str = "") -> Iterator[tuple[str, keras.layers.Layer]]:
    """Every layer with its path, those of models inside the model in their place."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer, f"{path}{layer.name}/")
        elif not isinstance(layer, keras.layers.InputLayer):
            yield f"{path}{layer.name}", layer


def require_binary(rows: tuple[Explained, ...]) -> None:
    """Raises UserError when a layer that was trained with 1-bit products does not run on them."""
    left = [f"{row.layer} ({row.why})" for row in rows if row.left_in_float]
    if left:
        raise UserError(f"Every layer trained on 1 bit must run on 1 bit. Received: {'; '.join(left)}")


def _explain(path: str, layer: keras.layers.Layer, own: list[str], within: list[str], missed: str | None) -> Explained:
    kind = type(layer).__name__
    operators = tuple(dict.fromkeys(own))
    binary = any(operator in _BINARY for operator in own)
    quantized = _quantizers(layer)
    if quantized:
        counts = [bits(quantizer) for quantizer in quantized.values()]
        trained = counts[0] <= LARGEST_K and max(counts) <= MOST_PLANES
        number = own.count("LceBconv2d")
        why = _why_binary(counts, number) if binary else _why_float(kind, layer, quantized, missed)
        return Explained(path, kind, operators, 1 if binary else 32, why, trained and not binary)
    if not own:
        if within:
            return Explained(path, kind, tuple(f"in {name}" for name in dict.fromkeys(within)), 0, "merged", False)
        return Explained(path, kind, (), 0, "nothing to compute at inference", False)
    if binary:  # a pooling layer moved behind the sign
        return Explained(path, kind, operators, 1, "commutes with the sign of the next layer", False)
    weighted = bool(layer.count_params()) and not isinstance(layer, keras.layers.BatchNormalization)
    return Explained(path, kind, operators, 32 if weighted else 0, "float, as trained", False)


def _quantizers(layer: keras.layers.Layer) -> dict[str, object]:
    """A layer's quantizers by role, such as input_quantizer; empty where the layer is not one of Larq's."""
    if not isinstance(layer, lq.layers_base.BaseLayer):
        return {}
    names = ("input", "kernel", "depthwise", "pointwise", "intermediate")
    present = {f"{name}_quantizer": getattr(layer, f"{name}_quantizer", None) for name in names}
    roles = [name for name in present if hasattr(layer, name) and name != "intermediate_quantizer"]
    return {name: present[name] for name in roles} if any(present.values()) else {}


def _why_binary(counts: list[int], number: int) -> str:
    inputs, weights = counts[0], counts[-1]
    if inputs == weights == 1:
        return "1-bit inputs and weights" + (f", by {number} binary convolutions" if number > 1 else "")
    return f"{inputs}-bit inputs and {weights}-bit weights: the sum of {number} binary convolutions"


def _why_float(kind: str, layer: keras.layers.Layer, quantized: dict[str, object], missed: str | None) -> str:
    for role, quantizer in quantized.items():
        what = "inputs" if role == "input_quantizer" else "weights"
        count, name = bits(quantizer), type(quantizer).__name__
        if quantizer is None:
            return f"a 1-bit product needs quantized inputs and weights; the {what} have no quantizer"
        if count == 32:
            return f"a 1-bit product needs quantized inputs and weights; the {what} stay float ({name})"
    for parent in type(layer).__mro__:
        if parent.__name__ in _NO_OPERATOR:
            return f"{kind} has no 1-bit operator; use {_NO_OPERATOR[parent.__name__]}"
    return missed or "its operations match no binary operator; use quantizers whose values are sums of signs"
