"""Every picture of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn.analysis.visualize import dreams, visualbackprop
from tflbnn.analysis.visualize.drawing import Drawing
from tflbnn.analysis.visualize.feature_maps import bit_planes, feature_maps
from tflbnn.analysis.visualize.scaling import scaling
from tflbnn.analysis.visualize.subject import Subject, images_for
from tflbnn.analysis.visualize.weights import weight_histograms

if TYPE_CHECKING:
    from tflbnn.training import Run


def everything(
    run: Run,
    beside: Sequence[Run] = (),
    data_dir: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> list[Drawing]:
    """VisualBackProp and DeepDream beside other runs; feature maps, and of a binary network its bits, its weights and
    what scaling would change.

    Raises:
        UserError: the run is unfinished or damaged, a detector, or its data set cannot be read.
    """
    subjects = [Subject.of(opened) for opened in (run, *beside)]
    subject = subjects[0]
    pixels, names = images_for(subject, (), run, data_dir)
    progress("VisualBackProp")
    drawings = [visualbackprop.draw(subjects, pixels, names), dreams.draw(subjects, progress=progress)]
    progress("feature maps")
    drawings.append(feature_maps(subject, pixels[0]))
    if run.recipe.binarization.is_binary:
        progress("bits and weights")
        drawings += [bit_planes(subject, pixels[0]), weight_histograms(run), scaling(subject, pixels)]
    return drawings
