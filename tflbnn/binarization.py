"""How the inner layers of a network are quantized: data only, so that recipes and run folders can hold it.

Importing this module loads neither TensorFlow nor Keras. `tflbnn.layers` builds layers from it. What there is to choose
from stands in `QUANTIZERS`, the methods of the papers by name in `PRESETS`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from tflbnn.errors import UserError, nearest
from tflbnn.quantizer_facts import QUANTIZERS, QuantizerFacts

__all__ = ["BITS", "PRESETS", "QUANTIZERS", "Binarization", "Preset", "QuantizerFacts", "quantizer_table", "table"]

BITS = ("float32", "binary")
SCALINGS = ("none", "backward", "both", "xnor", "trained")
ALPHA_STARTS = ("minimum", "mean", "median", "percentile75")
LARGEST_BITS = 8


@dataclasses.dataclass(frozen=True)
class Preset:
    """A paper's method: the fields of `Binarization` that make it, the others at their defaults."""

    paper: str
    fields: Mapping[str, Any]


_FLOAT32 = {"kernel_quantizer": "float32", "constraint": "none", "pad_values": 0.0}

PRESETS: dict[str, Preset] = {
    "bnn": Preset("BNN (Hubara 2016)", {"t_clip": 1.0}),
    "ltb": Preset("LTB 4.1", {"t_clip": 0.5}),
    "bdn": Preset("BDN 5", {"t_clip": 1.3}),
    "xnor_net": Preset("XNOR-Net, BDN eq. 5", {"t_clip": 1.0, "scaling": "xnor", "input_scaling": "xnor"}),
    "bi_real_net": Preset(
        "Bi-Real 3.3",
        {"input_quantizer": "approx_sign", "kernel_quantizer": "magnitude_aware_sign", "t_clip": 1.0},
    ),
    "react_net": Preset(
        "ReActNet 4", {"input_quantizer": "r_sign", "kernel_quantizer": "magnitude_aware_sign", "t_clip": 1.0}
    ),
    "bnn_plus": Preset(
        "BNN+ 3-4",
        {
            "input_quantizer": "sign_swish",
            "kernel_quantizer": "sign_swish",
            "constraint": "none",
            "scaling": "trained",
            "alpha_start": "percentile75",
            "regularizer": "r1",
        },
    ),
    "dorefa": Preset(
        "DoReFa, BDN table 1",
        {"input_quantizer": "dorefa", "kernel_quantizer": "dorefa", "input_bits": 4, "kernel_bits": 1},
    ),
    "tbn": Preset("TBN, BDN table 1", {"input_quantizer": "ternary", "t_clip": 1.0, "scaling": "xnor"}),
    "abc_net": Preset(
        "ABC-Net (5/5), BDN 5.2",
        {"input_quantizer": "abc_net", "kernel_quantizer": "abc_net", "input_bits": 5, "kernel_bits": 5},
    ),
    "horq": Preset("HORQ, BDN table 1", {"input_quantizer": "horq", "input_bits": 2, "t_clip": 1.0, "scaling": "xnor"}),
    "binary_connect": Preset("BinaryConnect, BDN table 1", {"input_quantizer": "relu", "t_clip": 1.0}),
    "bwn": Preset("XNOR-Net 3.1, BDN table 1", {"input_quantizer": "relu", "t_clip": 1.0, "scaling": "xnor"}),
    "ttq": Preset("TTQ, BDN table 1", {"input_quantizer": "relu", "kernel_quantizer": "trained_ternary"}),
    "htanh": Preset("BNN+ 4.2: pretraining", {"input_quantizer": "htanh", **_FLOAT32}),
    "float32": Preset("full precision", {"input_quantizer": "relu", **_FLOAT32}),
}


@dataclasses.dataclass(frozen=True)
class Binarization:
    """How inner layers quantize, and what the first, last and downsampling layers keep.

    A field counts where the quantizers that are chosen have a use for it.

    Attributes:
        input_quantizer: what is applied to a layer's inputs, one of `QUANTIZERS`; "float32" is nothing.
        kernel_quantizer: what is applied to its weights, one of `QUANTIZERS`; "float32" is nothing.
        t_clip: the half-width of the window that lets the gradient of a sign pass (BDN eq. 3; 1.3 in table 7).
        beta: how steep SignSwish is (BNN+ eq. 2; 5, 10 or 20 there).
        trainable_beta: beta is trained, in each layer by itself.
        input_bits: k of DoReFa's inputs, ABC-Net's number of activation bases, HORQ's order.
        kernel_bits: k of DoReFa's weights, ABC-Net's number of weight bases.
        input_threshold: what a ternary input must exceed, as a share of the mean magnitude (TBN; 0.4 there).
        kernel_threshold: what a trained ternary weight must exceed, as a share of the largest (TTQ; 0.05 there).
        scaling: what scales binary weights: "none", "backward" or "both" (N, B and FB of LTB 4.1), "xnor" (XNOR-Net's
            alpha with its gradient) or "trained" (BNN+). See `tflbnn.quantizers.ScaledSign`.
        scaling_per: one scale a "filter" (of a dense layer: a column), or one a "layer".
        centred: weights have the mean over the input channels subtracted before their sign is taken (XNOR-Net).
        alpha_start: where a trained scale starts: "mean", "median" or "percentile75" of |w|, or "minimum", where the
            regularizer is smallest: the median for "r1", else the mean (BNN+ eq. 8-9).
        input_scaling: "xnor" multiplies a layer's outputs by K, the mean |input| of each window (BDN eq. 5).
        constraint: "weight_clip" keeps float weights within ±t_clip where outside they would get no gradient and never
            move again; "none" does not. Weights whose gradient has no such window are never clipped.
        regularizer: "none", "r1" or "r2", which draw 1-bit weights to ±alpha, the layer's own where it is trained, else
            ±1 (BNN+ eq. 4-5).
        regularization: lambda, the weight of that term in the loss (BNN+ eq. 6; 1e-5 to 1e-7 there).
        first, last, downsampling: "float32" or "binary": the stem's convolution, the classifier, the 1×1
            convolutions between stages. The first may have "binary_weights" alone (BENN table 2, IB).
        pad_values: what surrounds an image in a convolution of signs with padding "same": 1 or 0. A border of ones
            is binary like the rest, so that a chain of binary layers converts without correction and stays in bits;
            zeros, Larq's default and what Larq Zoo's BinaryDenseNet has, make the border ternary and cost a correction.

    Raises:
        UserError: a value that no layer can be built from.

    >>> Binarization(t_clip=0.5).t_clip
    0.5
    >>> Binarization.from_dict({"t_clip": 0.5}) == Binarization(t_clip=0.5)
    True
    >>> Binarization.preset("xnor_net", t_clip=0.5)
    Binarization(input_quantizer='ste_sign', kernel_quantizer='ste_sign', t_clip=0.5, ... scaling='xnor', ...)
    """

    input_quantizer: str = "ste_sign"
    kernel_quantizer: str = "ste_sign"
    t_clip: float = 1.3
    beta: float = 5.0
    trainable_beta: bool = False
    input_bits: int = 2
    kernel_bits: int = 2
    input_threshold: float = 0.4
    kernel_threshold: float = 0.05
    scaling: str = "none"
    scaling_per: str = "filter"
    centred: bool = False
    alpha_start: str = "minimum"
    input_scaling: str = "none"
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
        for field, choices in _CHOICES.items():
            _check_choice(field, getattr(self, field), choices)
        for field in ("trainable_beta", "centred"):
            if not isinstance(getattr(self, field), bool):
                raise UserError(f"{field} must be true or false. Received: {getattr(self, field)!r}. Use false.")
        for field in ("input_bits", "kernel_bits"):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_BITS:
                raise UserError(f"{field} must be an integer from 1 to {LARGEST_BITS}. Received: {value!r}. Use 2.")
        for field, hint in _NUMBERS.items():
            value = _number(field, getattr(self, field))
            object.__setattr__(self, field, value)
            positive = field in ("t_clip", "beta")
            if not 0 <= value < math.inf or (positive and value == 0):
                bound = "above 0" if positive else "at least 0"
                raise UserError(f"{field} must be {bound}. Received: {value}. {hint}")
        if self.pad_values not in (0.0, 1.0):
            raise UserError(f"pad_values must be 0 or 1. Received: {self.pad_values}. Use 1, which converts best.")

    @classmethod
    def preset(cls, name: str, **fields: Any) -> Binarization:
        """A paper's method by its name in `PRESETS`, with other values of these fields.

        Raises:
            UserError: there is no such method, or a value that `Binarization` refuses.
        """
        if name not in PRESETS:
            raise UserError(f"There is no binarization '{name}'. {nearest(str(name), list(PRESETS))}")
        return cls.from_dict({**PRESETS[name].fields, **fields})

    @classmethod
    def float32(cls) -> Binarization:
        """The float twin: the same network with ReLU in place of every sign and weights as they are.

        >>> Binarization.float32().is_binary
        False
        """
        return cls.preset("float32")

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


_CHOICES: dict[str, tuple[str, ...]] = {
    "scaling": SCALINGS,
    "scaling_per": ("filter", "layer"),
    "alpha_start": ALPHA_STARTS,
    "input_scaling": ("none", "xnor"),
    "constraint": ("weight_clip", "none"),
    "regularizer": ("none", "r1", "r2"),
    "first": (*BITS, "binary_weights"),
    "last": BITS,
    "downsampling": BITS,
}

_NUMBERS = {
    "t_clip": "The papers use 0.1 to 2.0.",
    "beta": "The paper uses 5, 10 and 20.",
    "input_threshold": "The paper uses 0.4.",
    "kernel_threshold": "The paper uses 0.05.",
    "regularization": "Use 1e-7 to 1e-5.",
    "pad_values": "Use 1.",
}


def table() -> list[dict[str, str]]:
    """One row a preset, for `tflbnn list binarizations`.

    >>> table()[0]
    {'name': 'bnn', 'activations': '1 bit', 'weights': '1 bit', 'fields': 't_clip=1.0', 'paper': 'BNN (Hubara 2016)'}
    """
    rows = []
    for name, preset in PRESETS.items():
        made = Binarization.preset(name)
        rows.append(
            {
                "name": name,
                "activations": _bits(QUANTIZERS[made.input_quantizer].bits, made.input_bits),
                "weights": _bits(QUANTIZERS[made.kernel_quantizer].bits, made.kernel_bits),
                "fields": " ".join(f"{field}={value}" for field, value in preset.fields.items()),
                "paper": preset.paper,
            }
        )
    return rows


def quantizer_table() -> list[dict[str, str]]:
    """One row a quantizer, for `tflbnn list quantizers`.

    >>> [row["name"] for row in quantizer_table()][:3]
    ['ste_sign', 'sign_swish', 'approx_sign']
    """
    return [
        {
            "name": name,
            "quantizes": " and ".join(facts.quantizes),
            "bits": _bits(facts.bits, "k"),
            "levels": facts.levels,
            "gradient": facts.gradient,
            "paper": facts.paper,
        }
        for name, facts in QUANTIZERS.items()
    ]


def _bits(declared: int | None, chosen: int | str) -> str:
    bits = chosen if declared is None else declared
    return "float" if bits == 32 else f"{bits} bit{'' if bits == 1 else 's'}"


def _check_choice(what: str, value: object, choices: list[str] | tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError(
            f"{what} must be one of {', '.join(choices)}. Received: {value!r}. {nearest(str(value), choices)}"
        )


def _number(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UserError(f"{field} must be a number. Received: {value!r}. Use {getattr(Binarization, field)}.")
    return float(value)
