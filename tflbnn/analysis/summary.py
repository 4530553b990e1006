"""What a network, a recipe, a run folder or a model file costs, and how that compares with what was published."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflbnn import networks
from tflbnn.analysis.counts import Counts
from tflbnn.analysis.summary_table import Published, Summary
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError, nearest
from tflbnn.networks import Figure
from tflbnn.recipes import Data, Network, Recipe

# The fields of a binarization that decide a network's size.
_DECIDE_SIZE = ("input_quantizer", "kernel_quantizer", "first", "last", "downsampling")
_SMALL_IMAGES = ((32, 32, 3), 10)


def summarize(
    target: str,
    overrides: Mapping[str, str] | None = None,
    input_shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    convert: bool = False,
) -> Summary:
    """Counts what `target` names: a .tflite file, a run folder, a network or a recipe, looked for in this order.

    Args:
        overrides: key=value of a network's knobs or its binarization, or of any field of a recipe.
        input_shape, classes: of a network or recipe; by default what its figure was published for, what the
            recipe's data set has, or 32×32×3 and 10.
        convert: also convert a network or a recipe, for the length of its file.

    Raises:
        UserError: there is no such thing, it cannot have these settings, or it cannot be converted.

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
        return _of_run(path, convert) if path.is_dir() else _of_file(path)
    if target in networks.NAMES:
        return _of_network(target, overrides, input_shape, classes, convert)
    from tflbnn import recipes

    if target in recipes.NAMES:
        recipe = recipes.get(target).override(overrides)
        facts_shape, facts_classes = _facts(recipe.data.name)
        return _of_recipe("recipe", target, recipe, input_shape or facts_shape, classes or facts_classes, convert)
    cure = nearest(target, [*networks.NAMES, *recipes.NAMES])
    raise UserError(
        f"There is no network, recipe, run folder or file '{target}'. "
        f"{cure if cure.startswith('Did') else 'See: tflbnn list'}"
    )


def _of_network(
    name: str,
    overrides: Mapping[str, str],
    input_shape: tuple[int, int, int] | None,
    classes: int | None,
    convert: bool,
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
    return _of_recipe("network", name, changed, input_shape or default_shape, classes or default_classes, convert)


def _of_recipe(
    kind: str,
    name: str,
    recipe: Recipe,
    input_shape: tuple[int, int, int],
    classes: int,
    convert: bool,
    file_bytes: int | None = None,
) -> Summary:
    from tflbnn.analysis.counts import counts

    model = recipe.network.build(input_shape, classes, recipe.binarization)
    counted = counts(model)
    if convert and file_bytes is None:
        from tflbnn.analysis.flatbuffer import flatbuffer_bytes

        file_bytes = flatbuffer_bytes(model)
    figure = _published(recipe)
    if figure and (figure.input_shape, figure.classes) != (tuple(input_shape), classes):
        figure = None
    summary = _summary(name, kind, tuple(input_shape), classes, counted, file_bytes, figure)
    return summary if kind == "network" else dataclasses.replace(summary, optimizers=_optimizers(recipe, model))


def _optimizers(recipe: Recipe, model: Any) -> str:
    """Which optimizer trains which weights, by the predicate that training uses."""
    from tflbnn.training.optimizers import binary_kernels

    chosen = recipe.optimizer
    if chosen.binary == "same":
        return f"{chosen.name} of everything"
    kernels = binary_kernels(model)
    weights = sum(kernel.shape.num_elements() for kernel in kernels)
    return f"{chosen.binary} of {len(kernels)} binary kernels ({weights:,} weights), {chosen.name} of everything else"


def _of_run(path: Path, convert: bool) -> Summary:
    from tflbnn.training.run import Run

    run = Run.open(path)
    shape = run.input_shape if run.finished else _facts(run.recipe.data.name)[0]
    exported = run.model_tflite.stat().st_size if run.model_tflite.is_file() else None
    return _of_recipe("run", str(path), run.recipe, shape, len(run.labels), convert, exported)


def _of_file(path: Path) -> Summary:
    from tflbnn._files import readable_errors
    from tflbnn.analysis.counts_tflite import counts_tflite, input_shape, stored_as_floats
    from tflbnn.runtime.check import check_model, naming

    with readable_errors("read the model", path):
        content = path.read_bytes()
    with naming(path):
        check_model(content)
    counted = counts_tflite(content)
    summary = _summary(str(path), "model file", input_shape(content), None, counted, len(content))
    return dataclasses.replace(summary, stored_as_floats=stored_as_floats(counted.layers))


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
    return Summary(
        name=name,
        kind=kind,
        input_shape=input_shape,
        classes=classes,
        file_bytes=file_bytes,
        stored_as_floats=0,
        paper=figure and _beside(figure, counted),
        **totals,
    )


def _beside(figure: Figure, counted: Counts) -> Published:
    def difference(ours: int, theirs: float | None) -> float | None:
        return None if theirs is None else (ours / theirs - 1) * 100

    parameters = counted.parameters + figure.moving_statistics * counted.moving_statistics
    return Published(
        source=figure.source,
        size=None if figure.size is None else f"{figure.size:g} {figure.unit}",
        size_bytes=figure.size_bytes,
        difference=difference(counted.size_bytes, figure.size_bytes),
        parameters=figure.parameters,
        moving_statistics=figure.moving_statistics,
        parameters_difference=difference(parameters, figure.parameters),
        top1=figure.top1,
        data=figure.data,
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
