"""What the layers of a network make of an image: feature maps, and the bits that a binary convolution reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.analysis.visualize import drawing, tensors
from tflbnn.analysis.visualize.subject import Subject
from tflbnn.errors import UserError
from tflbnn.training.optimizers import is_binary_kernel

CHANNELS = 16  # shown of a layer
WORD = 32  # bits
LAYERS = 8


def feature_maps(subject: Subject, pixels: NDArray[np.uint8], layers: Sequence[str] = ()) -> drawing.Drawing:
    """What layers give for one image: their first 16 channels, a row of pictures a layer.

    Args:
        pixels: (height, width, channels).
        layers: their names; up to 8 convolutions, from the first to the last, when left out.

    Raises:
        UserError: the network has no such layer, or it gives no channels.
    """
    if not layers:
        convolutions = [layer.name for layer in subject.model.layers if isinstance(layer, tensors.CONVOLUTIONS)]
        chosen = np.unique(np.linspace(0, len(convolutions) - 1, min(LAYERS, len(convolutions))).round().astype(int))
        layers = [convolutions[index] for index in chosen]
    outputs = [tensors.find(subject.model, name).get_output_at(0) for name in layers]
    for name, output in zip(layers, outputs, strict=True):
        if output.shape.rank != 4:
            raise UserError(f"A feature map has rows, columns and channels. Received: {name}, {tuple(output.shape)}.")
    values = tensors.values(subject.model, outputs, subject.see(pixels[np.newaxis]))
    figure = drawing.new(10, 0.3 + 0.72 * len(layers))
    grid = figure.subplots(len(layers), 1, squeeze=False)[:, 0]
    for axes, name, value in zip(grid, layers, values, strict=True):
        shape = "×".join(map(str, value.shape[1:]))
        reach = np.abs(value).max() or 1.0
        drawing.panel(axes, drawing.mosaic(value[0, ..., :CHANNELS], CHANNELS), cmap="RdBu_r", vmin=-reach, vmax=reach)
        axes.set_ylabel(f"{name}\n{shape}", rotation=0, ha="right", va="center", fontsize=6.5, color=drawing.MUTED)
        axes.spines[:].set_visible(False)
        axes.set_anchor("W")
    title = f"Feature maps of {subject.name}"
    caption = f"""The first {CHANNELS} channels of what {len(layers)} layers give for one image, each layer on a
        scale of its own: blue is below zero, white zero, red above."""
    return drawing.Drawing.of(figure, "feature-maps", title, caption)


def pack(values: NDArray[np.floating]) -> NDArray[np.uint32]:
    """The signs of values in words of 32 bits, as LceQuantize packs them: bit i of word j is 1 where channel
    32·j + i is below zero; what is left of the last word is 0.

    Shape (..., channels) to (..., ⌈channels / 32⌉).

    >>> pack(np.array([[-1.0, 2.0, -3.0]])).tolist()
    [[5]]
    """
    channels = values.shape[-1]
    padded = np.zeros((*values.shape[:-1], -channels // WORD * -WORD), bool)
    padded[..., :channels] = values < 0
    packed = np.packbits(padded, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u4")


def bit_planes(subject: Subject, pixels: NDArray[np.uint8], layer: str = "") -> drawing.Drawing:
    """The bits that a binary convolution reads for one image, a picture a channel, a block a word of 32.

    Args:
        pixels: (height, width, channels).
        layer: the convolution's name; the network's first binary one when left out.

    Raises:
        UserError: there is no such layer, or its inputs are no bits.
    """
    binary = [found for found, _ in tensors.convolution_inputs(subject.model) if reads_bits(found)]
    if layer:
        binary = [found for found in binary if found is tensors.find(subject.model, layer)]
    if not binary:
        raise UserError(f"Bit planes need a binary convolution. Received: {layer or subject.name}, which is none.")
    value = tensors.values(subject.model, [binary[0].get_input_at(0)], subject.see(pixels[np.newaxis]))[0][0]
    channels = value.shape[-1]
    words = pack(value)
    blocks = min(words.shape[-1], 4)
    figure = drawing.new(9, 0.3 + 0.3 * blocks + 9 * blocks * 4 * value.shape[0] / (WORD // 4 * value.shape[1]) * 0.9)
    for number, axes in enumerate(figure.subplots(blocks, 1, squeeze=False)[:, 0]):
        first, last = WORD * number, min(channels, WORD * (number + 1)) - 1
        planes = words[..., number, np.newaxis] >> np.arange(last - first + 1, dtype=np.uint32) & np.uint32(1)
        drawing.panel(axes, drawing.mosaic(planes, WORD // 4), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"word {number}: channels {first} to {last}", fontsize=8, loc="left", color=drawing.MUTED)
        axes.set_facecolor("#dfe4ea")
        axes.spines[:].set_visible(False)
    size = "×".join(map(str, value.shape))
    title = f"Bit planes: what {binary[0].name} reads"
    caption = f"""{size} signs of {subject.name} for one image, packed into {words.shape[-1]} word(s) of {WORD} bits
        a pixel: {words.nbytes:,} bytes in the place of {value.nbytes:,}. A black pixel is a bit that is set: a
        value below zero, which counts as −1. {np.mean(value < 0):.0%} of the bits are set; a plane of one colour
        tells nothing."""
    return drawing.Drawing.of(figure, "bit-planes", title, caption)


def reads_bits(layer: Any) -> bool:
    """Whether a convolution multiplies signs by signs."""
    return is_binary_kernel(layer) and getattr(getattr(layer, "input_quantizer", None), "precision", 32) == 1
