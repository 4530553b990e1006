"""tflbnn predict: what a model sees in images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command
from tflbnn.cli._detections import Found, picture_path, search

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.console import Console

    from tflbnn.runtime import Model

BAR = 30


@dataclasses.dataclass(frozen=True)
class Guess:
    """One class and how much the model believes in it: a probability where the model ends in a softmax."""

    label: str
    index: int
    score: float


@dataclasses.dataclass(frozen=True)
class Seen:
    """One image; `resized_from` is its (height, width) where that is not what the model's images are brought to.

    `probabilities` tells whether all scores are at least 0 and sum up to 1.
    """

    image: str
    resized_from: tuple[int, int] | None
    probabilities: bool
    top: list[Guess]


@dataclasses.dataclass(frozen=True)
class Predictions:
    """The likeliest classes of every image; of one brought to `resized` the model sees the middle."""

    model: str
    kernel: str
    input_shape: list[int]
    resized: list[int]
    images: list[Seen]

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        for seen in self.images:
            title = f"[bold]{escape(seen.image)}[/]"
            if seen.resized_from:
                title += (
                    f"  [dim]{seen.resized_from[0]}×{seen.resized_from[1]}, resized to "
                    f"{self.resized[0]}×{self.resized[1]} (bilinear, antialiased)"
                )
                if self.resized != self.input_shape[:2]:
                    title += f", the middle {self.input_shape[0]}×{self.input_shape[1]} of it"
                title += "[/]"
            console.print(title)
            table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
            table.add_column(justify="right", overflow="fold")
            table.add_column(justify="right")
            table.add_column()
            for rank, guess in enumerate(seen.top):
                score = f"{guess.score:.1%}" if seen.probabilities else f"{guess.score:.4g}"
                bar = _bar(guess.score) if seen.probabilities else ""
                style = "bold green" if rank == 0 else ""
                table.add_row(escape(guess.label), score, bar, style=style)
            console.print(table)
            console.print()


def _bar(share: float) -> str:
    """A bar of BAR cells, to an eighth of a cell."""
    eighths = round(share * BAR * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _arrays(model: Model, path: Path) -> Iterator[tuple[str, Image | None, tuple[int, int] | None, Any]]:
    """Name, image where there is one, former size where it was another, and prepared batch of one, for each sample in a
    file."""
    from tflbnn.runtime import image as images

    def prepared(name: str, source: Any) -> tuple[str, Image, tuple[int, int] | None, Any]:
        image = images.read(source)
        former = (image.height, image.width)
        return name, image, None if former == model.resized else former, model.preprocess(image)

    if path.suffix.lower() != ".npy":
        yield prepared(str(path), path)
        return
    array = _load_array(path)
    samples = array if array.ndim == len(model.input_shape) else array[None]
    for position, sample in enumerate(samples):
        name = f"{path}[{position}]" if len(samples) > 1 else str(path)
        yield prepared(name, sample) if sample.dtype == "uint8" else (name, None, None, sample[None])


def _load_array(path: Path) -> Any:
    import numpy as np

    from tflbnn._files import readable_errors
    from tflbnn.errors import UserError

    try:
        with readable_errors("read the array", path):
            return np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a false size allocates nothing
    except (ValueError, EOFError) as error:
        raise UserError(f"A .npy file must hold one plain array. Received: {path}, where {error}.") from error


def _see(model: Model, image: str, resized_from: tuple[int, int] | None, scores: Any, top: int) -> Seen:
    from tflbnn.errors import UserError

    if isinstance(scores, dict) or scores.ndim != 2:
        raise UserError(
            "predict needs a model with one output of shape (batch, classes), or TFLite_Detection_PostProcess at its "
            f"end. Received: {model.name}."
        )
    labels = model.labels or [str(index) for index in range(scores.shape[1])]
    if len(labels) != scores.shape[1]:
        raise UserError(
            f"{model.name} must carry a label for each class. Received: {len(labels)} labels for {scores.shape[1]} "
            "classes. Export it again with the right labels."
        )
    # A stable sort: of equal scores the first class wins, as in argmax.
    order = (-scores[0]).argsort(kind="stable")[:top]
    guesses = [Guess(labels[index], int(index), float(scores[0, index])) for index in order]
    probabilities = bool(scores[0].min() >= 0 and abs(scores[0].sum() - 1) < 1e-3)
    return Seen(image, resized_from, probabilities, guesses)


@_command
def command(
    model: Annotated[Path, typer.Argument(help="A .tflite file.", show_default=False)],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="PNG or JPEG files, resized where needed, or .npy arrays: uint8 pixels, or normalized floats.",
            show_default=False,
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.")] = 5,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Of a detector: the least score of an object to show.")
    ] = 0.3,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Of a detector: the picture with boxes, or a folder for several; by default IMAGE.detections.png.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of an inference.")] = 1,
) -> Predictions | Found:
    """What a model sees in images: the likeliest classes, with bars, or the objects, with a picture."""
    from tflbnn.cli._quiet import without_remarks
    from tflbnn.errors import UserError
    from tflbnn.runtime import Model
    from tflbnn.runtime.post_processing import is_detector

    with without_remarks():
        opened = Model(model, threads=threads)
    with opened:
        detector = is_detector(opened.output_specs)
        if out is not None and not detector:
            raise UserError(f"Only a detector draws a picture. Received: --out {out} for {model}. Leave --out out.")
        seen: list[Any] = []
        for path in images:
            for name, image, former, array in _arrays(opened, path):
                outputs = opened.predict(array)
                if detector:
                    several = len(images) > 1 or name != str(path)
                    picture = picture_path(name, out, several)
                    seen.append(search(opened, outputs, name, image, former, threshold, picture))
                else:
                    seen.append(_see(opened, name, former, outputs, top))
    shape = list(opened.input_shape[1:])
    if detector:
        return Found(str(model), opened.kernel or "", shape, threshold, seen)
    return Predictions(str(model), opened.kernel or "", shape, list(opened.resized), seen)
