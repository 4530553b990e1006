"""Object detection: a small SSD on a BinaryDenseNet, trained on drawn shapes (BDN 5.3, SSD)."""

from tflbnn.recipes.parts import Augmentation, Data, Network, Optimizer, Schedule
from tflbnn.recipes.recipe import Recipe
from tflbnn.recipes.tunable import Choice, Range

ssd_shapes = Recipe(
    name="ssd-shapes",
    summary="finds circles, squares and triangles in 64×64 images, needs no download",
    paper="BDN 5.3 (SSD)",
    network=Network(
        "ssd_binary_densenet",
        {
            "layers": (3, 4, 4),
            "growth_rate": 32,
            "first_filters": 32,
            "reduction": (1.4, 1.4),
            "extra_scales": 1,
            "sizes": (0.17, 0.3, 0.45, 0.6),
        },
    ),
    data=Data("shapes"),
    augmentation=Augmentation(padding=8, flip=True),
    optimizer=Optimizer("adam", learning_rate=3e-3),
    schedule=Schedule("cosine"),
    epochs=30,
    batch_size=32,
    tunable={
        "network.growth_rate": Choice((16, 32, 64)),
        "binarization.t_clip": Range(0.25, 2.0),
        "optimizer.learning_rate": Range(1e-3, 1e-2, log=True),
    },
)

RECIPES = (ssd_shapes,)
