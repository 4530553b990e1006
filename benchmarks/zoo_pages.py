"""The pages that show benchmarks/results/zoo.csv; see zoo.py."""

from __future__ import annotations

import inspect
import io
import sys

import results
import zoo_chart

from tflbnn import networks
from tflbnn._files import atomic_path, atomic_write, write_json
from tflbnn.analysis.units import short

Row = dict[str, str]

PAGE = results.ROOT / "docs" / "networks.md"
CHART = results.ROOT / "docs" / "zoo.png"
LISTING = results.ROOT / "tflbnn" / "networks" / "zoo.json"

_UNITS = {"KB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}
_HEAD = {
    "network": "---",
    "settings": "---",
    "parameters": "---:",
    "published": "---:",
    "size": "---:",
    "published ": "---:",
    "f": "---:",
    "b": "---:",
    "f + b/32": "---:",
    "file": "---:",
    "accuracy published": "---:",
    "source": "---",
}

_INTRODUCTION = """\
# The networks

Every network of `tflbnn.networks`, counted by `tflbnn.analysis.counts`, beside what is published of it. A row is a
published figure, or a network as it is by default where nothing is published. What `tflbnn summary NETWORK` prints is
the same, layer by layer.

- **parameters** include BatchNorm's gamma and beta, not its moving statistics, unless the published number does.
- **size** is 1 bit a binary weight and 32 bits any other parameter. It stands in the unit that the published number
  means, whatever the paper calls it: MiB and KiB are 1024² and 1024 bytes, MB and KB 1000² and 1000.
- **f**, **b**: multiply-accumulates for one image in full precision and binary; the operations are f + b/32.
- **file** is the length of the .tflite that the converter makes, with the graph. Binary weights of dense layers are
  32-bit floats there: TensorFlow Lite has no binary operator for them. LCE's converter does not take more than 2²⁵ of
  them in a layer (–).
- **accuracy** is what the source reports, in % (top-1), not ours. Nothing in this table is trained here.
- In brackets: ours less what is published. The [notes](#notes) derive what is more than 3 % of a size, or any
  difference in parameters.

Short names: LTB is "Learning to Train a Binary Neural Network", BDN "Back to Simplicity" (BinaryDenseNet), BNN+
"BNN+: Improved Binary Network Training", BENN "Binary Ensemble Neural Network".

![Accuracy against operations](zoo.png)
"""


def write(rows: list[Row]) -> None:
    """Writes all three."""
    atomic_write(PAGE, markdown(rows))
    with atomic_path(CHART) as path:
        zoo_chart.draw(rows).savefig(path, format="png")
    write_json(LISTING, listing(rows))


def listing(rows: list[Row]) -> dict[str, dict[str, int]]:
    """What is counted of each network's first row in binary; of one that has none, of its first."""
    binary = [row for row in rows if "float32" not in row["settings"].split()]
    first = {row["network"]: row for row in reversed([*binary, *rows])}
    columns = ("parameters", "size_bytes", "operations")
    return {name: {column: int(first[name][column]) for column in columns} for name in networks.NAMES if name in first}


def markdown(rows: list[Row]) -> str:
    """The page docs/networks.md."""
    page = io.StringIO()
    page.write(_INTRODUCTION)
    page.write(f"\n| {' | '.join(_HEAD)} |\n| {' | '.join(_HEAD.values())} |\n")
    for row in rows:
        page.write(f"| {' | '.join(_cells(row))} |\n")
    page.write(f"\n`{rows[0]['command']}`, {rows[0]['versions']}\n\n## Notes\n")
    for module in dict.fromkeys(networks.get(row["network"]).__module__ for row in rows):
        names = dict.fromkeys(row["network"] for row in rows if networks.get(row["network"]).__module__ == module)
        page.write(f"\n### {', '.join(names)}\n\n{inspect.getdoc(sys.modules[module])}\n")
    return page.getvalue()


def _cells(row: Row) -> list[str]:
    parameters = int(row["parameters"])
    if row["published_with_moving_statistics"] == "True":
        parameters += int(row["moving_statistics"])
    unit = row["published_unit"]
    size = int(row["size_bytes"])
    return [
        row["network"],
        row["settings"].replace(" ", "<br>"),
        f"{parameters:,}" + (" with moving statistics" if parameters != int(row["parameters"]) else ""),
        _published(parameters, row["published_parameters"], f"{int(row['published_parameters'] or 0):,}"),
        f"{size / _UNITS[unit]:.{2 if size > 10**5 else 3}f} {unit}".replace(" ", "\N{NO-BREAK SPACE}"),
        _published(size / _UNITS[unit], row["published_size"], row["published_size"]),
        short(int(row["full_precision_macs"])),
        short(int(row["binary_macs"])),
        short(int(row["operations"])),
        f"{int(row['flatbuffer_bytes']) / 2**20:.2f}\N{NO-BREAK SPACE}MiB" if row["flatbuffer_bytes"] else "–",
        f"{row['published_top1']} {row['data']}" if row["published_top1"] else "",
        row["source"] or "–",
    ]


def _published(ours: float, theirs: str, text: str) -> str:
    """A paper's number, and how far ours is from it."""
    if not theirs:
        return ""
    difference = (ours / float(theirs) - 1) * 100
    exact = "exact" if difference == 0 else f"{difference:+.{1 if abs(difference) >= 0.05 else 2}f}\N{NO-BREAK SPACE}%"
    return f"{text} ({exact})"
