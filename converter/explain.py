"""What became of every Keras layer, and why: which run on 1 bit, which stayed float."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from tflbnn._keras import keras, lq
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import layers_of
from tflbnn.errors import UserError
from tflbnn.quantizers import ActivationBases, DoReFaInputs, ResidualSigns, bits

_BINARY = ("LceBconv2d", "LceBMaxPool2d")
_CONVERSIONS = ("LceQuantize", "LceDequantize")

# Of 1 bit these give 0 and 1, or signs with scales of their own.
_NO_SIGNS = (lq.quantizers.SteHeaviside, DoReFaInputs, ActivationBases, ResidualSigns)

# Layers that LCE has no binary operator for, with what to write instead.
_NO_OPERATOR = {
    "QuantDense": "a QuantConv2D(units, 1) on inputs reshaped to (1, 1, features)",
    "QuantConv1D": "a QuantConv2D with a kernel of (1, width) on inputs with a height of 1",
    "QuantDepthwiseConv2D": "a QuantConv2D",
    "QuantSeparableConv1D": "QuantConv2D layers",
    "QuantSeparableConv2D": "QuantConv2D layers",
    "QuantConv2DTranspose": "UpSampling2D and a QuantConv2D",
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
        left_in_float: it was trained with 1-bit products and does not run on them.
    """

    layer: str
    type: str
    operators: tuple[str, ...]
    bits: int
    why: str
    left_in_float: bool


def explain(model: keras.Model, graph: Graph) -> tuple[Explained, ...]:
    """A row for every layer, in the model's order."""
    own: dict[str, list[str]] = {}
    within: dict[str, list[str]] = {}
    for operator in graph.operators:
        for index in operator.outputs:
            first, *others = layers_of(graph.name(index))
            own.setdefault(first, []).append(graph.kind(operator))
            for layer in others:
                within.setdefault(layer, []).append(first)
    return tuple(_explain(path, layer, own.get(path, []), within.get(path, [])) for path, layer in leaves(model))


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


def _explain(path: str, layer: keras.layers.Layer, own: list[str], within: list[str]) -> Explained:
    kind = type(layer).__name__
    operators = tuple(dict.fromkeys(own))
    binary = any(operator in _BINARY for operator in own)
    quantized = _quantizers(layer)
    if quantized:
        trained = all(bits(quantizer) == 1 for quantizer in quantized.values())
        why = "1-bit inputs and weights" if binary else _why_float(kind, layer, quantized)
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


def _why_float(kind: str, layer: keras.layers.Layer, quantized: dict[str, object]) -> str:
    for role, quantizer in quantized.items():
        what = "inputs" if role == "input_quantizer" else "weights"
        count, name = bits(quantizer), type(quantizer).__name__
        if quantizer is None:
            return f"a 1-bit product needs 1-bit inputs and weights; the {what} have no quantizer"
        if count != 1:
            given = f"have {count} bits ({name})" if count < 32 else f"stay float ({name})"
            return f"a 1-bit product needs 1-bit inputs and weights; the {what} {given}"
        if isinstance(quantizer, _NO_SIGNS):
            return f"a 1-bit product needs the {what}' signs, -1 and +1; {name} gives other values"
    for parent in type(layer).__mro__:
        if parent.__name__ in _NO_OPERATOR:
            return f"{kind} has no 1-bit operator; use {_NO_OPERATOR[parent.__name__]}"
    groups = getattr(layer, "groups", 1)
    if groups > 1:
        channels = layer.kernel.shape[2]
        if channels % 32:
            return f"a group must have a multiple of 32 input channels, not {channels}; change groups={groups}"
    return "its operations match no binary operator; use 'valid' padding or pad_values=1, and quantizers that give ±1"
