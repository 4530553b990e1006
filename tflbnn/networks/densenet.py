"""Binary DenseNets: Bethge et al., "Learning to Train a Binary Neural Network" (2018), section 4.1 and table 4.

https://arxiv.org/abs/1809.10463 (LTB). A DenseNet without bottlenecks: one 3×3 convolution in the place of two
convolutions, its outputs concatenated with its inputs. BatchNorm on the image, a stem of 2k filters, four stages, three
transitions, which are binary; the stem and the classifier are full precision.

The text gives n = 8b + 5 layers and growth rates k = 256, 128, 64, 32 for b = 1, 2, 4, 8. Read literally that is 2b
convolutions a stage, and with transitions that halve the channels, as the authors' code has them by default, these
are the builders' defaults: DenseNet-21 has 12,978,478 parameters. Table 4 prints 11,498,086 for it. That number, all
eight digits of it, has the network with b convolutions a stage, each counted as the two that it replaces, without
reduction and with k = 140:

    image BatchNorm 2·3, stem 49·3·280, its BatchNorm 2·280                                             41,726
    convolutions 9·140·(280 + 420 + 560 + 700 + 840 + 980 + 1120 + 1260)                             7,761,600
    transitions 560² + 840² + 1120²                                                                  2,273,600
    their BatchNorms 2·(280 + 420 + 560 + 560 + 700 + 840 + 840 + 980 + 1120 + 1120 + 1260 + 1400)      20,160
    classifier 1400·1000 + 1000                                                                      1,401,000
                                                                                                    11,498,086

Figure 3 is of that kind, too: DenseNet-69 is said to be 31 % smaller than DenseNet-13. With b convolutions a stage and
no reduction it is, by 31.4 %, moving statistics counted; with 2b and halving by 6 %. So the paper's networks are
layers=(b, b, b, b), reduction=(1, 1, 1), and FIGURES gives DenseNet-21's knobs.

DenseNet-45 is b = 5; its growth rate is not given. Fitted to table 4's 62,611,886 parameters, k = 120 makes 63,376,366
(1.2 % more; k = 119 makes 62,344,630). Its 250 MB in full precision are decimal: 250.4.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._dense_networks import dense_network
from tflbnn.networks._variants import variant

PAPER = "LTB table 4"

DEFAULT = Binarization(t_clip=0.5, downsampling="binary")

HALVING = (2.0, 2.0, 2.0)

BINARY = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet", "binarization": DEFAULT.to_dict()}
FLOAT = {**BINARY, "binarization": Binarization.float32().to_dict()}
TABLE_4 = {"layers": (2, 2, 2, 2), "growth_rate": 140, "reduction": (1.0, 1.0, 1.0)}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "densenet21": (
        Figure("LTB table 4", top1=50.0, knobs=TABLE_4, **BINARY),
        Figure("LTB table 4", 44, "MiB", parameters=11_498_086, knobs=TABLE_4, **FLOAT),
    ),
    "densenet45": (
        Figure("LTB table 4", top1=57.9, **BINARY),
        Figure("LTB table 4", 250, "MB", parameters=62_611_886, ours={"parameters": 63_376_366}, **FLOAT),
    ),
}


def densenet21(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 4, 4, 4),
    growth_rate: int = 128,
    first_filters: int = 0,
    reduction: tuple[float, ...] = HALVING,
    stem: Literal["cifar", "imagenet", "grouped"] = "imagenet",
    width: float = 1.0,
) -> Model:
    """DenseNet-21 (b = 2): 50.0 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet, grouped) for the stem, times 2 for every transition.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the transitions. The paper's is
            Binarization(t_clip=0.5, downsampling="binary").
        layers: 3×3 convolutions in each stage.
        growth_rate: channels that each of them adds.
        first_filters: channels of the stem; 0 for twice the growth rate, as in the paper.
        reduction: what each transition divides the channels by, one number fewer than stages, at least 1.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each; "cifar", a 3×3 convolution; "grouped",
            three 3×3 convolutions in the place of the 7×7 one.
        width: what the growth rate and the stem's channels are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> densenet21((8, 8, 1), 10, layers=(1, 1), growth_rate=16, reduction=(2,), stem="cifar").output_shape
    (None, 10)
    """
    growth_rate = _checks.check_integer("growth_rate", growth_rate)
    return dense_network(
        "densenet",
        input_shape,
        classes,
        binarization,
        layers=layers,
        growth_rate=growth_rate,
        first_filters=_checks.check_integer("first_filters", first_filters, 0) or 2 * growth_rate,
        reduction=reduction,
        stem=stem,
        width=width,
        multiple=1,
        normalize_image=True,
    )


@variant(densenet21, layers=(2, 2, 2, 2), growth_rate=256)
def densenet13() -> None:
    """DenseNet-13 (b = 1)."""


@variant(densenet21, layers=(8, 8, 8, 8), growth_rate=64)
def densenet37() -> None:
    """DenseNet-37 (b = 4)."""


@variant(densenet21, layers=(10, 10, 10, 10), growth_rate=120)
def densenet45() -> None:
    """DenseNet-45 (b = 5): 57.9 % on ImageNet. Its growth rate is fitted."""


@variant(densenet21, layers=(16, 16, 16, 16), growth_rate=32)
def densenet69() -> None:
    """DenseNet-69 (b = 8)."""


NETWORKS = (densenet13, densenet21, densenet37, densenet45, densenet69)
