"""Pictures as PNG files that say what they show: title and caption stand in the file's own text fields."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tflbnn._files import atomic_write, readable_errors
from tflbnn.errors import UserError
from tflbnn.runtime.image import decode

LARGEST_FILE = 16 * 2**20

MUTED = "#5f6b76"
GRID = "#e3e6e9"
COLOURS = ("#1d5fd1", "#c2410c", "#228833", "#aa3377", "#999933", "#4477aa")
DOTS_PER_INCH = 150


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A picture: its file's name without the ending, a title, a caption, and the PNG itself."""

    name: str
    title: str
    caption: str
    png: bytes

    @classmethod
    def of(cls, figure: Figure, name: str, title: str, caption: str) -> Drawing:
        """The figure, rendered; the caption in one paragraph."""
        buffer = io.BytesIO()
        caption = " ".join(caption.split())
        # None leaves out what changes from day to day or with matplotlib's version: equal pictures are equal files.
        metadata = {"Title": title, "Description": caption, "Software": None}
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata=metadata)
        return cls(name, title, caption, buffer.getvalue())

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Writes NAME.png into the folder.

        Raises:
            UserError: it cannot be written.
        """
        path = Path(folder) / f"{self.name}.png"
        atomic_write(path, self.png)
        return path

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Drawing:
        """A picture that `write` wrote.

        Raises:
            UserError: it cannot be read, or is no whole PNG of at most 16 MiB.
        """
        path = Path(path)
        with readable_errors("read the picture", path):
            size = path.stat().st_size
            if size > LARGEST_FILE:
                raise UserError(f"A picture may have 16 MiB. Received: {path} with {size / 2**20:.0f} MiB. Delete it.")
            content = path.read_bytes()
        if not content.startswith(b"\x89PNG"):
            raise UserError(f"A picture of a run must be a PNG file. Received: {path}, which is none. Delete it.")
        text = decode(content, str(path)).info
        return cls(path.stem, str(text.get("Title", path.stem)), str(text.get("Description", "")), content)


def new(width: float, height: float) -> Figure:
    """An empty figure of that size in inches; needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panel(axes: Axes, pixels: NDArray[Any], title: str = "", **options: Any) -> Any:
    """A picture without axes: (height, width), or with 1 or 3 channels; pixels stay squares."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2 and pixels.dtype == np.uint8:
        options = {"cmap": "gray", "vmin": 0, "vmax": 255, **options}
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#c9d0da")
        spine.set_linewidth(0.6)
    if title:
        axes.set_title(title, fontsize=8)
    return axes.imshow(pixels, interpolation="nearest", **options)


def graph(axes: Axes, x_label: str, y_label: str, title: str = "") -> None:
    """The look of axes with lines or points."""
    axes.set_xlabel(x_label, fontsize=9)
    axes.set_ylabel(y_label, fontsize=9)
    if title:
        axes.set_title(title, loc="left", fontsize=10)
    axes.grid(color=GRID, linewidth=0.7, zorder=0)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=MUTED, labelsize=8)


def mosaic(planes: NDArray[Any], columns: int) -> NDArray[np.float64]:
    """Pictures (height, width, number) in rows of so many, NaN between them, which is drawn in no colour.

    >>> mosaic(np.ones((1, 2, 2)), 2).tolist()
    [[1.0, 1.0, nan, 1.0, 1.0]]
    """
    height, width, number = planes.shape
    gap = max(1, width // 12)
    rows = -(-number // columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for index in range(number):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        whole[top : top + height, left : left + width] = planes[..., index]
    return whole


def rows_of(items: Sequence[Any], length: int) -> list[list[Any]]:
    """The items in rows of at most so many.

    >>> rows_of([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [list(items[start : start + length]) for start in range(0, len(items), length)]
