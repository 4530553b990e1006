"""Fashion-MNIST, which a distribution can carry: one to two minutes an epoch on two cores."""

from tflbnn.recipes.parts import Augmentation, Data, Network, Optimizer, Schedule
from tflbnn.recipes.recipe import Recipe
from tflbnn.recipes.tunable import Choice, Range

fashion_mnist = Recipe(
    name="fashion-mnist",
    summary="28×28 articles of clothing",
    paper="BDN 4 (architecture)",
    network=Network(
        "binary_densenet", {"layers": (2, 2, 2), "growth_rate": 32, "first_filters": 32, "reduction": (1.4, 1.4)}
    ),
    data=Data("fashion-mnist"),
    augmentation=Augmentation(padding=2, flip=True),
    optimizer=Optimizer("adam", learning_rate=2e-3),
    schedule=Schedule("cosine"),
    epochs=15,
    batch_size=128,
    tunable={
        "network.growth_rate": Choice((16, 32, 64)),
        "binarization.t_clip": Range(0.25, 2.0),
        "optimizer.learning_rate": Range(5e-4, 1e-2, log=True),
    },
)

RECIPES = (fashion_mnist,)
