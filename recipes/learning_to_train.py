"""Learning to Train a Binary Neural Network. Bethge et al., 2018 (LTB): tables 2 to 4 and figure 4.

Section 4.1 gives t_clip = 0.5, first and last layer in full precision and no scaling; tables 3 and 4 give the epochs.
The paper names neither optimizer nor learning rate nor batch size: Adam with 1e-3, and a tenth of it at two thirds and
five sixths of the epochs, are what its authors' later paper (BDN) has; a batch of 128 and the usual augmentation
(CIFAR-10: padding by 4, a crop and a flip; ImageNet: 224 of 256 pixels and a flip) are what their peers do.
"""

from __future__ import annotations

import dataclasses

from tflbnn.binarization import Binarization
from tflbnn.recipes.parts import Augmentation, Data, Network, Optimizer, Schedule
from tflbnn.recipes.recipe import Recipe

_STEPS = Schedule("step", milestones=(2 / 3, 5 / 6), factor=0.1)
_LTB = Binarization.preset("ltb", downsampling="binary")


def _imagenet(name: str, network: str, top1: str, top5: str, epochs: int, table: str) -> Recipe:
    return Recipe(
        name=f"ltb-{name}",
        summary=f"{network} on ImageNet",
        paper=f"LTB {table}",
        published=f"{top1} / {top5} %",
        network=Network(network),
        data=Data("imagenet", validation=0.02),
        binarization=_LTB,
        augmentation=Augmentation(flip=True),
        optimizer=Optimizer("adam", learning_rate=1e-3),
        schedule=_STEPS,
        epochs=epochs,
        batch_size=128,
    )


_lenet = Recipe(
    name="ltb-lenet",
    summary="LeNet on MNIST",
    paper="LTB table 2",
    published="99.3 %",
    network=Network("lenet"),
    data=Data("mnist"),
    binarization=_LTB,
    optimizer=Optimizer("adam", learning_rate=1e-3),
    schedule=_STEPS,
    epochs=60,
    batch_size=128,
)
_densenet21 = dataclasses.replace(
    _lenet,
    name="ltb-densenet21-cifar10",
    summary="DenseNet-21 on CIFAR-10",
    published="87.1 %",
    network=Network("densenet21", {"stem": "cifar"}),
    data=Data("cifar10"),
    augmentation=Augmentation(padding=4, flip=True),
    epochs=120,
)
_resnet18 = _imagenet("resnet18", "resnet18", "42.0", "66.2", 37, "tables 3 and 4")

# Figure 4 is a plot without numbers; it says that the best of 0.1 to 2.0 lies between 0.5 and 0.75.
_T_CLIPS = ("0.1", "0.25", "0.5", "0.75", "1.0", "1.25", "1.5", "2.0")
_SCALINGS = {"n": "none", "b": "backward", "fb": "both"}
_figure_4 = [
    dataclasses.replace(
        _resnet18.override({"t_clip": t_clip}),
        name=f"ltb-resnet18-t-clip-{t_clip}",
        summary=f"ResNet-18 on ImageNet, t_clip {t_clip}",
        paper="LTB figure 4a",
        published="best from 0.5 to 0.75",
    )
    for t_clip in _T_CLIPS
] + [
    dataclasses.replace(
        _resnet18.override({"scaling": scaling, "scaling_per": "layer"}),
        name=f"ltb-resnet18-scaling-{name}",
        summary=f"ResNet-18 on ImageNet, weights scaled in mode {name.upper()}",
        paper="LTB figure 4b",
        published="no gain from scaling",
    )
    for name, scaling in _SCALINGS.items()
]

RECIPES = (
    _lenet,
    _densenet21,
    _imagenet("alexnet", "alexnet", "30.2", "54.0", 70, "table 3"),
    _imagenet("inception-bn", "inception_bn", "24.8", "48.0", 80, "table 3"),
    _resnet18,
    _imagenet("resnet26-bottleneck", "resnet26_bottleneck", "25.2", "47.1", 40, "table 3"),
    _imagenet("resnet34-thin", "resnet34_thin", "44.3", "69.1", 40, "table 3"),
    _imagenet("resnet34-wide", "resnet34_wide", "54.0", "77.2", 37, "tables 3 and 4"),
    _imagenet("resnet68-wide", "resnet68_wide", "57.5", "80.3", 40, "tables 3 and 4"),
    _imagenet("densenet21", "densenet21", "50.0", "73.3", 49, "table 4"),
    _imagenet("densenet45", "densenet45", "57.9", "80.0", 52, "table 4"),
    *_figure_4,
)
