"""The float weights behind the bits over the epochs of a training (BNN+ figure 1): where they gather, and when."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tflbnn.analysis.visualize import drawing
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.training import Run

LAYERS = 8
BINS = 80
# Of all weights, what the picture shows: single ones far out would leave no room for the others.
SHOWN = 0.995


def histories(logs: Path) -> dict[str, NDArray[np.float64]]:
    """The histograms of each layer's float weights, from a run's logs: layer -> (epochs, bins, 3), of each bin the left
    edge, the right edge and the number of weights.

    Raises:
        UserError: there are none.
    """
    from tensorboard.backend.event_processing.event_accumulator import TENSORS, EventAccumulator
    from tensorboard.util import tensor_util

    folder = logs / "binary"
    if not folder.is_dir():
        raise UserError(
            f"Histograms of binary weights are written while a binary network trains. Received: no {folder}."
        )
    events = EventAccumulator(str(folder), size_guidance={TENSORS: 0}).Reload()
    found = {}
    for tag in events.Tags()["tensors"]:
        if tag.startswith("weights/"):
            # What was trained again after an interruption is there twice: the later one counts.
            steps = {event.step: tensor_util.make_ndarray(event.tensor_proto) for event in events.Tensors(tag)}
            found[tag.removeprefix("weights/")] = np.stack([steps[step] for step in sorted(steps)])
    if not found:
        raise UserError(
            f"The logs of a binary training hold histograms of its weights. Received: {folder} without any."
        )
    return found


def densities(history: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Histograms on other bins: the share of the weights in each, (epochs, len(edges) - 1).

    Within a bin, weights are taken to lie evenly.

    >>> densities(np.array([[[0.0, 2.0, 10.0], [2.0, 3.0, 30.0]]]), np.array([0.0, 1.0, 3.0])).round(3).tolist()
    [[0.125, 0.875]]
    """
    shares = []
    for bins in history:
        left, right, count = bins.T
        corners = np.append(left, right[-1])
        below = np.append(0.0, np.cumsum(count))
        corners = np.maximum.accumulate(corners + np.arange(len(corners)) * 1e-12)  # equal weights: bins of no width
        total = below[-1] or 1.0
        shares.append(np.diff(np.interp(edges, corners, below, left=0.0, right=below[-1])) / total)
    return np.array(shares)


def weight_histograms(run: Run, layers: tuple[str, ...] = ()) -> drawing.Drawing:
    """The float weights of binary layers over the epochs, a picture a layer: the darker, the more of them.

    Args:
        run: a run of a binary network, finished or not.
        layers: their names; up to 8, from the first to the last, when left out.

    Raises:
        UserError: the run has no such histograms.
    """
    found = histories(run.path / "logs")
    for name in layers:
        if name not in found:
            raise UserError(f"There are histograms of {', '.join(found)}. Received: {name}.")
    if not layers:
        names = list(found)
        layers = tuple(names[index] for index in sorted({*np.linspace(0, len(names) - 1, LAYERS).round().astype(int)}))
    rows = drawing.rows_of(layers, 4)
    figure = drawing.new(10, 0.3 + 2.3 * len(rows))
    grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    clip = run.recipe.binarization.t_clip
    for axes, name in zip(grid.flat, layers, strict=False):
        axes.axis("on")
        history = found[name]
        reach = _reach(history)
        shares = densities(history, np.linspace(-reach, reach, BINS + 1))
        extent = (-reach, reach, len(history) + 0.5, 0.5)
        axes.imshow(np.sqrt(shares), aspect="auto", extent=extent, cmap="Blues", interpolation="nearest")
        for side in (-clip, clip):
            if abs(side) < reach:
                axes.axvline(side, color=drawing.COLOURS[1], linewidth=0.8, linestyle="--")
        drawing.graph(axes, "weight", "epoch", name)
        axes.title.set_fontsize(7.5)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.grid(visible=False)
    title = "Weights over the training"
    caption = f"""The float weights whose signs are the bits of {run.recipe.network.name}, an epoch a row from the
        top: the darker, the larger the share of the weights there. A weight near zero still changes its sign
        easily; dashed lines are ±t_clip, {clip:g}. {1 - SHOWN:.1%} of the weights lie farther out than shown."""
    return drawing.Drawing.of(figure, "weights", title, caption)


def _reach(history: NDArray[np.float64]) -> float:
    """Within ± of it lie most of the weights of all epochs."""
    far = np.abs(history[..., :2]).max(axis=2).ravel()
    count = history[..., 2].ravel()
    order = np.argsort(far)
    place = np.searchsorted(np.cumsum(count[order]), SHOWN * count.sum())
    return float(far[order][min(place, len(far) - 1)]) or 1.0
