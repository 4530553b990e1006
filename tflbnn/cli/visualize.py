"""tflbnn visualize: pictures of what a network learned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn.analysis.visualize.drawing import Drawing

app = typer.Typer(
    no_args_is_help=True,
    help="Pictures of what a network learned, as PNG files and in the report.",
    short_help="Pictures of what a network learned, as PNG files and in the report.",
)

_RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.", show_default=False)]
_Images = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[IMAGE]...",
        help="PNG or JPEG files, resized where needed; by default the first test images of different classes.",
        show_default=False,
    ),
]
_Beside = Annotated[
    list[Path] | None,
    typer.Option(help="Another run to show beside, such as the float twin; several times.", show_default=False),
]
_Out = Annotated[
    Path | None, typer.Option("--out", help="The folder to write; by default RUN/figures.", show_default=False)
]
_Data = Annotated[Path | None, typer.Option(help="A folder with the data set's files.", show_default=False)]
_Layer = Annotated[str, typer.Option(help="The layer's name; see: tflbnn summary RUN", show_default=False)]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A picture that was written."""

    path: str
    title: str
    caption: str


@dataclasses.dataclass(frozen=True)
class Figures:
    """The pictures of one call."""

    figures: list[Figure]

    def render(self, console: Console) -> None:
        from rich.markup import escape

        for figure in self.figures:
            console.print(f"[bold]{escape(figure.title)}[/]", soft_wrap=True)
            console.print(escape(figure.caption), soft_wrap=True)
            console.print(f"[dim]{escape(figure.path)}[/]", soft_wrap=True)
            console.print()


def _make(out: Path, draw: Callable[[Callable[[str], None]], list[Drawing]]) -> Figures:
    """Draws with TensorFlow's remarks kept away and a spinner instead, then writes."""
    from tflbnn.cli._quiet import quiet_status

    with quiet_status("opening the run") as progress:
        drawings = draw(progress)
        return Figures([Figure(str(drawing.write(out)), drawing.title, drawing.caption) for drawing in drawings])


def _opened(run: Path, beside: list[Path] | None = None) -> list[Any]:
    from tflbnn.training import Run

    return [Run.open(path) for path in (run, *(beside or []))]


def _folder(run: Path, out: Path | None) -> Path:
    from tflbnn.analysis.visualize import FOLDER

    return out or run / FOLDER


@app.command("deepdream")
@_command
def deepdream(
    run: _RunArgument,
    image: Annotated[
        Path | None, typer.Argument(metavar="[IMAGE]", help="A picture to start from.", show_default=False)
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            help="class:K, layer:NAME, filter:NAME:K or neuron:NAME:ROW,COLUMN,K; several times.", show_default=False
        ),
    ] = None,
    beside: _Beside = None,
    size: Annotated[
        int | None, typer.Option(min=8, max=2048, help="Pixels a side; by default the network's.", show_default=False)
    ] = None,
    octaves: Annotated[int, typer.Option(min=1, max=12, help="Sizes, from coarse to fine.")] = 4,
    steps: Annotated[int, typer.Option(min=1, max=10_000, help="Of each octave.")] = 32,
    jitter: Annotated[int, typer.Option(min=0, max=64, help="Pixels that the image is moved by at most.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise and the jitter.")] = 0,
    out: _Out = None,
) -> Figures:
    """The images that classes, layers, filters or neurons answer to most (LTB figure 5)."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize import dreams
        from tflbnn.analysis.visualize.objectives import Objective
        from tflbnn.analysis.visualize.subject import Subject
        from tflbnn.runtime.image import fit, read

        chosen = [Objective.parse(text) for text in objective or []]
        subjects = [Subject.of(opened) for opened in _opened(run, beside)]
        start = fit(read(image), *subjects[0].shape) if image else None
        options = {"size": size, "octaves": octaves, "steps": steps, "jitter": jitter, "seed": seed}
        return [dreams.draw(subjects, chosen, start, progress, **options)]

    return _make(_folder(run, out), draw)


@app.command("visualbackprop")
@_command
def visualbackprop(
    run: _RunArgument, images: _Images = None, beside: _Beside = None, data_dir: _Data = None, out: _Out = None
) -> Figures:
    """Which pixels a prediction comes from: image, map, both together (LTB figure 6)."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize import visualbackprop as method
        from tflbnn.analysis.visualize.subject import Subject, images_for

        runs = _opened(run, beside)
        subjects = [Subject.of(opened) for opened in runs]
        progress("reading images")
        return [method.draw(subjects, *images_for(subjects[0], images or [], runs[0], data_dir))]

    return _make(_folder(run, out), draw)


@app.command("features")
@_command
def features(
    run: _RunArgument,
    images: _Images = None,
    layer: Annotated[
        list[str] | None, typer.Option(help="A layer's name, several times; by default up to 8.", show_default=False)
    ] = None,
    data_dir: _Data = None,
    out: _Out = None,
) -> Figures:
    """What the layers give for an image, channel by channel."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize.feature_maps import feature_maps

        subject, pixels = _first_image(run, images, data_dir)
        return [feature_maps(subject, pixels[0], layer or ())]

    return _make(_folder(run, out), draw)


@app.command("bits")
@_command
def bits(
    run: _RunArgument, images: _Images = None, layer: _Layer = "", data_dir: _Data = None, out: _Out = None
) -> Figures:
    """The packed bits that a binary convolution reads for an image, plane by plane."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize.feature_maps import bit_planes

        subject, pixels = _first_image(run, images, data_dir)
        return [bit_planes(subject, pixels[0], layer)]

    return _make(_folder(run, out), draw)


@app.command("scaling")
@_command
def scaling(
    run: _RunArgument, images: _Images = None, layer: _Layer = "", data_dir: _Data = None, out: _Out = None
) -> Figures:
    """That BatchNorm absorbs what scaling adds to binary products (BDN figure 2)."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize import scaling as method

        return [method.scaling(*_first_image(run, images, data_dir), layer)]

    return _make(_folder(run, out), draw)


@app.command("weights")
@_command
def weights(
    run: _RunArgument,
    layer: Annotated[
        list[str] | None, typer.Option(help="A layer's name, several times; by default up to 8.", show_default=False)
    ] = None,
    out: _Out = None,
) -> Figures:
    """The float weights behind the bits, over the epochs of the training (BNN+ figure 1)."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize.weights import weight_histograms

        return [weight_histograms(_opened(run)[0], tuple(layer or ()))]

    return _make(_folder(run, out), draw)


def _first_image(run: Path, images: list[Path] | None, data_dir: Path | None) -> tuple[Any, Any]:
    from tflbnn.analysis.visualize.subject import Subject, images_for

    opened = _opened(run)[0]
    subject = Subject.of(opened)
    return subject, images_for(subject, images or [], opened, data_dir)[0]


_Runs = Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.", show_default=False)]


@app.command("sweep")
@_command
def sweep(runs: _Runs, out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("figures")) -> Figures:
    """Accuracy of runs against their t_clip and their scaling (LTB figure 4)."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize.sweep import Trained
        from tflbnn.analysis.visualize.sweep import sweep as method

        opened = _opened(runs[0], runs[1:])
        what = ", ".join(dict.fromkeys(f"{one.recipe.network.name} on {one.recipe.data.name}" for one in opened))
        return [method([Trained.of(one) for one in opened], what)]

    return _make(out, draw)


@app.command("tradeoff")
@_command
def tradeoff(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]...", help="Run folders; without, what is published.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("figures"),
) -> Figures:
    """Accuracy against operations: of runs, or of every network as published on ImageNet (BDN figure 4)."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize import tradeoff as method

        if not runs:
            return [method.tradeoff(method.published(), "networks with the accuracy published on ImageNet")]
        points = [method.of_run(opened) for opened in _opened(runs[0], runs[1:])]
        return [method.tradeoff(points, "runs, with the accuracy of their tests")]

    return _make(out, draw)


@app.command("all")
@_command
def everything(run: _RunArgument, beside: _Beside = None, data_dir: _Data = None, out: _Out = None) -> Figures:
    """Every picture of one run; those that it cannot have are left out."""

    def draw(progress: Callable[[str], None]) -> list[Drawing]:
        from tflbnn.analysis.visualize.everything import everything as method

        runs = _opened(run, beside)
        return method(runs[0], runs[1:], data_dir, progress)

    return _make(_folder(run, out), draw)
