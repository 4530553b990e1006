"""Back to Simplicity: How to Train Accurate BNNs from Scratch? Bethge et al., 2019 (BDN): tables 2, 4, 5, 6 and 8.

Section 5 gives Adam with 1e-3, a tenth of it at 100 and 110 of 120 epochs, and t_clip 1.25 (ResNetE) or 1.3; table 2
gives 150 epochs on CIFAR-10 and 40 on ImageNet, tables 6 and 7 give 120 (130 of BinaryDenseNet-45). The milestones are
scaled with the epochs. The paper names neither the batch size nor the augmentation: 128, padding by four with a random
crop and a flip on CIFAR-10, and 224 of 256 pixels with a flip on ImageNet are what its peers do; tables 4 and 5, which
name no epochs, have the 40 of table 2.
"""

from __future__ import annotations

import dataclasses

from tflbnn.binarization import Binarization
from tflbnn.recipes.parts import Augmentation, Data, Network, Optimizer, Schedule
from tflbnn.recipes.recipe import Recipe
from tflbnn.recipes.tunable import Choice, Range

_ADAM = Optimizer("adam", learning_rate=1e-3)
_STEPS = Schedule("step", milestones=(100 / 120, 110 / 120), factor=0.1)
_LOW = (1.0, 1.4, 1.4)  # reduction with binary downsampling (4.2)

cifar10 = Recipe(
    name="cifar10",
    summary="BinaryDenseNet-21 with full-precision downsampling",
    paper="BDN 4.3, 5",
    published="90.3 %",
    network=Network("binary_densenet21", {"growth_rate": 128}),
    data=Data("cifar10"),
    augmentation=Augmentation(padding=4, flip=True),
    optimizer=_ADAM,
    schedule=_STEPS,
    epochs=150,
    batch_size=128,
    tunable={
        "network.growth_rate": Choice((64, 128, 256)),
        "binarization.t_clip": Range(0.25, 2.0),
        "optimizer.learning_rate": Range(5e-4, 4e-3, log=True),
    },
)
_cifar10_binary = dataclasses.replace(
    cifar10,
    name="bdn-21-cifar10-binary",
    summary="BinaryDenseNet-21 with binary downsampling",
    published="87.6 %",
    network=Network("binary_densenet21", {"growth_rate": 128, "reduction": _LOW}),
    binarization=Binarization.preset("bdn", downsampling="binary"),
)


def _resnet_e(data: str, downsampling: str, scaled: bool, published: str) -> Recipe:
    """A row of table 2, whose scaling is XNOR-Net's: alpha and K (equation 5)."""
    method = {"scaling": "xnor", "input_scaling": "xnor"} if scaled else {}
    cifar = data == "cifar10"
    kind = {"binary": "binary", "float32": "full-precision"}[downsampling]
    return dataclasses.replace(
        cifar10,
        name=f"bdn-resnet-e18-{data}-{downsampling}{'-scaled' if scaled else ''}",
        summary=f"ResNetE-18, {kind} downsampling, {'XNOR-Net scaling' if scaled else 'no scaling'}",
        paper="BDN table 2",
        published=f"{published} %",
        network=Network("resnet_e18", {"stem": "cifar"} if cifar else {}),
        data=Data("cifar10") if cifar else Data("imagenet", validation=0.02),
        binarization=Binarization.preset("bdn", t_clip=1.25, downsampling=downsampling, **method),
        augmentation=Augmentation(padding=4 if cifar else 0, flip=True),
        epochs=150 if cifar else 40,
        tunable={},
    )


def _imagenet(name: str, network: Network, published: str, table: str, epochs: int, **method: object) -> Recipe:
    return dataclasses.replace(
        cifar10,
        name=f"bdn-{name}",
        summary=f"{network.name} on ImageNet",
        paper=f"BDN {table}",
        published=f"{published} %",
        network=network,
        data=Data("imagenet", validation=0.02),
        binarization=Binarization.preset("bdn", **method),
        augmentation=Augmentation(flip=True),
        epochs=epochs,
        tunable={},
    )


def _split(blocks: int, growth_rate: int, downsampling: str, published: str, table: str) -> Recipe:
    """Tables 4 and 5: the same width in fewer or more layers, a fourth of them a stage, two of the paper's a layer."""
    low = downsampling == "binary"
    layers = (blocks // 8,) * 4
    knobs = {"layers": layers, "growth_rate": growth_rate, "stem": "imagenet"}
    return _imagenet(
        f"{blocks}-{growth_rate}-{'binary' if low else 'float32'}",
        Network("binary_densenet", {**knobs, "reduction": _LOW if low else (2.0, 2.0, 2.0)}),
        published,
        table,
        40,
        downsampling=downsampling,
    )


def _ssd(base: int, published: str) -> Recipe:
    """Table 8. Section 5.3 names Gluon-CV, whose SSD-512 trains 240 epochs, batches of 32, its rate falling twice."""
    return dataclasses.replace(
        cifar10,
        name=f"bdn-ssd512-{base}",
        summary=f"SSD-512 on BinaryDenseNet-{base}, PASCAL VOC 2007 and 2012",
        paper="BDN table 8",
        published=f"{published} mAP",
        network=Network(f"ssd512_binary_densenet{base}"),
        data=Data("voc"),
        augmentation=Augmentation(padding=64, flip=True),
        schedule=Schedule("step", milestones=(160 / 240, 200 / 240), factor=0.1),
        epochs=240,
        batch_size=32,
        tunable={},
    )


RECIPES = (
    cifar10,
    _cifar10_binary,
    _resnet_e("cifar10", "binary", True, "83.6 / 99.2"),
    _resnet_e("cifar10", "binary", False, "87.2 / 99.4"),
    _resnet_e("cifar10", "float32", True, "84.7 / 99.2"),
    _resnet_e("cifar10", "float32", False, "87.6 / 99.5"),
    _resnet_e("imagenet", "binary", True, "52.7 / 76.1"),
    _resnet_e("imagenet", "binary", False, "54.5 / 77.8"),
    _resnet_e("imagenet", "float32", True, "55.6 / 78.4"),
    _resnet_e("imagenet", "float32", False, "56.7 / 79.2"),
    _split(8, 256, "binary", "50.2 / 73.7", "table 5"),
    _split(16, 128, "binary", "52.7 / 75.7", "tables 4 and 5"),
    _split(16, 128, "float32", "55.9 / 78.5", "table 4"),
    # Table 4 has 54.3 / 77.3 for what looks like the same network.
    _split(32, 64, "binary", "55.5 / 78.1", "tables 4 and 5"),
    _split(32, 64, "float32", "57.1 / 80.0", "table 4"),
    _imagenet("resnet-e18", Network("resnet_e18"), "58.1 / 80.6", "tables 3 and 6", 120, t_clip=1.25),
    _imagenet("28", Network("binary_densenet28"), "60.7 / 82.4", "table 6", 120),
    _imagenet("37", Network("binary_densenet37"), "62.5 / 83.9", "table 6", 120),
    _imagenet("37-dilated", Network("binary_densenet37_dilated"), "63.7 / 84.7", "table 6", 120),
    _imagenet("45", Network("binary_densenet45"), "63.7 / 84.8", "table 6", 130),
    _ssd(37, "66.4"),
    _ssd(45, "68.2"),
)
