"""What an ensemble in one file costs: latency and size of 1, 5 and 32 members, on 1 and 2 threads, and early exit.

Networks-in-Network of 28×28 pixels with random weights, whose BatchNorms have seen random images; the time is the same
whatever the weights are, but for early exit, which depends on how often members agree.

python benchmarks/ensembles_latency.py --build    make the files (minutes), in runs/ensembles_latency
python benchmarks/ensembles_latency.py            measure them, making what is missing (nothing else should run)
"""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

import numpy as np
import results

from tflbnn._files import atomic_write
from tflbnn.runtime import Model
from tflbnn.runtime.benchmark import alternate, sample

FOLDER = results.ROOT / "runs" / "ensembles_latency"
CONFIGURATIONS = ("SB-Nano", "AB-Nano", "SB-Tiny", "AB-Tiny")
MEMBERS = {"SB-Nano": (1, 5, 32), "AB-Nano": (1, 5), "SB-Tiny": (1, 5), "AB-Tiny": (1, 5)}


def file_of(configuration: str, members: int) -> Path:
    return FOLDER / f"{configuration}-{members}.tflite"


def build(configuration: str) -> None:
    """Makes the files of a configuration; what is there stays."""
    if all(file_of(configuration, members).exists() for members in MEMBERS[configuration]):
        return
    from tflbnn import recipes
    from tflbnn._keras import keras
    from tflbnn.converter import convert
    from tflbnn.converter.merging import merge
    from tflbnn.ensembles.configurations import configure
    from tflbnn.ensembles.robustness import draw_weights

    recipe = configure(recipes.get("fashion-mnist-nin"), configuration)
    images = np.random.default_rng(0).standard_normal((64, 28, 28, 1)).astype(np.float32)
    keras.utils.set_random_seed(0)
    model = recipe.network.build((28, 28, 1), 10, recipe.binarization)
    alone = []
    for seed in range(max(MEMBERS[configuration])):
        draw_weights(model, images, np.random.default_rng(seed))
        alone.append(convert(model, verify=False).flatbuffer)
    for members in MEMBERS[configuration]:
        content = alone[0] if members == 1 else merge(alone[:members], "hard", [1 / members] * members)
        atomic_write(file_of(configuration, members), content)


def measure(configuration: str, threads: int, rounds: int) -> list[dict[str, object]]:
    """One row a number of members: all of them take turns."""
    rows = []
    with contextlib.ExitStack() as stack:
        models, loads = {}, {}
        for members in MEMBERS[configuration]:
            started = time.perf_counter()
            models[members] = stack.enter_context(Model(file_of(configuration, members), threads))
            loads[members] = 1000 * (time.perf_counter() - started)
        feeds = sample(models[1])
        runs = {str(k): (lambda model=model: model.predict(feeds)) for k, model in models.items()}
        timings = alternate(runs, rounds)
    for members in MEMBERS[configuration]:
        size = file_of(configuration, members).stat().st_size
        rows.append(
            {
                "configuration": configuration,
                "members": members,
                "threads": threads,
                "median_ms": f"{timings[str(members)].median_ms:.4f}",
                "best_ms": f"{timings[str(members)].best_ms:.4f}",
                "load_ms": f"{loads[members]:.2f}",
                "size_bytes": size,
                "times_one_members_size": f"{size / file_of(configuration, 1).stat().st_size:.3f}",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", action="store_true", help="make the files alone")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    for configuration in CONFIGURATIONS:
        build(configuration)
    if arguments.build:
        return
    rows = [
        row
        for configuration in CONFIGURATIONS
        for threads in (1, 2)
        for row in measure(configuration, threads, arguments.rounds)
    ]
    one = {row["configuration"]: float(row["median_ms"]) for row in rows if (row["members"], row["threads"]) == (1, 1)}
    for row in rows:
        row["times_one_member_on_1_thread"] = f"{float(row['median_ms']) / one[row['configuration']]:.3f}"
        row.update(results.provenance(0))
        print({key: row[key] for key in list(row)[:9]}, flush=True)
    results.write("ensembles_latency", rows)


if __name__ == "__main__":
    main()
