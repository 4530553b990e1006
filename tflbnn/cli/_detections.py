"""What `tflbnn predict` does with a detector: a table of objects, and a picture with boxes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.console import Console

    from tflbnn.runtime import Model


@dataclasses.dataclass(frozen=True)
class Object:
    """One object; `box` is left, top, right, bottom in pixels of the image, or of the model's input for an array."""

    label: str
    index: int
    score: float
    box: tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class Searched:
    """One image; `resized_from` is its (height, width) where that is not the model's."""

    image: str
    resized_from: tuple[int, int] | None
    picture: str | None
    objects: list[Object]


@dataclasses.dataclass(frozen=True)
class Found:
    """The objects in every image that are likelier than `threshold`."""

    model: str
    kernel: str
    input_shape: list[int]
    threshold: float
    images: list[Searched]

    def render(self, console: Console) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.markup import escape
        from rich.table import Table

        for searched in self.images:
            title = f"[bold]{escape(searched.image)}[/]"
            if searched.resized_from:
                title += (
                    f"  [dim]{searched.resized_from[0]}×{searched.resized_from[1]}, resized to "
                    f"{self.input_shape[0]}×{self.input_shape[1]} (bilinear, antialiased)[/]"
                )
            console.print(title, soft_wrap=True)
            table = Table(box=SIMPLE_HEAD, pad_edge=False)
            table.add_column("object", overflow="fold")
            for column in ("score", "left", "top", "right", "bottom"):
                table.add_column(column, justify="right")
            for found in searched.objects:
                table.add_row(escape(found.label), f"{found.score:.1%}", *map(str, found.box))
            if searched.objects:
                console.print(table)
            else:
                console.print(f"nothing with a score of {self.threshold:g} or more; see --threshold")
            if searched.picture:
                console.print(f"picture  {escape(searched.picture)}", soft_wrap=True)
            console.print()


def search(
    model: Model,
    outputs: Mapping[str, Any],
    name: str,
    image: Image | None,
    resized_from: tuple[int, int] | None,
    threshold: float,
    picture: Path,
) -> Searched:
    """The objects that a model's outputs give for one image, drawn into a picture where there is an image."""
    import numpy as np

    from tflbnn._files import atomic_path
    from tflbnn.detection.draw import draw
    from tflbnn.runtime.post_processing import detections

    found = detections(outputs)
    found = found.take((found.scores >= threshold) & np.isfinite(found.boxes).all(axis=1))
    names = model.labels or []
    labels = [names[index] if 0 <= index < len(names) else str(index) for index in found.classes]
    height, width = (image.height, image.width) if image else model.input_shape[1:3]
    pixels = np.clip(found.boxes, 0, 1) * [height, width, height, width]
    objects = [
        Object(label, int(index), float(score), (round(left), round(top), round(right), round(bottom)))
        for label, index, score, (top, left, bottom, right) in zip(
            labels, found.classes, found.scores, pixels.tolist(), strict=True
        )
    ]
    if image is not None:
        with atomic_path(picture) as temporary:
            draw(image, found, labels).save(temporary, format="PNG")
    return Searched(name, resized_from, str(picture) if image is not None else None, objects)


def picture_path(name: str, out: Path | None, several: bool) -> Path:
    """Where an image's picture goes: beside it, into `out`, a folder, or to `out`, a file, where the image is the only
    one.

    >>> picture_path("photos/dog.jpg", None, False), picture_path("photos/dog.jpg", Path("found"), True)
    (PosixPath('photos/dog.detections.png'), PosixPath('found/dog.detections.png'))
    """
    path = Path(name)
    beside = path.with_name(f"{path.stem}{_suffix(path)}.detections.png")
    if out is None:
        return beside
    return out / beside.name if several or out.is_dir() else out


def _suffix(path: Path) -> str:
    """What tells the samples of an array apart: [3] of "array.npy[3]"."""
    return path.suffix.partition("[")[1] + path.suffix.partition("[")[2]
