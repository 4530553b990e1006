"""BNN+: Improved Binary Network Training. Darabi et al., 2018: tables 1 and 2.

CIFAR-10 (4.1): Adam, 1e-3 for AlexNet and 3e-3 for the VGG, a tenth every 10 of 50 epochs, a batch of 256, padding by
4 and a crop, R1 with lambda 1e-6, SignSwish (beta 5, which the section does not name), alpha of each filter from the
75th percentile. ImageNet (4.2): 256×256 pixels, 224×224 of them, no flip, weights from a network pretrained with
htanh, lambda 1e-7 with R1 and 1e-6 with R2; AlexNet 25 epochs from 2.33e-3, a tenth at 12 and 18; ResNet-18 from 0.01,
a tenth at 10, 20 and 30, of 40 epochs here, for the paper names none. A batch of 256 there as well, and as many epochs
of pretraining as of training: the paper names neither.
"""

from __future__ import annotations

from tflbnn.binarization import Binarization
from tflbnn.recipes.parts import Augmentation, Data, Network, Optimizer, Pretraining, Schedule
from tflbnn.recipes.recipe import Recipe

_EVERY_TENTH = Schedule("step", milestones=(10 / 50, 20 / 50, 30 / 50, 40 / 50), factor=0.1)


def _cifar10(network: str, rate: float, binary: bool, published: str) -> Recipe:
    return Recipe(
        name=f"bnn-plus-{network}-cifar10{'' if binary else '-float32'}",
        summary=f"{network} on CIFAR-10, {'BNN+ with R1' if binary else 'full precision'}",
        paper="BNN+ table 1",
        published=f"{published} %",
        network=Network(f"bnnplus_{network}", {"stem": "cifar"} if network == "alexnet" else {}),
        data=Data("cifar10"),
        binarization=Binarization.preset("bnn_plus", regularization=1e-6) if binary else Binarization.float32(),
        augmentation=Augmentation(padding=4),
        optimizer=Optimizer("adam", learning_rate=rate),
        schedule=_EVERY_TENTH,
        epochs=50,
        batch_size=256,
    )


# What a row of table 2 is trained with: what its gradients are, by its name there.
_ACTIVATIONS: dict[str, dict[str, object]] = {
    **{f"ss{beta}": {"beta": float(beta)} for beta in (5, 10, 20)},
    "htanh": {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "t_clip": 1.0},
}
_LAMBDAS = {"r1": 1e-7, "r2": 1e-6, "none": 0.0}
_IMAGENET = {
    "alexnet": (2.33e-3, (12 / 25, 18 / 25), 25),
    "resnet18": (0.01, (10 / 40, 20 / 40, 30 / 40), 40),
}
# Regularizer, activation, network, top 1, top 5.
_TABLE_2 = (
    ("r1", "ss5", "alexnet", "46.11 / 75.70"),
    ("r1", "ss10", "alexnet", "46.08 / 75.75"),
    ("r1", "ss10", "resnet18", "51.13 / 74.94"),
    ("r1", "htanh", "alexnet", "41.58 / 69.90"),
    ("r1", "htanh", "resnet18", "50.72 / 73.48"),
    ("r2", "ss5", "alexnet", "45.62 / 70.13"),
    ("r2", "ss5", "resnet18", "53.01 / 72.55"),
    ("r2", "ss10", "alexnet", "45.79 / 75.06"),
    ("r2", "ss10", "resnet18", "49.06 / 70.25"),
    ("r2", "htanh", "resnet18", "48.13 / 72.72"),
    ("none", "ss5", "alexnet", "45.25 / 75.30"),
    ("none", "ss5", "resnet18", "43.23 / 68.51"),
    ("none", "ss10", "alexnet", "45.60 / 75.30"),
    ("none", "ss10", "resnet18", "44.50 / 64.54"),
    ("none", "ss20", "alexnet", "44.03 / 68.30"),
    ("none", "ss20", "resnet18", "44.74 / 69.62"),
    ("none", "htanh", "alexnet", "39.18 / 69.88"),
    ("none", "htanh", "resnet18", "42.46 / 67.56"),
)


def _imagenet(regularizer: str, activation: str, network: str, published: str) -> Recipe:
    rate, milestones, epochs = _IMAGENET[network]
    method = {"regularizer": regularizer, "regularization": _LAMBDAS[regularizer], **_ACTIVATIONS[activation]}
    return Recipe(
        name=f"bnn-plus-{network}-{regularizer}-{activation}",
        summary=f"{network} on ImageNet, regularizer {regularizer}, {activation}",
        paper="BNN+ table 2",
        published=f"{published} %",
        network=Network(f"bnnplus_{network}"),
        data=Data("imagenet", validation=0.02),
        binarization=Binarization.preset("bnn_plus", **method),
        optimizer=Optimizer("adam", learning_rate=rate),
        schedule=Schedule("step", milestones=milestones, factor=0.1),
        pretraining=Pretraining(method="htanh"),
        epochs=epochs,
        batch_size=256,
    )


RECIPES = (
    _cifar10("alexnet", 1e-3, True, "86.49 / 98.92"),
    _cifar10("alexnet", 1e-3, False, "88.58 / 99.73"),
    _cifar10("vgg", 3e-3, True, "91.31 / 99.09"),
    _cifar10("vgg", 3e-3, False, "90.89 / 99.76"),
    *(_imagenet(*row) for row in _TABLE_2),
)
