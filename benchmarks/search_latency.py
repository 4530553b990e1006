"""How well a latency table predicts networks that it was not fitted to, and whole families that it never saw.

Both sets of networks are timed in one alternation, one image, one thread; the table is fitted to the calibration
networks' times alone.

python benchmarks/search_latency.py             convert, time (2 minutes on a quiet machine), write the result file
python benchmarks/search_latency.py --models    convert alone
python benchmarks/search_latency.py --table     write docs/latency_prediction.md alone
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import results

from tflbnn._files import atomic_write
from tflbnn.tuning import calibration
from tflbnn.tuning.calibration_networks import Specification

NAME = "search_latency"
PAGE = results.ROOT / "docs" / "latency_prediction.md"
FOLDER = results.ROOT / "runs" / NAME
TABLE = results.RESULTS / "latency_table.csv"
SEED = 0
# Network, kind, pixels a side, channels, knobs. No image and no network is one of those that were calibrated with; the
# families of the second half are not among them either.
_TESTS: tuple[tuple[str, str, int, int, dict[str, Any]], ...] = (
    ("quicknet_small", "binary", 56, 3, {"width": 0.5}),
    ("quicknet", "binary", 40, 1, {"layers": (2, 2, 2), "filters": (32, 64, 128)}),
    ("quicknet_large", "binary", 72, 3, {"width": 0.25}),
    ("binary_densenet", "binary", 20, 1, {"layers": (3, 3), "growth_rate": 24, "reduction": (1.4,), "stem": "cifar"}),
    ("binary_densenet", "binary", 40, 3, {"layers": (2, 4, 2), "growth_rate": 40, "reduction": (2.0, 2.0)}),
    ("binary_densenet28", "binary", 72, 3, {"growth_rate": 16}),
    ("binary_densenet21", "binary", 24, 3, {"growth_rate": 64}),
    ("resnet_e18", "binary", 56, 3, {"width": 0.5}),
    ("bi_real_net18", "binary", 80, 3, {"width": 0.5}),
    ("mobilenet_v3_small", "float32", 80, 3, {"width": 0.5}),
    ("mobilenet_v3_small", "int8", 56, 3, {"width": 0.75}),
    ("binary_densenet", "float32", 24, 3, {"layers": (2, 2), "growth_rate": 24, "reduction": (2.0,), "stem": "cifar"}),
    ("resnet_e34", "binary", 40, 3, {"width": 0.5}),
    ("resnet18", "binary", 24, 3, {"width": 0.5, "stem": "cifar"}),
    ("meliusnet22", "binary", 40, 3, {"width": 0.5}),
    ("real_to_binary_net", "binary", 56, 3, {"width": 0.5}),
    ("lenet", "binary", 28, 1, {}),
    ("lenet", "float32", 28, 1, {}),
    ("densenet21", "binary", 40, 3, {"width": 0.25}),
)
SEEN = 12  # of them are of families that were calibrated with


def tests() -> list[Specification]:
    return [
        Specification(f"test{index:02d}-{network}-{kind}-{side}", network, kind, side, channels, "float32", knobs)
        for index, (network, kind, side, channels, knobs) in enumerate(_TESTS)
    ]


def write_models() -> list[Path]:
    """All networks as files; those that are there stay."""
    paths = calibration.write_models(FOLDER / "models")
    for specification in tests():
        path = FOLDER / "models" / f"{specification.name}.tflite"
        if not path.is_file():
            atomic_write(path, specification.flatbuffer())
        paths.append(path)
    return paths


def measure(paths: list[Path]) -> list[dict[str, Any]]:
    """Times all of them, fits and writes the table, and compares."""
    times = calibration.measure(paths)
    table = calibration.fit(FOLDER / "models", times)
    table.write(TABLE)
    rows = []
    for number, specification in enumerate(tests()):
        predicted = table.predict((FOLDER / "models" / f"{specification.name}.tflite").read_bytes())
        measured = times[specification.name]
        rows.append(
            {
                "network": specification.network,
                "kind": specification.kind,
                "side": specification.side,
                "family": "calibrated" if number < SEEN else "new",
                "measured_ms": f"{measured:.5f}",
                "predicted_ms": f"{predicted:.5f}",
                "error": f"{predicted / measured - 1:.4f}",
                **results.provenance(SEED),
            }
        )
    return rows


def page(rows: list[dict[str, str]]) -> str:
    """docs/latency_prediction.md."""
    errors = [abs(float(row["error"])) for row in rows]
    by_family = {
        family: statistics.median(abs(float(row["error"])) for row in rows if row["family"] == family)
        for family in ("calibrated", "new")
    }
    lines = ["| network | | pixels | measured | predicted | error |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {row['network']} | {row['kind']} | {row['side']} | {float(row['measured_ms']):.3f} ms "
        f"| {float(row['predicted_ms']):.3f} ms | {float(row['error']):+.1%} |"
        for row in rows
    ]
    source = rows[0]
    return (
        "# Latencies predicted by a table\n\n"
        f"{len(rows)} networks that the table was not fitted to: **median error {statistics.median(errors):.1%}**; "
        f"{by_family['calibrated']:.1%} where others of the family were calibrated with, {by_family['new']:.1%} "
        "where none was.\n\n"
        + "\n".join(lines)
        + f"\n\n`python benchmarks/search_latency.py`, {source['date']}, {source['cpu']}, {source['versions']}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", action="store_true", help="convert alone")
    parser.add_argument("--table", action="store_true", help="write the page alone")
    arguments = parser.parse_args()
    if not arguments.table:
        paths = write_models()
        if arguments.models:
            return
        results.write(NAME, measure(paths))
    atomic_write(PAGE, page(results.read(results.RESULTS / f"{NAME}.csv")))
    print(json.dumps({"page": str(PAGE)}))


if __name__ == "__main__":
    main()
