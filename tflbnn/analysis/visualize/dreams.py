"""DeepDreams of several networks beside each other (LTB figure 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.analysis.visualize import drawing, tensors
from tflbnn.analysis.visualize.deepdream import deep_dream
from tflbnn.analysis.visualize.objectives import Objective
from tflbnn.analysis.visualize.subject import Subject

CLASSES, FILTERS = 3, 1


def usual_objectives(subject: Subject) -> list[Objective]:
    """What is dreamed where nothing is chosen: the first three classes, the last convolution, one of its filters."""
    last = [layer.name for layer in subject.model.layers if isinstance(layer, tensors.CONVOLUTIONS)][-1]
    classes = [Objective("class", "", (number,)) for number in range(min(CLASSES, len(subject.labels)))]
    return [*classes, Objective("layer", last), Objective("filter", last, (0,))]


def draw(
    subjects: Sequence[Subject],
    objectives: Sequence[Objective] = (),
    start: NDArray[np.uint8] | None = None,
    progress: Callable[[str], None] = lambda step: None,
    **options: Any,
) -> drawing.Drawing:
    """A row a network, a column an objective.

    Args:
        subjects: networks beside each other, such as a float network and its binary twins.
        objectives: what to raise; `usual_objectives` of the first network when left out.
        start: the picture to start from, uint8 (height, width, channels), or None for noise.
        progress: called with what happens next.
        options: of `deep_dream`.

    Raises:
        UserError: an objective that one of the networks has not, or a size that it cannot take.
    """
    objectives = list(objectives) or usual_objectives(subjects[0])
    figure = drawing.new(max(4.5, 1.95 * len(objectives)), 0.35 + 2.35 * len(subjects))
    grid = figure.subplots(len(subjects), len(objectives), squeeze=False)
    lowest = np.inf
    for row, subject in zip(grid, subjects, strict=True):
        for axes, objective in zip(row, objectives, strict=True):
            progress(f"dreaming of {objective} with {subject.name}")
            dream = deep_dream(subject.model, objective, subject.normalization, start=start, **options)
            lowest = min(lowest, dream.deviations)
            drawing.panel(axes, dream.pixels, _name(objective, subject))
            text = f"{dream.start:.3g} → {dream.value:.3g}\n{dream.deviations:+.0f} σ of noise"
            axes.set_xlabel(text, fontsize=7, color=drawing.MUTED)
        row[0].set_ylabel(subject.name, fontsize=8)
    begin = "a picture" if start is not None else "grey with faint noise"
    title = "DeepDream: what a network answers to"
    caption = f"""LTB figure 5: images that raise a class, a layer or a filter, by gradient ascent from {begin}.
        Below each, the objective before and after, and how many standard deviations it lies above 100 pictures of
        noise; {lowest:.0f} at least."""
    return drawing.Drawing.of(figure, "deepdream", title, caption)


def _name(objective: Objective, subject: Subject) -> str:
    if objective.kind == "class":
        return f"class {subject.labels[objective.index[0]]}"
    index = " " + ",".join(map(str, objective.index)) if objective.index else ""
    return f"{objective.kind}{index} of\n{objective.layer}"
