"""Trains the models that the app ships: android_demo/app/src/main/assets/models/*.tflite (make demo-models).

    python -m android_demo.tools.demo_models [--smoke] [--out FOLDER] [MODEL...]

Each is a recipe of its data set made small, with seeds fixed; a -float file is the same network without binarization,
an -ensemble file holds several networks that vote. A model that was trained by the same recipe is left alone. Another
processor rounds sums differently, so retraining gives weights of its own; the accuracy stays. --smoke trains next to
nothing and says only that all of this works.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from android_demo.tools.common import ROOT, BuildError, main
from tflbnn import recipes
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.runtime.metadata import read_metadata

MODELS = ROOT / "android_demo" / "app" / "src" / "main" / "assets" / "models"
LARGEST = 400_000  # bytes; all of them are kept in the repository

DIGITS = {"network.growth_rate": "16", "network.first_filters": "32", "epochs": "20"}
FASHION_MNIST = {"network.growth_rate": "16", "data.samples": "12000", "epochs": "8"}
SHAPES = {"network.growth_rate": "16", "network.layers": "2,2,2", "epochs": "15"}
MEMBER = FASHION_MNIST | {"epochs": "12"}  # each on a draw of its own, with fewer different images
FLOAT = {"binarization": "float32"}

# The file's name: a recipe and what differs from it.
DEMO_MODELS = {
    "digits": ("digits", DIGITS),
    "digits-float": ("digits", DIGITS | FLOAT),
    "fashion-mnist": ("fashion-mnist", FASHION_MNIST),
    "fashion-mnist-float": ("fashion-mnist", FASHION_MNIST | FLOAT),
    "fashion-mnist-ensemble": ("fashion-mnist", MEMBER),
    "shapes": ("ssd-shapes", SHAPES),
}
MEMBERS = {"fashion-mnist-ensemble": 5}  # by bagging


def recipe_of(name: str) -> Recipe:
    recipe, changes = DEMO_MODELS[name]
    return recipes.get(recipe).override(changes)


def is_trained(path: Path, recipe: Recipe) -> bool:
    """Whether the file is there and says that this very recipe made it."""
    try:
        metadata = read_metadata(path.read_bytes())
    except (FileNotFoundError, UserError):
        return False
    return metadata is not None and bool(metadata.recipe) and Recipe.from_dict(metadata.recipe) == recipe


def train_and_export(name: str, folder: Path, smoke: bool) -> tuple[Path, float]:
    """The model's file in a new folder, and its score on its test images."""
    recipe = recipe_of(name)
    if name in MEMBERS:
        from tflbnn.converter.export_ensemble import export_ensemble
        from tflbnn.ensembles.settings import Settings
        from tflbnn.ensembles.train import train_ensemble

        run = train_ensemble(recipe, Settings(members=MEMBERS[name]), folder, smoke=smoke)
        return export_ensemble(run).model, run.metrics["test_accuracy"]
    from tflbnn.converter import export
    from tflbnn.training import train

    run = train(recipe, folder, smoke=smoke)
    return export(run).model, run.metrics.get("test_accuracy", run.metrics.get("test_map"))


def make(name: str, out: Path, smoke: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, score = train_and_export(name, Path(folder) / "run", smoke)
        if path.stat().st_size > LARGEST:
            raise BuildError(f"An app's model must stay below {LARGEST} bytes. Received: {name}, {path.stat().st_size}")
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.tflite").write_bytes(path.read_bytes())
    print(f"{name}: {score:.2%} on its test images", flush=True)


def ensure() -> None:
    """Trains what is missing."""
    for name in DEMO_MODELS:
        if not (MODELS / f"{name}.tflite").exists():
            make(name, MODELS, smoke=False)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(DEMO_MODELS)}; all by default")
    parser.add_argument("--out", type=Path, default=MODELS)
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    if unknown := set(arguments.models) - set(DEMO_MODELS):
        parser.error(f"unknown model. Received: {', '.join(unknown)}. Known: {', '.join(DEMO_MODELS)}")
    for name in arguments.models or DEMO_MODELS:
        if is_trained(arguments.out / f"{name}.tflite", recipe_of(name)):
            print(f"{name}: trained already")
        else:
            make(name, arguments.out, arguments.smoke)


if __name__ == "__main__":
    main(_main)
