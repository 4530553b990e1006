"""The zoo: every network of tflbnn.networks counted, beside what is published of it.

python benchmarks/zoo.py            count them all, some minutes; writes benchmarks/results/zoo.csv and the pages
python benchmarks/zoo.py NAME ...   count these, keep the others' rows
python benchmarks/zoo.py --pages    write the pages alone, from benchmarks/results/zoo.csv: docs/networks.md,
                                    docs/zoo.png and tflbnn/networks/zoo.json, which tflbnn list networks shows

A row is a published figure, or the network as it is by default where nothing is published.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any

import results
import zoo_pages
from rich.console import Console

from tflbnn import networks
from tflbnn.analysis.counts import Counts
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.networks import Figure

SEED = 0
# What a binarization says about a network's size and operations, and what else is told of it.
_TOLD = ("input_quantizer", "kernel_quantizer", "first", "last", "downsampling")
_DEFAULTS = {"binary_densenet": ((32, 32, 3), 10), "ssd_binary_densenet": ((128, 128, 3), 20)}


def rows_of(name: str) -> tuple[Figure, ...]:
    """What is published, after the network as it is by default if nothing is published of it in binary."""
    published = networks.figures(name)
    if any(figure.is_binary for figure in published):
        return published
    input_shape, classes = _DEFAULTS.get(name, ((224, 224, 3), 1000))
    default = _default_binarization(name).to_dict()
    return (Figure("", input_shape=input_shape, classes=classes, binarization=default), *published)


def _default_binarization(name: str) -> Binarization:
    return inspect.signature(networks.get(name)).parameters["binarization"].default


def settings(name: str, figure: Figure) -> str:
    """What differs from the network's defaults, as `tflbnn summary` takes it; "float32" for the float twin."""
    words = [f"{key}={_text(value)}" for key, value in figure.knobs.items()]
    binarization = Binarization(**figure.binarization)
    if binarization == Binarization.float32():
        words.append("float32")
    else:
        default = _default_binarization(name)
        changed = (field for field in _TOLD if getattr(binarization, field) != getattr(default, field))
        words += [f"{field}={getattr(binarization, field)}" for field in changed]
    return " ".join(words)


def _text(value: Any) -> str:
    return ",".join(f"{number:g}" for number in value) if isinstance(value, tuple) else str(value)


def _convertible(counted: Counts) -> bool:
    """LCE's converter crashes on a quantized dense layer with more weights than 2**25."""
    return all(row.binary_weights <= 2**25 for row in counted.layers if row.type == "QuantDense")


def count(name: str, figure: Figure) -> dict[str, Any]:
    """A row without its provenance."""
    from tflbnn.analysis.counts import counts
    from tflbnn.analysis.flatbuffer import flatbuffer_bytes

    model = networks.get(name)(figure.input_shape, figure.classes, Binarization(**figure.binarization), **figure.knobs)
    counted = counts(model)
    return {
        "network": name,
        "settings": settings(name, figure),
        "input": "×".join(map(str, figure.input_shape)),
        "classes": figure.classes,
        "parameters": counted.parameters,
        "moving_statistics": counted.moving_statistics,
        "binary_weights": counted.binary_weights,
        "size_bytes": counted.size_bytes,
        "flatbuffer_bytes": flatbuffer_bytes(model) if _convertible(counted) else "",
        "full_precision_macs": counted.full_precision_macs,
        "binary_macs": counted.binary_macs,
        "operations": f"{counted.operations:.0f}",
    }


def published(name: str, figure: Figure) -> dict[str, Any]:
    """The columns of a row that are a paper's."""
    return {
        "paper": sys.modules[networks.get(name).__module__].PAPER,
        "source": figure.source,
        "published_parameters": figure.parameters or "",
        "published_with_moving_statistics": figure.moving_statistics,
        "published_size": "" if figure.size is None else f"{figure.size:g}",
        "published_unit": figure.unit,
        "published_top1": "" if figure.top1 is None else f"{figure.top1:g}",
        "data": figure.data or "",
    }


def _counted(names: list[str]) -> Iterator[dict[str, Any]]:
    console = Console(stderr=True)
    for name in networks.NAMES:
        if name not in names:
            continue
        known: dict[str, dict[str, Any]] = {}
        for figure in rows_of(name):
            key = json.dumps([figure.input_shape, figure.classes, settings(name, figure)])
            if key not in known:
                console.print(f"{name} {settings(name, figure)}", highlight=False, soft_wrap=True)
                known[key] = count(name, figure)
            yield {**known[key], **published(name, figure), **results.provenance(SEED)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", action="store_true", help="from the result file, without counting")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    path = results.RESULTS / "zoo.csv"
    if not arguments.pages:
        names = [networks.get(name).__name__ for name in arguments.names] or networks.NAMES
        kept = [row for row in results.read(path) if row["network"] not in names] if arguments.names else []
        rows = [*kept, *_counted(names)]
        results.write("zoo", sorted(rows, key=lambda row: networks.NAMES.index(row["network"])))
    zoo_pages.write(results.read(path))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
