"""What BinaryDenseNet's design choices are worth on Fashion-MNIST, with three seeds each, in a budget for two cores.

Split layers against wide ones, full-precision against binary downsampling (BDN 4.3), dense against residual shortcuts
(BDN table 6). Every run is a variant of the recipe fashion-mnist, trained to its end and tested once, after its last
epoch; nothing is chosen by its accuracy.

python benchmarks/fashion_mnist_comparisons.py            train what the result file lacks, about 40 minutes of one core
python benchmarks/fashion_mnist_comparisons.py --table    write docs/comparisons.md from it

It can be interrupted at any moment: a finished run is a row of the result file, an unfinished one is resumed from its
last epoch.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import shlex
import statistics
import sys
from collections.abc import Iterable, Iterator

import results

from tflbnn import recipes
from tflbnn.errors import UserError

# One thread, so that a second core is free and sums are added in one order. Read when TensorFlow loads.
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}

SEEDS = (0, 1, 2)
NAME = "comparisons_fashion_mnist"
PAGE = results.ROOT / "docs" / "comparisons.md"
RUNS = results.ROOT / "runs" / NAME

# The 28×28 images leave this stem with 7×7 pixels, which makes a run cost a minute or two.
COMMON = {"data.samples": "10000", "epochs": "10", "batch_size": "64", "stem": "imagenet"}


def _dense(layers: int, growth_rate: int, downsampling: str) -> dict[str, str]:
    """A BinaryDenseNet of two stages; what is binary between them does not reduce the channels (BDN 4.2)."""
    reduction = {"float32": "2", "binary": "1"}[downsampling]
    return {
        "layers": f"{layers},{layers}",
        "growth_rate": str(growth_rate),
        "first_filters": "64",
        "reduction": reduction,
        "downsampling": downsampling,
    }


VARIANTS: dict[str, dict[str, str]] = {
    f"dense {layers}×{growth_rate}, {downsampling} downsampling": _dense(layers, growth_rate, downsampling)
    for downsampling in ("float32", "binary")
    for layers, growth_rate in ((2, 64), (4, 32), (8, 16))
}
# As large as the dense networks of 4 layers, and with as many operations.
VARIANTS |= {
    f"residual, {downsampling} downsampling": {
        "network.name": "resnet_e18",
        "layers": "4,4",
        "filters": "64,128",
        "downsampling": downsampling,
    }
    for downsampling in ("float32", "binary")
}


def _recipe(variant: str, seed: int) -> tuple[recipes.Recipe, str]:
    """The recipe of one run, and the command that trains it alone."""
    settings = {**VARIANTS[variant], **COMMON, "seed": str(seed)}
    settings = dict(sorted(settings.items(), key=lambda item: item[0] != "network.name"))
    words = [f"{name}={value}" for name, value in THREADS.items()] + ["tflbnn", "train", "fashion-mnist"]
    command = shlex.join([*words, *(f"{key}={value}" for key, value in settings.items())])
    return recipes.get("fashion-mnist").override(settings), command


def _missing(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, int]]:
    """What is not trained yet, all variants with one seed before the next."""
    done = {(row["variant"], int(row["seed"])) for row in rows}
    return ((variant, seed) for seed in SEEDS for variant in VARIANTS if (variant, seed) not in done)


def measure(variant: str, seed: int) -> dict[str, object]:
    """Trains one run, or continues it, and returns its row."""
    from tflbnn.analysis.counts import counts
    from tflbnn.training import train

    recipe, command = _recipe(variant, seed)
    folder = RUNS / f"{re.sub('[^a-z0-9]+', '-', variant)}-{seed}"
    run = train(recipe, folder, resume=(folder / "recipe.json").exists(), progress=_progress)
    counted = counts(recipe.network.build(run.input_shape, len(run.labels), recipe.binarization))
    return {
        "variant": variant,
        "test_accuracy": f"{run.metrics['test_accuracy']:.4f}",
        "parameters": counted.parameters,
        "size_bytes": counted.size_bytes,
        "full_precision_macs": counted.full_precision_macs,
        "binary_macs": counted.binary_macs,
        "operations": f"{counted.operations:.0f}",
        **results.provenance(seed),
        "command": command,
    }


def _progress(state) -> None:
    if state.done:
        print(f"  epoch {state.epoch}/{state.epochs}  loss {state.values['loss']:.4f}", file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Accuracy:
    """In %, over seeds."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.mean(self.values)

    @property
    def deviation(self) -> float:
        """Of the sample: divided by one less than the number of seeds."""
        return statistics.stdev(self.values)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="write docs/comparisons.md, train nothing")
    table = parser.parse_args().table
    os.environ.update(THREADS)
    path = results.RESULTS / f"{NAME}.csv"
    rows = results.read(path) if path.exists() else []
    for variant, seed in [] if table else _missing(rows):
        print(f"{variant}, seed {seed}", file=sys.stderr, flush=True)
        rows.append(measure(variant, seed))
        results.write(NAME, rows)


if __name__ == "__main__":
    try:
        _main()
    except UserError as error:
        sys.exit(str(error))
