"""What BinaryDenseNet's design choices are worth on Fashion-MNIST, with three seeds each, in a budget for two cores.

Split layers against wide ones, full-precision against binary downsampling (BDN 4.3), dense against residual shortcuts
(BDN table 6). Every run is a variant of the recipe fashion-mnist, trained to its end and tested once, after its last
epoch; nothing is chosen by its accuracy.

python benchmarks/fashion_mnist_comparisons.py            train what the result file lacks (all: 40 minutes of one core)
                                                          and write docs/comparisons.md
python benchmarks/fashion_mnist_comparisons.py --table    write the page alone

It can be interrupted at any moment: a finished run is a row of the result file, an unfinished one is resumed from its
last epoch.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import statistics
import sys
from collections.abc import Iterable, Iterator

import results

from tflbnn import recipes
from tflbnn._files import atomic_write
from tflbnn.analysis.units import short, size
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


def recipe_of(variant: str, seed: int) -> tuple[recipes.Recipe, str]:
    """The recipe of one run, and the command that trains it alone."""
    settings = {**VARIANTS[variant], **COMMON, "seed": str(seed)}
    settings = dict(sorted(settings.items(), key=lambda item: item[0] != "network.name"))
    words = [f"{name}={value}" for name, value in THREADS.items()] + ["tflbnn", "train", "fashion-mnist"]
    command = shlex.join([*words, *(f"{key}={value}" for key, value in settings.items())])
    return recipes.get("fashion-mnist").override(settings), command


def missing(rows: Iterable[dict[str, str]], variants: Iterable[str]) -> Iterator[tuple[str, int]]:
    """What is not trained yet, all variants with one seed before the next."""
    done, variants = {(row["variant"], int(row["seed"])) for row in rows}, list(variants)
    return ((variant, seed) for seed in SEEDS for variant in variants if (variant, seed) not in done)


def measure(variant: str, seed: int) -> dict[str, object]:
    """Trains one run, or continues it, and returns its row."""
    from tflbnn.analysis.counts import counts
    from tflbnn.training import train

    recipe, command = recipe_of(variant, seed)
    folder = RUNS / f"{re.sub('[^a-z0-9]+', '-', variant)}-{seed}"
    run = train(recipe, folder, resume=(folder / "recipe.json").exists(), progress=progress)
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


def progress(state) -> None:
    """A line an epoch."""
    if state.done:
        print(f"  epoch {state.epoch}/{state.epochs}  loss {state.values['loss']:.4f}", file=sys.stderr, flush=True)


# What the papers say of each choice: what is compared, which variants, and theirs in percentage points.
CLAIMS: dict[str, list[tuple[str, str, str]]] = {
    "Split layers: more of them, each adding fewer channels (BDN tables 4 and 5)": [
        ("dense 4×32, float32 downsampling", "dense 2×64, float32 downsampling", "+1.2"),
        ("dense 8×16, float32 downsampling", "dense 4×32, float32 downsampling", ""),
        ("dense 4×32, binary downsampling", "dense 2×64, binary downsampling", "+2.8"),
        ("dense 8×16, binary downsampling", "dense 4×32, binary downsampling", ""),
    ],
    "Full-precision downsampling with half of the channels (BDN tables 2 and 4)": [
        ("dense 2×64, float32 downsampling", "dense 2×64, binary downsampling", "+3.2"),
        ("dense 4×32, float32 downsampling", "dense 4×32, binary downsampling", "+2.8"),
        ("dense 8×16, float32 downsampling", "dense 8×16, binary downsampling", ""),
        ("residual, float32 downsampling", "residual, binary downsampling", "+2.2"),
    ],
    "Dense shortcuts in the place of residual ones (BDN table 6)": [
        ("dense 4×32, float32 downsampling", "residual, float32 downsampling", "+2.6"),
        ("dense 4×32, binary downsampling", "residual, binary downsampling", ""),
    ],
}


def page(rows: list[dict[str, str]]) -> str:
    """docs/comparisons.md."""
    runs = {
        variant: {int(row["seed"]): 100 * float(row["test_accuracy"]) for row in rows if row["variant"] == variant}
        for variant in VARIANTS
    }
    lines = [_INTRODUCTION, "| variant | parameters | size | f | b | f + b/32 | test accuracy in % | seeds |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for variant, accuracies in runs.items():
        row = next((row for row in rows if row["variant"] == variant), None)
        if row is None:
            continue
        costs = (row[column] for column in ("full_precision_macs", "binary_macs", "operations"))
        cells = [variant, f"{int(row['parameters']):,}", size(int(row["size_bytes"])), *(short(int(n)) for n in costs)]
        lines.append(f"| {' | '.join([*cells, spread(accuracies.values(), '.2f'), str(len(accuracies))])} |")
    for claim, pairs in CLAIMS.items():
        lines += ["", f"**{claim}**", "", "| | instead of | difference | of the paper |", "| --- | --- | ---: | ---: |"]
        for one, other, theirs in pairs:
            both = [runs[one][seed] - runs[other][seed] for seed in runs[one] if seed in runs[other]]
            lines.append(f"| {one} | {other} | {spread(both, '+.2f')} | {theirs or '–'} |")
    first = rows[0]
    lines += ["", f"{first['cpu']}; {first['versions']}. Each run's own command is in its row of {NAME}.csv."]
    return "\n".join(lines) + "\n"


def spread(values: Iterable[float], form: str) -> str:
    """Mean ± standard deviation of the sample, divided by one less than its number."""
    values = list(values)
    if not values:
        return "–"
    mean = f"{statistics.mean(values):{form}}"
    return f"{mean} ± {statistics.stdev(values):.2f}" if len(values) > 1 else mean


_INTRODUCTION = f"""\
# BinaryDenseNet's design choices on Fashion-MNIST

What three choices of "Back to Simplicity" (BDN) are worth in a budget for two cores: 10,000 of the 60,000 training
images (a tenth of them held out), 10 epochs, and a stem that leaves 7×7 of the 28×28 pixels; two stages, one
transition. The paper's figures are of ImageNet, four stages and 40 or 120 epochs: compare the signs, not the numbers.

"dense 4×32" has 4 layers a stage, each adding 32 channels; "2×64" and "8×16" have nearly as many parameters. The
paper's networks have 2 and 4 layers a stage, of 128 and 64 channels. With full-precision downsampling the transition
halves the channels, with binary downsampling it keeps them, as in the paper. "residual" is ResNetE with 4 layers a
stage, as large as the dense network that it is compared with.

Accuracies are of the 10,000 test images after the last epoch, mean ± standard deviation over {len(SEEDS)} seeds;
nothing is chosen by them. Differences are taken seed by seed, in percentage points. Sizes count 1 bit a binary weight.

`python benchmarks/fashion_mnist_comparisons.py`, which takes about 40 minutes of one core.
"""


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="write docs/comparisons.md, train nothing")
    table = parser.parse_args().table
    os.environ.update(THREADS)
    path = results.RESULTS / f"{NAME}.csv"
    rows = results.read(path) if path.exists() else []
    for variant, seed in [] if table else missing(rows, VARIANTS):
        print(f"{variant}, seed {seed}", file=sys.stderr, flush=True)
        rows.append(measure(variant, seed))
        results.write(NAME, rows)
    atomic_write(PAGE, page(results.read(path)))


if __name__ == "__main__":
    try:
        _main()
    except UserError as error:
        sys.exit(str(error))
