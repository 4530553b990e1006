"""The demonstration: a small BinaryDenseNet on the handwritten digits that scikit-learn carries."""

from tflbnn.recipes.parts import Data, Network, Optimizer, Schedule
from tflbnn.recipes.recipe import Recipe
from tflbnn.recipes.tunable import Choice, Range

digits = Recipe(
    name="digits",
    summary="8×8 handwritten digits, needs no download",
    paper="BDN 4 (architecture)",
    network=Network("binary_densenet", {"layers": (2, 2, 2), "growth_rate": 32, "reduction": (2.0, 2.0)}),
    data=Data("digits"),
    optimizer=Optimizer("adam", learning_rate=5e-3),
    schedule=Schedule("cosine"),
    epochs=12,
    batch_size=64,
    tunable={
        "network.growth_rate": Choice((8, 16, 32)),
        "binarization.t_clip": Range(0.25, 2.0),
        "optimizer.learning_rate": Range(1e-3, 2e-2, log=True),
    },
)

RECIPES = (digits,)
