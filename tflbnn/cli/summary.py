"""tflbnn summary: layers, bits, size and operations of a network, beside the paper's figure where there is one."""

from __future__ import annotations

from typing import Annotated

import typer

from tflbnn.cli._command import Result
from tflbnn.cli._command import command as _command
from tflbnn.errors import UserError


def _shape(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    sides = text.lower().replace("x", ",").replace("×", ",").split(",")
    if len(sides) != 3 or not all(side.strip().isdecimal() and 1 <= int(side) <= 4096 for side in sides):
        raise UserError(
            f"--input-shape must be height,width,channels, each from 1 to 4096. Received: {text}. "
            "Write for example --input-shape 224,224,3."
        )
    height, width, channels = map(int, sides)
    return height, width, channels


def _overrides(words: list[str] | None) -> dict[str, str]:
    pairs = [word.partition("=") for word in words or []]
    for key, equals, value in pairs:
        if not (key and equals):
            raise UserError(
                f"A setting must be key=value. Received: {key}{equals}{value}. Write for example t_clip=0.5."
            )
    return {key: value for key, _, value in pairs}


@_command
def command(
    target: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK|RECIPE|RUN|MODEL.tflite", help="What to count; see tflbnn list.", show_default=False
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="key=value", help="Fields to change, such as growth_rate=16.", show_default=False),
    ] = None,
    input_shape: Annotated[
        str | None,
        typer.Option(help="height,width,channels; by default as published, or as the data set's.", show_default=False),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(min=2, max=65536, help="By default as published, or as the data set's.", show_default=False),
    ] = None,
    convert: Annotated[
        bool, typer.Option("--convert", help="Also convert a network or recipe, for the size of its file.")
    ] = False,
) -> Result:
    """Layers, bits, size and operations (f + b/32) of a network, beside the paper's figure."""
    shape, overrides = _shape(input_shape), _overrides(settings)

    from tflbnn.analysis.summary import summarize

    if not convert:
        return summarize(target, overrides, shape, classes)
    from tflbnn.cli._quiet import without_remarks

    with without_remarks():
        return summarize(target, overrides, shape, classes, convert)
