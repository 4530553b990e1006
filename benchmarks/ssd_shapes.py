"""Mean average precision of the recipe ssd-shapes: writes results/ssd_shapes.csv, a row a seed.

Trains with the recipe as it is, exports, and lets the .tflite file find the test set's objects on the delegate. CPU
minutes are those of all cores together, which other load on the machine hardly changes.

    python benchmarks/ssd_shapes.py [SEED ...]        (0, 1 and 2 when left out)
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import results

from tflbnn import data, recipes
from tflbnn.converter import export
from tflbnn.detection import mean_average_precision
from tflbnn.runtime import Model
from tflbnn.runtime.post_processing import detections
from tflbnn.training import Run, train


def exported_map(run: Run) -> float:
    """Of the exported file on the test images."""
    test = data.load(run.recipe.data).test
    with Model(export(run).model) as model:
        outputs = model.predict(run.normalization.apply(test.x))
    found = [detections(outputs, image) for image in range(len(test))]
    return mean_average_precision(found, test.y, len(run.labels)).mean


def main(seeds: list[int]) -> None:
    rows = []
    for seed in seeds:
        recipe = recipes.get("ssd-shapes").override({"seed": str(seed)})
        with tempfile.TemporaryDirectory() as folder:
            start, cpu = time.perf_counter(), time.process_time()
            run = train(recipe, Path(folder) / "run")
            minutes, cpu_minutes = (time.perf_counter() - start) / 60, (time.process_time() - cpu) / 60
            row = {
                "recipe": recipe.name,
                "epochs": recipe.epochs,
                "test_map": f"{run.metrics['test_map']:.4f}",
                "test_map_eleven_point": f"{run.metrics['test_map_eleven_point']:.4f}",
                "exported_test_map": f"{exported_map(run):.4f}",
                "parameters": run.metrics["parameters"],
                "minutes": f"{minutes:.1f}",
                "cpu_minutes": f"{cpu_minutes:.1f}",
                "cores": run.environment["cores"],
            }
        rows.append(row | results.provenance(seed))
        print(rows[-1], flush=True)
        results.write("ssd_shapes", rows)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [0, 1, 2])
