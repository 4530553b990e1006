"""Quantizers on Larq's base: each states its forward pass, its gradient, its shapes and where it comes from.

The maths with its custom gradient is a function that can be called without Keras; the class holds the configuration.
What else is known of a quantizer (bits, exportable, ...) is declared in `tflbnn.binarization.QUANTIZERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from tflbnn._keras import lq, tf
from tflbnn.binarization import QUANTIZERS, Binarization
from tflbnn.quantizer_facts import Side
from tflbnn.quantizers.activations import HTanh, InputReLU
from tflbnn.quantizers.bases import ActivationBases, ResidualSigns, WeightBases
from tflbnn.quantizers.dorefa import DoReFaInputs, DoReFaWeights
from tflbnn.quantizers.scaled import ScaledSign
from tflbnn.quantizers.signs import ApproxSign, MagnitudeAwareSign, SignSwish, SteSign, sign_swish, ste_sign
from tflbnn.quantizers.ternary import TernaryInputs, TrainedTernary

__all__ = [
    "ActivationBases",
    "ApproxSign",
    "DoReFaInputs",
    "DoReFaWeights",
    "HTanh",
    "InputReLU",
    "MagnitudeAwareSign",
    "Quantizer",
    "ResidualSigns",
    "ScaledSign",
    "SignSwish",
    "SteSign",
    "TernaryInputs",
    "TrainedTernary",
    "WeightBases",
    "bits",
    "build",
    "sign_swish",
    "ste_sign",
]

Quantizer = Callable[[tf.Tensor], tf.Tensor]


def build(binarization: Binarization, side: Side) -> Quantizer | None:
    """A new quantizer of a layer's inputs or weights; None where they stay as they are.

    >>> build(Binarization(t_clip=0.5), "inputs").clip_value
    0.5
    >>> build(Binarization(scaling="both"), "weights").scaling
    'both'
    """
    weights = side == "weights"
    facts = QUANTIZERS[binarization.kernel_quantizer if weights else binarization.input_quantizer]
    factory = facts.weights if weights else facts.inputs
    if factory is None or factory.name is None:
        return None
    # In every layer the same name: it is part of the names of trained values, by which weights are found again.
    name = "kernel_quantizer" if weights else "input_quantizer"
    arguments = {parameter: getattr(binarization, field) for parameter, field in factory.arguments.items()}
    if not (weights and facts.scales and (binarization.scaling != "none" or binarization.centred)):
        return globals()[factory.name](**arguments, name=name)
    start = binarization.alpha_start
    if start == "minimum":
        start = "median" if binarization.regularizer == "r1" else "mean"
    return ScaledSign(
        globals()[factory.name](**arguments, name="sign"),
        binarization.scaling,
        binarization.scaling_per,
        binarization.centred,
        start,
        name=name,
    )


def bits(quantizer: Quantizer | None) -> int:
    """Bits of one value that a layer's quantizer gives, as Larq's base declares them; 32 for none.

    >>> bits(SteSign()), bits(InputReLU()), bits(None)
    (1, 32, 32)
    """
    # NoOp only marks a variable with a precision; its values stay floats.
    if isinstance(quantizer, lq.quantizers.Quantizer) and not isinstance(quantizer, lq.quantizers.NoOp):
        return quantizer.precision or 32
    return 32
