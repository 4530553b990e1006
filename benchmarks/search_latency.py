"""How well a latency table predicts networks that it was not fitted to.

The binary networks of the calibration are timed in one alternation, one image, one thread. Each sixth of them is then
predicted by a table that is fitted to the other five.

python benchmarks/search_latency.py             convert, time (a minute on a quiet machine), write the result file
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
from tflbnn.tuning.calibration_networks import Specification, specifications
from tflbnn.tuning.latency_table import LatencyTable
from tflbnn.tuning.operations import features

NAME = "search_latency"
PAGE = results.ROOT / "docs" / "latency_prediction.md"
FOLDER = results.ROOT / "runs" / NAME / "models"
PARTS = 6


def networks() -> list[Specification]:
    return [specification for specification in specifications() if specification.kind == "binary"]


def path_of(specification: Specification) -> Path:
    return FOLDER / f"{specification.name}.tflite"


def write_models() -> None:
    """All networks as files; those that are there stay."""
    for specification in networks():
        if not path_of(specification).is_file():
            atomic_write(path_of(specification), specification.flatbuffer())


def measure() -> list[dict[str, Any]]:
    """Times all of them and predicts each by what the others took."""
    times = calibration.measure([path_of(specification) for specification in networks()])
    counts = {specification.name: features(path_of(specification).read_bytes()) for specification in networks()}
    rows = []
    for number, specification in enumerate(networks()):
        others = [other.name for place, other in enumerate(networks()) if place % PARTS != number % PARTS]
        table = LatencyTable.fit([counts[name] for name in others], [times[name] for name in others])
        measured = times[specification.name]
        predicted = sum(table.ms.get(key, 0.0) * count for key, count in counts[specification.name].items())
        rows.append(
            {
                "network": specification.network,
                "side": specification.side,
                "knobs": json.dumps(specification.knobs),
                "downsampling": specification.downsampling,
                "measured_ms": f"{measured:.5f}",
                "predicted_ms": f"{predicted:.5f}",
                "error": f"{predicted / measured - 1:.4f}",
                **results.provenance(1),
            }
        )
    return rows


def page(rows: list[dict[str, str]]) -> str:
    """docs/latency_prediction.md."""
    lines = [
        "| family | networks | fastest | slowest | median error | 90 % within |",
        ("| --- | " + "---: | " * 5).rstrip(),
    ]
    families = {row["network"]: [other for other in rows if other["network"] == row["network"]] for row in rows}
    for name, part in {**families, "all": rows}.items():
        errors = sorted(abs(float(row["error"])) for row in part)
        times = [float(row["measured_ms"]) for row in part]
        cells = [name, len(part), f"{min(times):.3f} ms", f"{max(times):.3f} ms", f"{statistics.median(errors):.1%}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{errors[int(0.9 * len(errors))]:.0%}"])) + " |")
    source = rows[0]
    return (
        "# Latencies predicted by a table\n\n"
        f"{len(rows)} binary networks, images of 8 to 64 pixels a side; each is predicted by a table fitted to "
        "others, five sixths of them.\n\n"
        + "\n".join(lines)
        + f"\n\n`python benchmarks/search_latency.py`, {source['date']}, {source['cpu']}, {source['versions']}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", action="store_true", help="convert alone")
    parser.add_argument("--table", action="store_true", help="write the page alone")
    arguments = parser.parse_args()
    if not arguments.table:
        write_models()
        if arguments.models:
            return
        results.write(NAME, measure())
    atomic_write(PAGE, page(results.read(results.RESULTS / f"{NAME}.csv")))
    print(json.dumps({"page": str(PAGE)}))


if __name__ == "__main__":
    main()
