"""Back to Simplicity: How to Train Accurate BNNs from Scratch? Bethge et al., 2019 (BDN)."""

from tflbnn.recipes.recipe import Augmentation, Data, Network, Optimizer, Recipe, Schedule
from tflbnn.recipes.tunable import Choice, Range

# 150 epochs as table 2 says; section 5 gives Adam and 1e-3, and a tenth of it at 100 and 110 of 120 epochs, which is
# scaled to the 150 here. The paper names neither the batch size nor the augmentation on CIFAR-10: 128, and padding by
# four with a random crop and a flip, are what its peers do.
cifar10 = Recipe(
    name="cifar10",
    summary="BinaryDenseNet-21 with full-precision downsampling, 90.3 % in the paper",
    paper="BDN 4.3, 5",
    network=Network("binary_densenet21", {"growth_rate": 128}),
    data=Data("cifar10"),
    augmentation=Augmentation(padding=4, flip=True),
    optimizer=Optimizer("adam", learning_rate=1e-3),
    schedule=Schedule("step", milestones=(100 / 120, 110 / 120), factor=0.1),
    epochs=150,
    batch_size=128,
    tunable={
        "network.growth_rate": Choice((64, 128, 256)),
        "binarization.t_clip": Range(0.25, 2.0),
        "optimizer.learning_rate": Range(5e-4, 4e-3, log=True),
    },
)
