"""What the papers' training methods are worth on Fashion-MNIST, with three seeds each, in a budget for two cores.

t_clip (LTB figure 4a), the scaling modes N, B and FB (LTB figure 4b), SignSwish against the straight-through estimator
and the regularizers R1 and R2 (BNN+ table 2) on LTB's binary LeNet; XNOR-Net's scaling on a ResNetE (BDN table 2); and
what training in half precision costs.
Every run is a variant of the recipe ltb-lenet, trained to its end and tested once, after its last epoch; nothing is
chosen by its accuracy.

python benchmarks/fashion_mnist_methods.py            train what the result file lacks and write docs/methods.md
python benchmarks/fashion_mnist_methods.py --table    write the page alone
python benchmarks/fashion_mnist_methods.py --smoke    train two variants in their smallest form, and write nothing

It can be interrupted at any moment: a finished run is a row of the result file, an unfinished one is resumed from its
last epoch.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path

import results
from fashion_mnist_comparisons import THREADS, missing, progress, spread

from tflbnn import recipes
from tflbnn._files import atomic_write
from tflbnn.errors import UserError

NAME = "methods_fashion_mnist"
PAGE = results.ROOT / "docs" / "methods.md"
RUNS = results.ROOT / "runs" / NAME

COMMON = {
    "data.name": "fashion-mnist",
    "data.samples": "10000",
    "epochs": "5",
    "batch_size": "64",
    "schedule.name": "cosine",
    "execution.precision": "float32",
}
# BNN+ does not clip its weights, and scales them with a trained alpha of each filter, with every regularizer.
_BNN_PLUS = {"binarization": "bnn_plus", "downsampling": "binary"}
_STE = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "t_clip": "1.0"}
_RESNET = {
    "network.name": "resnet_e18",
    "network.layers": "2,2",
    "network.filters": "32,64",
    "network.stem": "imagenet",
    "binarization": "bdn",
}

# Each group's variants by name; the first is what the others are compared with. What two groups have is trained once.
GROUPS: dict[str, dict[str, dict[str, str]]] = {
    "t_clip of the straight-through estimator (LTB figure 4a: best from 0.5 to 0.75)": {
        f"t_clip {t_clip}": {"t_clip": t_clip} for t_clip in ("1.0", "0.25", "0.5", "0.75", "1.25", "1.5", "2.0")
    },
    "One scale a layer, in the backward pass (B) or in both (FB), against none (LTB figure 4b: no gain)": {
        "t_clip 0.5": {"t_clip": "0.5"},
        "t_clip 0.5, scaling B": {"t_clip": "0.5", "scaling": "backward", "scaling_per": "layer"},
        "t_clip 0.5, scaling FB": {"t_clip": "0.5", "scaling": "both", "scaling_per": "layer"},
    },
    "SignSwish instead of the straight-through estimator (BNN+ table 2: about +6 points)": {
        "htanh": {**_BNN_PLUS, **_STE, "regularizer": "none"},
        **{f"SignSwish {beta}": {**_BNN_PLUS, "beta": str(beta), "regularizer": "none"} for beta in (5, 10, 20)},
    },
    "Regularizers, lambda 1e-6 (BNN+ table 2: about +1 point for AlexNet)": {
        "SignSwish 5": {**_BNN_PLUS, "beta": "5", "regularizer": "none"},
        "SignSwish 5, R1": {**_BNN_PLUS, "beta": "5", "regularizer": "r1", "regularization": "1e-6"},
        "SignSwish 5, R2": {**_BNN_PLUS, "beta": "5", "regularizer": "r2", "regularization": "1e-6"},
    },
    "XNOR-Net's scaling in a ResNetE, full-precision downsampling (BDN table 2: −2.9 points on CIFAR-10)": {
        "ResNetE": {**_RESNET, "downsampling": "float32"},
        "ResNetE, XNOR scaling": {**_RESNET, "downsampling": "float32", "scaling": "xnor", "input_scaling": "xnor"},
    },
}
_HALF = {"execution.precision": "mixed_bfloat16"}
GROUPS |= {
    "Trained in half precision, straight-through estimator": {
        "t_clip 0.5": {"t_clip": "0.5"},
        "t_clip 0.5, mixed_bfloat16": {"t_clip": "0.5", **_HALF},
    },
    "Trained in half precision, SignSwish": {
        "SignSwish 5": {**_BNN_PLUS, "beta": "5", "regularizer": "none"},
        "SignSwish 5, mixed_bfloat16": {**_BNN_PLUS, "beta": "5", "regularizer": "none", **_HALF},
    },
}
VARIANTS = {name: settings for group in GROUPS.values() for name, settings in group.items()}


def recipe_of(variant: str, seed: int) -> tuple[recipes.Recipe, str]:
    """The recipe of one run, and the command that trains it alone."""
    settings = {**COMMON, **VARIANTS[variant], "seed": str(seed)}
    words = [f"{name}={value}" for name, value in THREADS.items()] + ["tflbnn", "train", "ltb-lenet"]
    command = shlex.join([*words, *(f"{key}={value}" for key, value in settings.items())])
    return recipes.get("ltb-lenet").override(settings), command


def measure(variant: str, seed: int, runs: Path, smoke: bool = False) -> dict[str, object]:
    """Trains one run, or continues it, and returns its row."""
    from tflbnn.training import train

    recipe, command = recipe_of(variant, seed)
    folder = runs / f"{re.sub('[^a-z0-9.]+', '-', variant.lower())}-{seed}"
    run = train(recipe, folder, resume=(folder / "recipe.json").exists(), smoke=smoke, progress=progress)
    return {
        "variant": variant,
        "test_accuracy": f"{run.metrics['test_accuracy']:.4f}",
        "test_loss": f"{run.metrics['test_loss']:.4f}",
        "flip_ratio": f"{run.history[-1]['flip_ratio']:.5f}",
        "parameters": run.metrics["parameters"],
        **results.provenance(seed),
        "command": command,
    }


def page(rows: list[dict[str, str]]) -> str:
    """docs/methods.md."""
    runs = {
        variant: {int(row["seed"]): 100 * float(row["test_accuracy"]) for row in rows if row["variant"] == variant}
        for variant in VARIANTS
    }
    lines = [_INTRODUCTION]
    if remaining := len(list(missing(rows, VARIANTS))):
        lines += [f"{remaining} of these runs are still to be done, which the command does.", ""]
    for title, group in GROUPS.items():
        first, *_ = group
        lines += [f"**{title}**", "", f"| variant | test accuracy in % | against {first} | seeds |"]
        lines.append("| --- | ---: | ---: | ---: |")
        for variant in group:
            both = [runs[variant][seed] - runs[first][seed] for seed in runs[variant] if seed in runs[first]]
            against = "" if variant == first else spread(both, "+.2f")
            lines.append(f"| {variant} | {spread(runs[variant].values(), '.2f')} | {against} | {len(runs[variant])} |")
        lines.append("")
    lines += [f"{rows[0]['cpu']}; {rows[0]['versions']}. Each run's own command is in its row of {NAME}.csv."]
    return "\n".join(lines) + "\n"


_INTRODUCTION = f"""\
# Training methods on Fashion-MNIST

What the methods of the papers are worth in a budget for two cores: {int(COMMON["data.samples"]):,} of the 60,000
training images (a tenth of them held out), {COMMON["epochs"]} epochs, LTB's binary LeNet, and a small ResNetE for
XNOR-Net's scaling. The papers' figures are of other data and of trainings many times as long: compare the signs, not
the numbers.

Accuracies are of the 10,000 test images after the last epoch, mean ± standard deviation over as many seeds as a row
says; nothing is chosen by them. Differences are taken seed by seed, in percentage points. Trainings are in float32
unless they are named otherwise.

`python benchmarks/fashion_mnist_methods.py`

What comes out, beside what the papers say:

- t_clip: the best lie from 1.0 to 1.5, above LTB's 0.5 to 0.75; from 0.5 up it matters little.
- One scale a layer gains next to nothing, as LTB says.
- SignSwish loses against the straight-through estimator in trainings this short, the more the larger beta; BNN+ has
  it gain.
- R1 and R2 make no difference that three seeds could show; BNN+ has them gain a point.
- XNOR-Net's scaling makes no difference to a network with BatchNorm; BDN has it lose.
- Half precision costs nothing.
"""


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="write docs/methods.md, train nothing")
    parser.add_argument("--smoke", action="store_true", help="train two variants in their smallest form, write nothing")
    arguments = parser.parse_args()
    os.environ.update(THREADS)
    if arguments.smoke:
        with tempfile.TemporaryDirectory() as folder:
            for variant in ("t_clip 0.5", "ResNetE, XNOR scaling"):
                print(measure(variant, 0, Path(folder), smoke=True))
        return
    path = results.RESULTS / f"{NAME}.csv"
    rows = results.read(path) if path.exists() else []
    for variant, seed in [] if arguments.table else missing(rows, VARIANTS):
        print(f"{variant}, seed {seed}", file=sys.stderr, flush=True)
        rows.append(measure(variant, seed, RUNS))
        results.write(NAME, rows)
    atomic_write(PAGE, page(results.read(path)))


if __name__ == "__main__":
    try:
        _main()
    except UserError as error:
        sys.exit(str(error))
