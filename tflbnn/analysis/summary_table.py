"""What a network costs, as data and as a table for a terminal."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tflbnn.analysis.counts import LayerCounts
from tflbnn.analysis.units import short, size

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Published:
    """A paper's figure for the very network that was counted.

    Attributes:
        difference, parameters_difference: ours less theirs, in % of theirs.
        parameters: with moving statistics where `moving_statistics`.
    """

    source: str
    size: str | None
    size_bytes: float | None
    difference: float | None
    parameters: int | None
    moving_statistics: bool
    parameters_difference: float | None
    top1: float | None
    data: str | None

    def __str__(self) -> str:
        parts = [self.source]
        if self.size is not None:
            parts.append(f"{self.size}: ours differs by {self.difference:+.1f} %")
        if self.parameters is not None:
            statistics = " with moving statistics" if self.moving_statistics else ""
            difference = (
                f"ours differs by {self.parameters_difference:+.2f} %" if self.parameters_difference else "as ours"
            )
            parts.append(f"{self.parameters:,} parameters{statistics}: {difference}")
        if self.top1 is not None:
            parts.append(f"published accuracy {self.top1:g} % on {self.data}")
        return "; ".join(parts)


@dataclasses.dataclass(frozen=True)
class Summary:
    """The counts of one network. See `tflbnn.analysis.counts` for what is counted and how.

    Attributes:
        kind: "network", "recipe", "run" or "model file".
        classes: None for a model file, which may have outputs of any kind.
        file_bytes: the length of a model file, of a run's if it has been exported, or of the one that a network or
            recipe would become if that was asked for.
        stored_as_floats: binary weights that a model file has as floats, since the runtime has no operator for bits
            there; they count as binary all the same, as do their operations.
        paper: None where nothing is published for these settings.
        optimizers: of a recipe or a run, what trains which of its weights.
    """

    name: str
    kind: str
    input_shape: tuple[int, ...]
    classes: int | None
    parameters: int
    moving_statistics: int
    binary_weights: int
    size_bytes: int
    full_precision_macs: int
    binary_macs: int
    operations: float
    file_bytes: int | None
    stored_as_floats: int
    paper: Published | None
    layers: tuple[LayerCounts, ...]
    optimizers: str = ""

    def render(self, console: Console) -> None:
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        shape = "×".join(map(str, self.input_shape))
        classes = f", {self.classes} classes" if self.classes else ""
        wide = console.width >= 100
        table = Table(
            title=f"[bold]{escape(self.name)}[/]  {self.kind}, {shape}{classes}",
            title_justify="left",
            title_style="",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 2 if wide else 1, 0, 0),
            show_footer=True,
        )
        table.add_column("layer", "total", overflow="ellipsis")  # the only one to give way
        if wide:
            table.add_column("type", no_wrap=True)
        table.add_column("output", justify="right", no_wrap=True)
        table.add_column("bits", justify="right", no_wrap=True)
        table.add_column("parameters", f"{self.parameters:,}", justify="right", no_wrap=True)
        table.add_column("size", size(self.size_bytes), justify="right", no_wrap=True)
        table.add_column("f", short(self.full_precision_macs), justify="right", no_wrap=True)
        table.add_column("b", short(self.binary_macs), justify="right", no_wrap=True)
        for layer in self.layers:
            if not (layer.parameters or layer.full_precision_macs or layer.binary_macs):
                continue
            bits = f"{layer.input_bits}×{layer.weight_bits}" if layer.input_bits else ""
            name = layer.name
            if self.kind == "model file":  # network/layer/operation;what was fused into it
                name = name.partition(";")[0]
                name = name.partition("/")[2] or name
            cells = [escape(name), *([layer.type] if wide else [])]
            cells += ["×".join(str(side or "?") for side in layer.output_shape), bits, f"{layer.parameters:,}"]
            cells += [size(layer.size_bytes), *(short(n) if n else "" for n in _macs(layer))]
            table.add_row(*cells, style="cyan" if layer.binary_macs else "")
        console.print(table)
        console.print("bits: of an input × of a weight. f, b: multiply-accumulates in full precision and binary.")
        console.print(f"operations  {short(self.operations)} = f + b/32")
        binary = 100 * self.binary_weights / max(1, self.parameters)
        console.print(f"parameters  {self.parameters:,}, of which {self.binary_weights:,} binary ({binary:.1f} %)")
        if self.moving_statistics:
            total = self.parameters + self.moving_statistics
            console.print(f"            {total:,} with the moving statistics, which conversion folds")
        console.print(f"size        {size(self.size_bytes)} at 1 bit a binary weight, 32 bits any other parameter")
        if self.file_bytes is not None:
            console.print(f"file        {size(self.file_bytes)}, with the graph and its metadata")
        if self.stored_as_floats:
            console.print(
                f"            {self.stored_as_floats:,} of the binary weights are floats in it: "
                "no binary operator takes them"
            )
        if self.optimizers:
            console.print(f"optimizer   {self.optimizers}")
        if self.paper:
            console.print(f"paper       {self.paper}", markup=False)


def _macs(layer: LayerCounts) -> tuple[int, int]:
    return layer.full_precision_macs, layer.binary_macs
