"""The table of quantizers: what must be known of each without loading TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

Side = Literal["inputs", "weights"]


@dataclasses.dataclass(frozen=True)
class Factory:
    """The class in `tflbnn.quantizers` that quantizes one side, and its arguments: parameter → field of `Binarization`.

    Without a class the values stay as they are.
    """

    name: str | None = None
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class QuantizerFacts:
    """What summary, converter and `tflbnn list` must know about a quantizer without loading TensorFlow.

    Attributes:
        bits: bits of one quantized value; 32 leaves it a float, None is as many as `input_bits` or `kernel_bits` say.
        levels: the values it gives, in words.
        gradient: the derivative that training uses.
        exportable: the converter turns its products with another such quantizer's into 1-bit products, or sums of them.
        paper: where it is defined.
        inputs, weights: what builds it for each side; None cannot quantize that side.
        scales: as weights, it can be given a scale: the fields scaling, scaling_per, centred and alpha_start count.
    """

    bits: int | None
    levels: str
    gradient: str
    exportable: bool
    paper: str
    inputs: Factory | None = None
    weights: Factory | None = None
    scales: bool = False

    @property
    def quantizes(self) -> tuple[Side, ...]:
        """The sides that it can quantize.

        >>> QUANTIZERS["approx_sign"].quantizes
        ('inputs',)
        """
        sides: tuple[Side, ...] = ("inputs", "weights")
        return tuple(side for side in sides if getattr(self, side) is not None)


_STE_SIGN = Factory("SteSign", {"t_clip": "t_clip"})
_SIGN_SWISH = Factory("SignSwish", {"beta": "beta", "trainable_beta": "trainable_beta"})

QUANTIZERS: dict[str, QuantizerFacts] = {
    "ste_sign": QuantizerFacts(
        bits=1,
        levels="-1, +1",
        gradient="1 where |x| ≤ t_clip, else 0",
        exportable=True,
        paper="LTB eq. 2, BDN eq. 2-3",
        inputs=_STE_SIGN,
        weights=_STE_SIGN,
        scales=True,
    ),
    "sign_swish": QuantizerFacts(
        bits=1,
        levels="-1, +1",
        gradient="β·(2 - βx·tanh(βx/2)) / (1 + cosh(βx))",
        exportable=True,
        paper="BNN+ eq. 2-3",
        inputs=_SIGN_SWISH,
        weights=_SIGN_SWISH,
        scales=True,
    ),
    "approx_sign": QuantizerFacts(
        bits=1,
        levels="-1, +1",
        gradient="2 - 2·|x| where |x| ≤ 1, else 0",
        exportable=True,
        paper="Bi-Real 3.3",
        inputs=Factory("ApproxSign"),
    ),
    "r_sign": QuantizerFacts(
        bits=1,
        levels="-1, +1; a trained threshold a channel",
        gradient="that of approx_sign, behind the threshold",
        exportable=True,
        paper="ReActNet 4.2",
        inputs=Factory("ApproxSign"),
    ),
    "magnitude_aware_sign": QuantizerFacts(
        bits=1,
        levels="-alpha, +alpha; alpha: mean |w| of a filter",
        gradient="alpha where |w| ≤ t_clip, else 0",
        exportable=True,
        paper="Bi-Real 3.3",
        weights=Factory("MagnitudeAwareSign", {"t_clip": "t_clip"}),
    ),
    "dorefa": QuantizerFacts(
        bits=None,
        levels="k bits: inputs from 0 to 1, weights from -1 to 1",
        gradient="inputs: 1 where 0 ≤ x ≤ 1, else 0; weights: (1 - tanh² w) / max |tanh w|, of 1 bit 1",
        exportable=True,
        paper="DoReFa eq. 5, 8, 9, 12",
        inputs=Factory("DoReFaInputs", {"k_bit": "input_bits"}),
        weights=Factory("DoReFaWeights", {"k_bit": "kernel_bits"}),
    ),
    "ternary": QuantizerFacts(
        bits=2,
        levels="-1, 0, +1",
        gradient="1 where |x| ≤ t_clip, else 0",
        exportable=True,
        paper="TBN 3.2",
        inputs=Factory("TernaryInputs", {"threshold": "input_threshold", "t_clip": "t_clip"}),
    ),
    "trained_ternary": QuantizerFacts(
        bits=2,
        levels="-n, 0, p; n and p trained",
        gradient="p where w > Δ, n where w < -Δ, else 1",
        exportable=True,
        paper="TTQ 4",
        weights=Factory("TrainedTernary", {"threshold": "kernel_threshold"}),
    ),
    "abc_net": QuantizerFacts(
        bits=None,
        levels="sums of k scaled signs",
        gradient="inputs: Σ β where 0 ≤ x + v ≤ 1; weights: Σ α",
        exportable=True,
        paper="ABC-Net 3",
        inputs=Factory("ActivationBases", {"bases": "input_bits"}),
        weights=Factory("WeightBases", {"bases": "kernel_bits"}),
    ),
    "horq": QuantizerFacts(
        bits=None,
        levels="sums of k scaled signs, each of what is left",
        gradient="Σ β where the residual is within ±t_clip",
        exportable=True,
        paper="HORQ 3",
        inputs=Factory("ResidualSigns", {"order": "input_bits", "t_clip": "t_clip"}),
    ),
    "htanh": QuantizerFacts(
        bits=32,
        levels="-1 ≤ x ≤ 1",
        gradient="1 where |x| ≤ 1, else 0",
        exportable=False,
        paper="BNN+ 4.2: pretraining in full precision",
        inputs=Factory("HTanh"),
    ),
    "relu": QuantizerFacts(
        bits=32,
        levels="x ≥ 0",
        gradient="1 where x > 0, else 0",
        exportable=False,
        paper="DenseNet, ResNet: the activation of a full-precision network",
        inputs=Factory("InputReLU"),
    ),
    "float32": QuantizerFacts(
        bits=32,
        levels="x",
        gradient="1",
        exportable=False,
        paper="full precision",
        inputs=Factory(),
        weights=Factory(),
    ),
}
