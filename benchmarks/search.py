"""Searching for a front against random search on Fashion-MNIST: the same 30 trials' training, three seeds each.

Small BinaryDenseNets by growth rate, depth and t_clip; accuracy on 1,000 validation images after 4 epochs on 1,000
training images, latency on the delegate. The hypervolume is that between the front and the accuracy of a guess, 10 %,
at the latency of the slowest network, on a logarithmic scale of latencies.

python benchmarks/search.py --latencies    time the 20 networks, on a machine that does nothing else
python benchmarks/search.py                train what is missing (all: 15 minutes of one core), write the result file
python benchmarks/search.py --table        write docs/search_results.md alone

It can be interrupted at any moment. Trainings are the same each time, so what both searches try is trained once.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import shlex
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import results

from tflbnn import recipes
from tflbnn._files import atomic_write, read_json, write_json
from tflbnn.recipes import Recipe
from tflbnn.tuning import Progress, Settings, parse_space, search
from tflbnn.tuning.hypervolume import hypervolume

NAME = "search_fashion_mnist"
PAGE = results.ROOT / "docs" / "search_results.md"
FOLDER = results.ROOT / "runs" / NAME
SEEDS = (0, 1, 2)
TRIALS = 30
TUNERS = {"bayesian": "for the front", "random": "at random"}
GROWTH_RATES = (8, 16, 32, 64)
DEPTHS = (1, 2, 4, 6, 9)
# The 28×28 images leave this stem with 7×7 pixels.
FIXED = {
    "stem": "imagenet",
    "first_filters": "16",
    "reduction": "1.4",
    "data.samples": "2000",
    "data.validation": "0.5",
    "epochs": "4",
    "batch_size": "50",
}
SPACE = {
    "growth_rate": ",".join(map(str, GROWTH_RATES)),
    "layers": "/".join(f"{depth},{depth}" for depth in DEPTHS),
    "t_clip": "0.25..2.0",
}
GUESS = 0.1


def settings(tuner: str, seed: int) -> Settings:
    """One of the searches."""
    words = [f"{key}={value}" for key, value in {**FIXED, "seed": str(seed), **SPACE}.items()]
    space = parse_space(recipes.get("fashion-mnist"), words)
    return Settings(space, tuner, trials=TRIALS, objectives=("accuracy", "latency"), baselines=False)


def command(tuner: str, seed: int) -> str:
    """What does the same without this file, but for the times of the latencies."""
    words = [f"{key}={value}" for key, value in {**FIXED, "seed": str(seed), **SPACE}.items()]
    options = ["--tuner", tuner, "--trials", str(TRIALS), "--objective", "accuracy,latency", "--no-baselines"]
    threads = ["TF_NUM_INTRAOP_THREADS=1", "TF_NUM_INTEROP_THREADS=1"]
    return shlex.join([*threads, "tflbnn", "tune", "fashion-mnist", *words, *options])


def key_of(recipe: Recipe) -> str:
    return f"{recipe.get('growth_rate')}x{recipe.get('layers')[0]}"


def measure_latencies() -> None:
    """Milliseconds of every network of the space, timed in turn."""
    import functools

    from tflbnn.converter import convert
    from tflbnn.runtime import Model
    from tflbnn.runtime.benchmark import alternate, sample

    runs = {}
    for growth_rate in GROWTH_RATES:
        for depth in DEPTHS:
            recipe = recipes.get("fashion-mnist").override(
                {**FIXED, "growth_rate": str(growth_rate), "layers": f"{depth},{depth}"}
            )
            model = Model(convert(recipe.network.build((28, 28, 1), 10, recipe.binarization), verify=False).flatbuffer)
            runs[key_of(recipe)] = functools.partial(model.predict, sample(model))
    wait_for_quiet()
    timings = alternate(runs, rounds=60, repeats=5)
    write_json(FOLDER / "latencies.json", {key: timing.median_ms for key, timing in timings.items()})


def wait_for_quiet() -> None:
    """The networks are made: now the machine should do nothing else."""
    if sys.stdin.isatty():
        input("Press Enter when the machine is quiet. ")


def once(run: Any, costs: Any, folder: Path) -> tuple[Any, Any]:
    """`Trainer.run` that trains each recipe once, and `Trainer.costs` that counts each network once.

    Latencies are as they were measured once, whatever else the machine does during the search.
    """

    def run_once(trainer: Any, recipe: Recipe, first: int, last: int, trial: Path, earlier: Path | None) -> Any:
        name = f"{key_of(recipe)}-{recipe.binarization.t_clip:g}-{recipe.seed}.json"
        if not (folder / name).exists():
            write_json(folder / name, run(trainer, recipe, first, last, trial, earlier))
        return read_json(folder / name, "trial")

    def costs_once(trainer: Any, recipe: Recipe) -> dict[str, float]:
        name = f"costs-{key_of(recipe)}.json"
        if not (folder / name).exists():
            write_json(folder / name, costs(dataclasses.replace(trainer, latency=None), recipe))
        latency_ms = read_json(FOLDER / "latencies.json", "latencies")[key_of(recipe)]
        return {**read_json(folder / name, "costs"), "latency_ms": latency_ms}

    return run_once, costs_once


class _Lines(Progress):
    """A line a trial."""

    def trial_ended(self, row: Any, best: Any) -> None:
        print(f"  {row.trial} {row.values} {row.val_accuracy} {row.latency_ms}", file=sys.stderr, flush=True)


def run(tuner: str, seed: int) -> list[dict[str, Any]]:
    """The rows of one search."""
    from tflbnn.tuning import latency, trial

    originals, prepare, opened = (trial.Trainer.run, trial.Trainer.costs), latency.prepare, latency.opened
    trial.Trainer.run, trial.Trainer.costs = once(*originals, FOLDER / "trained")
    latency.prepare, latency.opened = (lambda *_: None), (lambda *_: None)
    try:
        with tempfile.TemporaryDirectory() as out:
            found = search(settings(tuner, seed), Path(out) / "search", progress=_Lines())
    finally:
        trial.Trainer.run, trial.Trainer.costs = originals
        latency.prepare, latency.opened = prepare, opened
    return [
        {
            "tuner": tuner,
            "trial": row.trial,
            "growth_rate": row.values["network.growth_rate"],
            "depth": row.values["network.layers"][0],
            "t_clip": row.values["binarization.t_clip"],
            "val_accuracy": f"{row.val_accuracy:.4f}",
            "latency_ms": f"{row.latency_ms:.5f}",
            "size_bytes": row.size_bytes,
            "pareto": str(row.pareto).lower(),
            **results.provenance(seed),
            "command": command(tuner, seed),
        }
        for row in found.rows
    ]


def volume(rows: list[dict[str, str]], slowest: float) -> float:
    """The hypervolume of one search, as a share of the accuracy above a guess times a decade of latency."""
    points = [(GUESS - float(row["val_accuracy"]), math.log10(float(row["latency_ms"]) / slowest)) for row in rows]
    return hypervolume([(1 + accuracy - GUESS, latency) for accuracy, latency in points], (1 - GUESS, 1e-9)) / 0.9


def page(rows: list[dict[str, str]]) -> str:
    """docs/search_results.md."""
    slowest = max(float(row["latency_ms"]) for row in rows)
    lines = ["| search | seed | hypervolume | best accuracy | best under ¼ of the slowest's latency | its latency |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    means = {}
    for tuner, text in TUNERS.items():
        volumes = []
        for seed in SEEDS:
            part = [row for row in rows if row["tuner"] == tuner and int(row["seed"]) == seed]
            if not part:
                continue
            quick = [row for row in part if float(row["latency_ms"]) < slowest / 4]
            best = max(quick, key=lambda row: float(row["val_accuracy"]))
            volumes.append(volume(part, slowest))
            accuracy = max(float(row["val_accuracy"]) for row in part)
            lines.append(
                f"| {text} | {seed} | {volumes[-1]:.4f} | {accuracy:.1%} | {float(best['val_accuracy']):.1%} "
                f"| {float(best['latency_ms']) * 1000:.0f} µs |"
            )
        spread = statistics.stdev(volumes) if len(volumes) > 1 else 0.0
        means[tuner] = f"**{statistics.mean(volumes):.4f} ± {spread:.4f}**"
    for tuner, text in TUNERS.items():
        lines.append(f"| {text} | mean ± standard deviation | {means[tuner]} | | | |")
    source = rows[0]
    return (
        "\n".join([_INTRODUCTION, *lines, ""])
        + f"\nThe slowest of the 20 networks takes {slowest * 1000:.0f} µs. `python benchmarks/search.py`, "
        f"{source['date']}, {source['cpu']}, {source['versions']}.\n"
    )


_INTRODUCTION = """# A search for a front, against random search

Fashion-MNIST, small BinaryDenseNets: growth rate 8 to 64, two stages of 1 to 9 layers, t_clip 0.25 to 2; 30 trials of
4 epochs on 1,000 images for either search, and the same seeds. The hypervolume lies between the front and a guess,
10 %, at the slowest network's latency: the area under the accuracy above a guess over the decades of latency saved.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latencies", action="store_true", help="time the networks")
    parser.add_argument("--table", action="store_true", help="write the page alone")
    parser.add_argument("--seed", type=int, choices=SEEDS, help="this seed alone, without the result file")
    arguments = parser.parse_args()
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
    if arguments.latencies:
        measure_latencies()
        return
    if not arguments.table:
        found = [
            row for seed in SEEDS if arguments.seed in (None, seed) for tuner in TUNERS for row in run(tuner, seed)
        ]
        if arguments.seed is not None:
            return
        results.write(NAME, found)
    atomic_write(PAGE, page(results.read(results.RESULTS / f"{NAME}.csv")))
    print(json.dumps({"page": str(PAGE)}))


if __name__ == "__main__":
    main()
