"""How the inner layers of a network are quantized: data only, so that recipes and run folders can hold it.

Importing this module loads neither TensorFlow nor Keras. `tflbnn.layers` builds layers from it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from tflbnn.errors import UserError, nearest

BITS = ("float32", "binary")


@dataclasses.dataclass(frozen=True)
class QuantizerFacts:
    """What summary, converter and `tflbnn list` must know about a quantizer without loading TensorFlow.

    Attributes:
        bits: bits of one quantized value; 32 leaves it a float.
        levels: the values it gives, in words.
        gradient: the derivative that training uses.
        exportable: the converter turns products of it into 1-bit products.
        quantizes: "inputs", "weights", or both.
        factory: the class in `tflbnn.quantizers`; None does nothing.
        arguments: the fields of `Binarization` that the class takes.
        paper: where it is defined.
    """

    bits: int
    levels: str
    gradient: str
    exportable: bool
    quantizes: tuple[str, ...]
    factory: str | None
    arguments: tuple[str, ...]
    paper: str


QUANTIZERS: dict[str, QuantizerFacts] = {
    "ste_sign": QuantizerFacts(
        bits=1,
        levels="-1, +1",
        gradient="1 where |x| ≤ t_clip, else 0",
        exportable=True,
        quantizes=("inputs", "weights"),
        factory="SteSign",
        arguments=("t_clip",),
        paper="LTB eq. 2, BDN eq. 2-3",
    ),
    "approx_sign": QuantizerFacts(
        bits=1,
        levels="-1, +1",
        gradient="2 - 2·|x| where |x| ≤ 1, else 0",
        exportable=True,
        quantizes=("inputs",),
        factory="ApproxSign",
        arguments=(),
        paper="Bi-Real 3.3",
    ),
    "magnitude_aware_sign": QuantizerFacts(
        bits=1,
        levels="-alpha, +alpha; alpha: mean |w| of a filter",
        gradient="alpha where |w| ≤ t_clip, else 0",
        exportable=True,
        quantizes=("weights",),
        factory="MagnitudeAwareSign",
        arguments=("t_clip",),
        paper="Bi-Real 3.3",
    ),
    "relu": QuantizerFacts(
        bits=32,
        levels="x ≥ 0",
        gradient="1 where x > 0, else 0",
        exportable=False,
        quantizes=("inputs",),
        factory="InputReLU",
        arguments=(),
        paper="DenseNet, ResNet: the activation of a full-precision network",
    ),
    "float32": QuantizerFacts(
        bits=32,
        levels="x",
        gradient="1",
        exportable=False,
        quantizes=("inputs", "weights"),
        factory=None,
        arguments=(),
        paper="full precision",
    ),
}


@dataclasses.dataclass(frozen=True)
class Binarization:
    """How inner layers quantize, and what the first, last and downsampling layers keep.

    Attributes:
        input_quantizer: what is applied to a layer's inputs: "ste_sign", "approx_sign", "relu" or "float32" (nothing).
        kernel_quantizer: what is applied to its weights: "ste_sign", "magnitude_aware_sign" or "float32" (nothing).
        t_clip: the half-width of the window that lets the gradient of a sign pass (BDN eq. 3; 1.3 in table 7).
        constraint: "weight_clip" keeps float weights within ±t_clip, outside of which they would get no gradient
            and never move again; "none" does not. Weights that are not quantized are never clipped.
        regularizer: "none", "r1" or "r2", which draw weights to ±1 (BNN+ eq. 4-5).
        regularization: lambda, the weight of that term in the loss (BNN+ eq. 6; 1e-5 to 1e-7 there).
        first, last, downsampling: "float32" or "binary": the stem's convolution, the classifier, the 1×1
            convolutions between stages.
        pad_values: what surrounds an image in a binary convolution with padding "same": 1 or 0. A border of ones
            is binary like the rest, so that a chain of binary layers converts without correction and stays in bits;
            zeros, Larq's default and what Larq Zoo's BinaryDenseNet has, make the border ternary and cost a correction.

    Raises:
        UserError: a value that no layer can be built from.

    >>> Binarization(t_clip=0.5).t_clip
    0.5
    >>> Binarization.from_dict({"t_clip": 0.5}) == Binarization(t_clip=0.5)
    True
    """

    input_quantizer: str = "ste_sign"
    kernel_quantizer: str = "ste_sign"
    t_clip: float = 1.3
    constraint: str = "weight_clip"
    regularizer: str = "none"
    regularization: float = 1e-6
    first: str = "float32"
    last: str = "float32"
    downsampling: str = "float32"
    pad_values: float = 1.0

    def __post_init__(self) -> None:
        for side, name in (("inputs", self.input_quantizer), ("weights", self.kernel_quantizer)):
            choices = [key for key, facts in QUANTIZERS.items() if side in facts.quantizes]
            _check_choice(f"The quantizer of {side}", name, choices)
        _check_choice("constraint", self.constraint, ("weight_clip", "none"))
        _check_choice("regularizer", self.regularizer, ("none", "r1", "r2"))
        for field in ("first", "last", "downsampling"):
            _check_choice(field, getattr(self, field), BITS)
        for field in ("t_clip", "regularization", "pad_values"):
            object.__setattr__(self, field, _number(field, getattr(self, field)))
        if not 0 < self.t_clip < math.inf:
            raise UserError(f"t_clip must be above 0. Received: {self.t_clip}. The papers use 0.1 to 2.0.")
        if not 0 <= self.regularization < math.inf:
            raise UserError(f"regularization must be at least 0. Received: {self.regularization}. Use 1e-7 to 1e-5.")
        if self.pad_values not in (0.0, 1.0):
            raise UserError(f"pad_values must be 0 or 1. Received: {self.pad_values}. Use 1, which converts best.")

    @classmethod
    def float32(cls) -> Binarization:
        """The float twin: the same network with ReLU in place of every sign and weights as they are.

        >>> Binarization.float32().is_binary
        False
        """
        return cls(input_quantizer="relu", kernel_quantizer="float32", constraint="none", pad_values=0.0)

    @property
    def is_binary(self) -> bool:
        """Inner layers multiply bits by bits."""
        return all(QUANTIZERS[name].bits == 1 for name in (self.input_quantizer, self.kernel_quantizer))

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Binarization:
        """The opposite of `to_dict`; what is missing has its default.

        Raises:
            UserError: an unknown field, or a value that `Binarization` refuses.
        """
        if not isinstance(values, Mapping):
            raise UserError(f"A binarization must be a table of fields. Received: {values!r}. Write {{'t_clip': 1.3}}.")
        fields = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in fields:
                raise UserError(f"A binarization has no field '{key}'. {nearest(str(key), fields)}")
        return cls(**values)


def table() -> list[dict[str, str]]:
    """One row a quantizer, for `tflbnn list binarizations`.

    >>> [row["name"] for row in table()]
    ['ste_sign', 'approx_sign', 'magnitude_aware_sign', 'relu', 'float32']
    """

    def bits(facts: QuantizerFacts, side: str) -> str:
        if side not in facts.quantizes:
            return "-"
        return f"{facts.bits} bit ({facts.levels})" if facts.bits < 32 else f"float ({facts.levels})"

    return [
        {
            "name": name,
            "weights": bits(facts, "weights"),
            "activations": bits(facts, "inputs"),
            "gradient": facts.gradient,
            "paper": facts.paper,
        }
        for name, facts in QUANTIZERS.items()
    ]


def _check_choice(what: str, value: object, choices: list[str] | tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(
            f"{what} must be one of {', '.join(choices)}. Received: {value!r}. {nearest(str(value), choices)}"
        )


def _number(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UserError(f"{field} must be a number. Received: {value!r}. Use {getattr(Binarization, field)}.")
    return float(value)
