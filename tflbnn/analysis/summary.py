"""What a network, a recipe, a run folder or a model file costs, and how that compares with what was published."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn import networks
from tflbnn.analysis.counts import Counts, LayerCounts
from tflbnn.analysis.units import short, size
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError, nearest
from tflbnn.networks import Figure
from tflbnn.recipes import Data, Network, Recipe

if TYPE_CHECKING:
    from rich.console import Console

# The fields of a binarization that decide a network's size.
_DECIDE_SIZE = ("input_quantizer", "kernel_quantizer", "first", "last", "downsampling")
_SMALL_IMAGES = ((32, 32, 3), 10)


@dataclasses.dataclass(frozen=True)
class Published:
    """A paper's figure for the very network that was counted; `difference` is ours less theirs, in % of theirs."""

    source: str
    size: str | None
    size_bytes: float | None
    difference: float | None
    top1: float | None
    data: str | None


@dataclasses.dataclass(frozen=True)
class Summary:
    """The counts of one network. See `tflbnn.analysis.counts` for what is counted and how.

    Attributes:
        kind: "network", "recipe", "run" or "model file".
        classes: None for a model file, which may have outputs of any kind.
        file_bytes: the length of a model file.
        paper: None where nothing is published for these settings.
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
    paper: Published | None
    layers: tuple[LayerCounts, ...]

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
            if self.file_bytes is not None:  # network/layer/operation;what was fused into it
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
            console.print(
                f"            and {self.moving_statistics:,} moving statistics, which conversion folds: not counted"
            )
        console.print(f"size        {size(self.size_bytes)} at 1 bit a binary weight, 32 bits any other parameter")
        if self.file_bytes is not None:
            console.print(f"file        {size(self.file_bytes)}, with the graph and its metadata")
        if self.paper:
            paper = self.paper
            parts = [paper.source]
            if paper.size is not None:
                parts = [f"{paper.size} ({paper.source}): ours differs by [bold]{paper.difference:+.1f} %[/]"]
            if paper.top1 is not None:
                parts.append(f"published accuracy {paper.top1:g} % on {paper.data}")
            console.print(f"paper       {'; '.join(parts)}")


def _macs(layer: LayerCounts) -> tuple[int, int]:
    return layer.full_precision_macs, layer.binary_macs


def summarize(
    target: str,
    overrides: Mapping[str, str] | None = None,
    input_shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
) -> Summary:
    """Counts what `target` names: a .tflite file, a run folder, a network or a recipe, looked for in this order.

    Args:
        overrides: key=value of a network's knobs or its binarization, or of any field of a recipe.
        input_shape, classes: of a network or recipe; by default what its figure was published for, what the
            recipe's data set has, or 32×32×3 and 10.

    Raises:
        UserError: there is no such thing, or it cannot have these settings.

    >>> summarize("binary_densenet28").paper.size
    '4 MiB'
    """
    overrides = dict(overrides or {})
    path = Path(target)
    if path.is_file() or path.is_dir():
        if overrides or input_shape or classes:
            raise UserError(
                f"Only a network or a recipe can be changed. Received: {target} with other settings. "
                "Name the network, or leave them out."
            )
        return _of_run(path) if path.is_dir() else _of_file(path)
    if target in networks.NAMES:
        return _of_network(target, overrides, input_shape, classes)
    from tflbnn import recipes

    if target in recipes.NAMES:
        recipe = recipes.get(target).override(overrides)
        facts_shape, facts_classes = _facts(recipe.data.name)
        return _of_recipe("recipe", target, recipe, input_shape or facts_shape, classes or facts_classes)
    cure = nearest(target, [*networks.NAMES, *recipes.NAMES])
    raise UserError(
        f"There is no network, recipe, run folder or file '{target}'. "
        f"{cure if cure.startswith('Did') else 'See: tflbnn list'}"
    )


def _of_network(
    name: str, overrides: Mapping[str, str], input_shape: tuple[int, int, int] | None, classes: int | None
) -> Summary:
    # A recipe knows how to read key=value for every field; the data set is not used.
    binarization = inspect.signature(networks.get(name)).parameters["binarization"].default
    recipe = Recipe(
        name=name, summary="", paper="", network=Network(name), binarization=binarization, data=Data("digits")
    )
    changed = recipe.override(overrides)
    if dataclasses.replace(recipe, network=changed.network, binarization=changed.binarization) != changed:
        raise UserError(
            f"A network has its own knobs and its binarization's. Received: {', '.join(overrides)}. "
            "Give a recipe's name to change other fields."
        )
    figure = _published(changed)
    default_shape, default_classes = (figure.input_shape, figure.classes) if figure else _SMALL_IMAGES
    return _of_recipe("network", name, changed, input_shape or default_shape, classes or default_classes)


def _of_recipe(kind: str, name: str, recipe: Recipe, input_shape: tuple[int, int, int], classes: int) -> Summary:
    from tflbnn.analysis.counts import counts

    counted = counts(recipe.network.build(input_shape, classes, recipe.binarization))
    figure = _published(recipe)
    if figure and (figure.input_shape, figure.classes) != (tuple(input_shape), classes):
        figure = None
    return _summary(name, kind, tuple(input_shape), classes, counted, figure=figure)


def _of_run(path: Path) -> Summary:
    from tflbnn.training.run import Run

    run = Run.open(path)
    shape = run.input_shape if run.finished else _facts(run.recipe.data.name)[0]
    return _of_recipe("run", str(path), run.recipe, shape, len(run.labels))


def _of_file(path: Path) -> Summary:
    from tflbnn._files import readable_errors
    from tflbnn.analysis.counts_tflite import counts_tflite, input_shape
    from tflbnn.runtime.check import check_model, naming

    with readable_errors("read the model", path):
        content = path.read_bytes()
    with naming(path):
        check_model(content)
    return _summary(str(path), "model file", input_shape(content), None, counts_tflite(content), len(content))


def _summary(
    name: str,
    kind: str,
    input_shape: tuple[int, ...],
    classes: int | None,
    counted: Counts,
    file_bytes: int | None = None,
    figure: Figure | None = None,
) -> Summary:
    totals = {field.name: getattr(counted, field.name) for field in dataclasses.fields(Counts)}
    paper = figure and Published(
        source=figure.source,
        size=None if figure.size is None else f"{figure.size:g} {figure.unit}",
        size_bytes=figure.size_bytes,
        difference=None if figure.size is None else (counted.size_bytes / figure.size_bytes - 1) * 100,
        top1=figure.top1,
        data=figure.data,
    )
    return Summary(
        name=name, kind=kind, input_shape=input_shape, classes=classes, file_bytes=file_bytes, paper=paper, **totals
    )


def _published(recipe: Recipe) -> Figure | None:
    """The paper's figure for a network with these knobs and this binarization."""
    parameters = inspect.signature(networks.get(recipe.network.name)).parameters
    defaults = {name: p.default for name, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
    for figure in networks.figures(recipe.network.name):
        published = Binarization(**figure.binarization)
        same_knobs = {**defaults, **recipe.network.knobs} == {**defaults, **figure.knobs}
        if same_knobs and all(getattr(recipe.binarization, f) == getattr(published, f) for f in _DECIDE_SIZE):
            return figure
    return None


def _facts(data: str) -> tuple[tuple[int, int, int], int]:
    """Image shape and classes of a data set, without reading its images."""
    from tflbnn import data as datasets

    row = next(row for row in datasets.table() if row["dataset"] == data)
    height, width, channels = map(int, row["size"].split("×"))
    return (height, width, channels), int(row["classes"])
