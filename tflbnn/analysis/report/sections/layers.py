"""What each layer costs: bits, sizes, operations."""

from __future__ import annotations

from typing import Any

from tflbnn.analysis.report.blocks import Absent, Bar, Bars, Block, Column, Intro, Key, Row, Table
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import percent
from tflbnn.analysis.units import short, size

TITLE = "Layers: bits, sizes, operations"

_COLUMNS = (
    *(Column(name) for name in ("layer", "type")),
    Column("output", "shape"),
    *(Column(name, "c") for name in ("input\nbits", "weight\nbits")),
    *(Column(name, "n") for name in ("parameters", "size", "float\nMACs", "binary\nMACs")),
)


def blocks(facts: Facts) -> list[Block]:
    counts = facts.counts
    if not counts:
        return [Absent("No layer table: the network could not be built from recipe.json.")]
    binary, parameters = counts.binary_weights, counts.parameters
    macs = counts.binary_macs + counts.full_precision_macs
    intro = (
        "A binary weight takes 1 bit, any other parameter 32. Operations are multiply-accumulates of one "
        f"image: f = {short(counts.full_precision_macs)} in full precision, b = {short(counts.binary_macs)} binary, "
        f"f + b/32 = {short(counts.operations)}. Layers without parameters and without products are left out."
    )
    shares = [
        _share("Parameters", binary, parameters, short),
        _share("Bytes", binary / 8, counts.size_bytes, size),
        _share("Multiply-accumulates", counts.binary_macs, macs, short),
    ]
    rows = [
        Row(
            (
                layer.name,
                layer.type,
                " × ".join(str(n) for n in layer.output_shape),
                str(layer.input_bits or "–"),
                str(layer.weight_bits or "–"),
                *_numbers(layer),
            ),
            "binary" if layer.binary_weights > 0 else "",
        )
        for layer in counts.layers
        if layer.parameters or layer.binary_macs or layer.full_precision_macs
    ]
    return [
        Intro(intro),
        Bars(shares, whole=True),
        Key([("binary", "binary"), ("rest", "full precision")]),
        Table("Layers", _COLUMNS, rows, total=("all layers", *_numbers(counts))),
    ]


def _numbers(layer: Any) -> tuple[str, ...]:
    """The last columns, of a layer or of all of them."""
    return (
        f"{layer.parameters:,}",
        size(layer.size_bytes),
        short(layer.full_precision_macs) if layer.full_precision_macs else "–",
        short(layer.binary_macs) if layer.binary_macs else "–",
    )


def _share(name: str, part: float, whole: float, unit: Any) -> Bar:
    share = part / whole if whole else 0.0
    return Bar(name, f"{percent(share)} of {unit(whole)} binary", share)
