"""How fast networks train: tflbnn's training against plain Keras fit on the same Larq network, in turns.

Plain is what Larq's documentation has: model.compile, then model.fit on arrays of normalized images, in float32. A
training of tflbnn also shuffles by seed, and ends every epoch with a checkpoint, TensorBoard's metrics and its row of
history; all of that is in its time. Beside its defaults stand trainings with one setting of `execution` changed.

python benchmarks/training.py [--rounds 3] [--epochs 3]
python benchmarks/training.py --smoke        one round on few images, and write nothing
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import results

from tflbnn import data, recipes
from tflbnn.cli._quiet import without_remarks
from tflbnn.recipes import Recipe

with without_remarks():
    from tflbnn._keras import keras
from tflbnn.data import Dataset
from tflbnn.training import execution, train

SEED = 0
PLAIN, OURS = "Larq and Keras", "tflbnn"
# No augmentation, which plain Keras has none of.
COMMON = {"data.name": "fashion-mnist", "padding": "0", "flip": "false", "batch_size": "64"}
# What ends an epoch takes a share of it that only short ones show.
NETWORKS = {
    "LeNet (LTB), short epochs": ("ltb-lenet", {"data.samples": "2500"}),
    "BinaryDenseNet, 3 stages, short epochs": ("fashion-mnist", {"data.samples": "800"}),
    "LeNet (LTB)": ("ltb-lenet", {"data.samples": "10000"}),
    "BinaryDenseNet, 3 stages": ("fashion-mnist", {"data.samples": "2400"}),
}
SETTINGS = {
    PLAIN: {},
    OURS: {},
    "tflbnn precision=mixed_bfloat16": {"precision": "mixed_bfloat16"},
    "tflbnn jit_compile=true": {"jit_compile": "true"},
    "tflbnn steps_per_execution=8": {"steps_per_execution": "8"},
}


class Stamps(keras.callbacks.Callback):
    """When each epoch began, and when the last one ended."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.times.append(time.perf_counter())

    def on_train_end(self, logs: dict | None = None) -> None:
        self.times.append(time.perf_counter())

    def seconds(self) -> list[float]:
        """Of each epoch, validation and checkpoint included."""
        return [end - start for start, end in zip(self.times, self.times[1:], strict=False)]


def plain(recipe: Recipe, dataset: Dataset, stamps: Stamps) -> None:
    keras.utils.set_random_seed(recipe.seed)
    model = recipe.network.build(dataset.input_shape, dataset.classes, recipe.binarization)
    optimizer = keras.optimizers.Adam(recipe.optimizer.learning_rate)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    arrays = [(dataset.normalization.apply(part.x), part.y) for part in (dataset.train, dataset.validation)]
    model.fit(
        *arrays[0],
        batch_size=recipe.batch_size,
        validation_data=arrays[1],
        epochs=recipe.epochs,
        callbacks=[stamps],
        verbose=0,
    )


def epochs(variant: str, recipe: Recipe, dataset: Dataset) -> list[float]:
    """The seconds of each epoch of one training; the first one's are tracing and compiling too."""
    keras.backend.clear_session()
    stamps = Stamps()
    if variant == PLAIN:
        plain(recipe, dataset, stamps)
    else:
        with tempfile.TemporaryDirectory() as folder:
            train(recipe, Path(folder) / "run", callbacks=[stamps])
    return stamps.seconds()


def measure(network: str, rounds: int, number: int, changes: dict[str, str]) -> list[dict[str, object]]:
    """A row a variant of one network."""
    name, own = NETWORKS[network]
    recipe = recipes.get(name).override({**COMMON, **own, "epochs": str(number), "seed": str(SEED), **changes})
    dataset = data.load(recipe.data)
    took: dict[str, list[list[float]]] = {variant: [] for variant in SETTINGS}
    for turn in range(rounds):
        for variant, settings in SETTINGS.items():
            took[variant].append(epochs(variant, recipe.override(settings), dataset))
            print(f"{network}, round {turn + 1}, {variant}: {took[variant][-1]}", file=sys.stderr, flush=True)
    steady = {variant: [statistics.median(seconds[1:]) for seconds in runs] for variant, runs in took.items()}
    rows = []
    for variant, settings in SETTINGS.items():
        ratios = [reference / seconds for reference, seconds in zip(steady[PLAIN], steady[variant], strict=True)]
        rows.append(
            {
                "network": network,
                "training": variant,
                "precision": "float32" if variant == PLAIN else execution.precision(recipe.override(settings)),
                "images_per_s": f"{len(dataset.train) / statistics.median(steady[variant]):.0f}",
                "times_faster_than_plain": f"{statistics.median(ratios):.2f}",
                "lowest_ratio": f"{min(ratios):.2f}",
                "first_epoch_s": f"{statistics.median(seconds[0] for seconds in took[variant]):.1f}",
                "rounds": rounds,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="one round on few images, and write nothing")
    arguments = parser.parse_args()
    if arguments.smoke:
        for network in NETWORKS:
            print(*measure(network, 1, 2, {"data.samples": "200"}), sep="\n")
        return
    rows = [row for network in NETWORKS for row in measure(network, arguments.rounds, arguments.epochs, {})]
    print(*rows, sep="\n")
    print(results.write("training", [row | results.provenance(SEED) for row in rows]).relative_to(results.ROOT))


if __name__ == "__main__":
    main()
