"""What a smaller rest costs in accuracy: networks trained on Fashion-MNIST, exported with each rest, tested as files.

Every file predicts the 10,000 test images with the delegate, one thread. The ranges of int8 are measured on 256
validation images, as tflbnn export does. Trainings are short, single-threaded, and chosen by nothing.

    python benchmarks/rest_accuracy.py    train what runs/rest_accuracy lacks, export and test
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import results
from delegate_networks import report
from fashion_mnist_comparisons import THREADS, progress

from tflbnn import recipes

NAME = "rest_accuracy"
RUNS = results.ROOT / "runs" / NAME
RESTS = ("float32", "float16", "int8-dynamic", "int8")
GOAL = 0.01  # of accuracy, that a smaller rest may lose

_COMMON = {"data.samples": "10000", "batch_size": "64", "execution.precision": "float32", "seed": "0"}
# Name: the recipe and what is changed in it.
VARIANTS: dict[str, tuple[str, dict[str, str]]] = {
    "BinaryDenseNet": (
        "fashion-mnist",
        {"layers": "4,4", "growth_rate": "32", "first_filters": "64", "reduction": "2", "stem": "imagenet"}
        | {"epochs": "5"},
    ),
    "LeNet": ("ltb-lenet", {"data.name": "fashion-mnist", "schedule.name": "cosine", "epochs": "3"}),
}


def trained(name: str) -> tuple[Any, str]:
    """The finished run of a variant, and the command that trains it alone."""
    from tflbnn.training import Run, train

    base, settings = VARIANTS[name]
    settings = {**settings, **_COMMON}
    recipe = recipes.get(base).override(settings)
    words = [f"{key}={value}" for key, value in THREADS.items()] + ["tflbnn", "train", base]
    command = shlex.join([*words, *(f"{key}={value}" for key, value in settings.items())])
    folder = RUNS / name.lower()
    if (folder / "metrics.json").exists():
        return Run.open(folder), command
    return train(recipe, folder, resume=(folder / "recipe.json").exists(), progress=progress), command


def accuracy(path: Path, run: Any) -> float:
    """On the test images, as pixels or normalized, whichever the file takes."""
    import numpy as np

    from tflbnn import data
    from tflbnn.runtime import Model

    test = data.load(run.recipe.data).test
    with Model(path) as model:
        ((_, kind),) = model.input_specs.values()
        images = test.x if kind == np.uint8 else run.normalization.apply(test.x)
        return float((model.predict(images).argmax(axis=1) == test.y).mean())


def measure(name: str) -> list[dict[str, Any]]:
    """The rows of one network."""
    from tflbnn.converter import export

    run, command = trained(name)
    rows, plain, size = [], 0.0, 0
    for rest in RESTS:
        path = run.path / f"{rest}.tflite"
        export(run, path, rest=rest)
        reached = accuracy(path, run)
        if rest == "float32":
            plain, size = reached, path.stat().st_size
        rows.append(
            {
                "network": name,
                "rest": rest,
                "test_accuracy": f"{reached:.4f}",
                "points_lost": f"{100 * (plain - reached):.2f}",
                "within_1_point": "yes" if plain - reached <= GOAL else "no",
                "bytes": path.stat().st_size,
                "share_of_float32": f"{path.stat().st_size / size:.3f}",
                "training": command,
            }
        )
    return rows


def main() -> None:
    os.environ.update(THREADS)
    rows = []
    for name in VARIANTS:
        print(name, file=sys.stderr, flush=True)
        rows += measure(name)
    report(NAME, rows, hidden=("training",))


if __name__ == "__main__":
    results.run(main)
