"""Binary Ensemble Neural Network: More Bits per Network or More Networks per Bit? Zhu et al., 2019: tables 3 to 6.

CIFAR-10 (6.1): the paper's Network-in-Network, Adam, 0.001, 100 epochs from an XNOR-Net-trained model; full precision
300 epochs. ImageNet (6.2): AlexNet and ResNet-18, 80 epochs from an XNOR-Net-trained model. Members have XNOR-Net's
alpha (algorithm 1). The paper names neither batch nor augmentation nor ImageNet's rate: 128 and none, and 0.001 here.

A recipe is one member. Ensembles of it are made with `tflbnn ensemble RECIPE --method ... --members K`; those of the
tables are in `ENSEMBLES`. The paper's "Best" is the best on its test images; here it is the best on validation images.
"""

from __future__ import annotations

import dataclasses

from tflbnn.binarization import Binarization
from tflbnn.ensembles.configurations import configure
from tflbnn.recipes.parts import Augmentation, Data, Network, Optimizer, Pretraining
from tflbnn.recipes.recipe import Recipe

# XNOR-Net's alpha without its map of the inputs' magnitudes: lines 9 to 11 of algorithm 1.
_MEMBER = Binarization(t_clip=1.0, scaling="xnor")
_XNOR_NET = Pretraining(method="xnor_net")


@dataclasses.dataclass(frozen=True)
class PaperEnsemble:
    """A row of the paper's tables: the ensemble of a recipe and what it reaches there.

    Attributes:
        method, members, sequential: as in `tflbnn.ensembles.settings.Settings`; 1 member is "Best".
        published: accuracy or standard deviation in %, as printed.
    """

    table: str
    recipe: str
    method: str
    members: int
    sequential: bool
    published: float

    @property
    def command(self) -> str:
        """What trains it.

        >>> ENSEMBLES[1].command
        'tflbnn ensemble benn-nin-sb --method bagging --members 32 --sequential'
        """
        sequential = " --sequential" if self.sequential else ""
        return f"tflbnn ensemble {self.recipe} --method {self.method} --members {self.members}{sequential}"


def _nin(configuration: str, published: str = "", bits: int = 2) -> Recipe:
    member = Recipe(
        name=f"benn-nin-{configuration.lower()}",
        summary=f"Network-in-Network on CIFAR-10, {configuration}",
        paper="BENN table 4" if published else "BENN table 2",
        published=published,
        network=Network("benn_nin"),
        data=Data("cifar10"),
        binarization=_MEMBER,
        optimizer=Optimizer("adam", learning_rate=1e-3),
        pretraining=_XNOR_NET,
        epochs=100,
        batch_size=128,
    )
    return configure(member, configuration, bits)


def _imagenet(network: str, side: int, table: str, published: str) -> Recipe:
    return Recipe(
        name=f"benn-{network}",
        summary=f"{network} on ImageNet, SB, as a member of BENN",
        paper=f"BENN {table}",
        published=published,
        network=Network(f"benn_{network}"),
        data=Data("imagenet", validation=0.02, crop=side),
        binarization=_MEMBER,
        augmentation=Augmentation(flip=True),
        optimizer=Optimizer("adam", learning_rate=1e-3),
        pretraining=_XNOR_NET,
        epochs=80,
        batch_size=128,
    )


def _float32(recipe: Recipe, epochs: int, published: str = "") -> Recipe:
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-float32",
        summary=f"{recipe.summary.partition(',')[0]}, full precision",
        published=published,
        binarization=Binarization.float32(),
        pretraining=Pretraining(),
        epochs=epochs,
    )


_SB, _TINY, _NANO = _nin("SB", "84.91 %"), _nin("SB-Tiny", "77.20 %"), _nin("SB-Nano", "40.70 %")

fashion_mnist_nin = Recipe(
    name="fashion-mnist-nin",
    summary="Network-in-Network on Fashion-MNIST, SB-Nano, for ensembles",
    paper="BENN table 2",
    network=Network("benn_nin", {"dropout": 0.0, "width": 0.1}),
    data=Data("fashion-mnist"),
    binarization=_MEMBER,
    augmentation=Augmentation(flip=True),
    optimizer=Optimizer("adam", learning_rate=3e-3),
    pretraining=Pretraining(method="xnor_net", epochs=5),
    epochs=5,
    batch_size=64,
)

RECIPES = (
    _SB,
    _TINY,
    _NANO,
    *(_nin(name) for name in ("AB", "AB-Tiny", "AB-Nano", "IB", "IB-Tiny", "IB-Nano", "AQB")),
    _nin("WQB", bits=5),
    *(_float32(recipe, 300) for recipe in (_SB, _TINY, _NANO)),
    _imagenet("alexnet", 227, "table 5", "50.2 % with 3 members"),
    _float32(_imagenet("alexnet", 227, "table 5", ""), 80, "56.6 %"),
    _imagenet("resnet18", 224, "table 6", "53.6 % with 3 members"),
    _float32(_imagenet("resnet18", 224, "table 6", ""), 80, "69.3 %"),
    fashion_mnist_nin,
)

ENSEMBLES = (
    PaperEnsemble("table 4", "benn-nin-sb", "bagging", 1, False, 84.91),
    PaperEnsemble("table 4", "benn-nin-sb", "bagging", 32, True, 89.12),
    PaperEnsemble("table 4", "benn-nin-sb", "samme.r", 32, True, 89.00),
    PaperEnsemble("table 4", "benn-nin-sb-tiny", "bagging", 1, False, 77.20),
    PaperEnsemble("table 4", "benn-nin-sb-tiny", "bagging", 32, True, 84.09),
    PaperEnsemble("table 4", "benn-nin-sb-tiny", "samme.r", 32, True, 84.32),
    PaperEnsemble("table 4", "benn-nin-sb-nano", "bagging", 1, False, 40.70),
    PaperEnsemble("table 4", "benn-nin-sb-nano", "bagging", 500, True, 57.12),
    PaperEnsemble("table 4", "benn-nin-sb-nano", "samme.r", 500, True, 63.11),
    PaperEnsemble("table 5", "benn-alexnet", "bagging", 3, False, 48.8),
    PaperEnsemble("table 5", "benn-alexnet", "samme.r", 3, False, 50.2),
    PaperEnsemble("table 5", "benn-alexnet", "bagging", 6, False, 52.0),
    PaperEnsemble("table 5", "benn-alexnet", "samme.r", 6, False, 54.3),
    PaperEnsemble("table 6", "benn-resnet18", "bagging", 3, False, 53.4),
    PaperEnsemble("table 6", "benn-resnet18", "samme.r", 3, False, 53.6),
    PaperEnsemble("table 6", "benn-resnet18", "bagging", 6, False, 57.9),
    PaperEnsemble("table 6", "benn-resnet18", "samme.r", 6, False, 61.0),
)
# Table 3: the standard deviation of the accuracy over the last 20 training steps, in %.
OSCILLATION = (
    PaperEnsemble("table 3", "benn-nin-sb", "bagging", 5, True, 0.31),
    PaperEnsemble("table 3", "benn-nin-sb", "samme.r", 5, True, 0.24),
    PaperEnsemble("table 3", "benn-nin-sb", "bagging", 32, True, 0.03),
    PaperEnsemble("table 3", "benn-nin-sb", "samme.r", 32, True, 0.02),
)
