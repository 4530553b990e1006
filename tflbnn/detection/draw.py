"""Detections drawn into their image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tflbnn.detection.suppression import Detections

if TYPE_CHECKING:
    from PIL.Image import Image

# Colours that differ from each other also for most of those who see fewer of them (Okabe and Ito, 2008).
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
_DARK = ("#0072b2", "#d55e00", "#009e73")  # with white text

# The shorter side that a picture is magnified to at least, by a whole factor: text needs pixels.
_SMALLEST = 400
_LONGEST_LABEL = 40


def draw(image: Image, found: Detections, labels: list[str]) -> Image:
    """The image, magnified where it is small, with a box, the label and the score of each detection.

    Args:
        labels: one a detection.

    >>> from PIL import Image
    >>> found = Detections(np.array([[0.25, 0.25, 0.75, 0.75]]), np.array([0]), np.array([0.9]))
    >>> draw(Image.new("RGB", (100, 50)), found, ["circle"]).size
    (800, 400)
    """
    from PIL import Image as Images
    from PIL import ImageDraw, ImageFont

    factor = max(1, -(-_SMALLEST // min(image.size)))
    if factor * max(image.size) > 8 * _SMALLEST:  # a strip: it would grow beyond what a screen shows
        factor = 1
    size = (image.width * factor, image.height * factor)
    picture = image.convert("RGB").resize(size, Images.Resampling.NEAREST)
    pen = ImageDraw.Draw(picture)
    line = max(2, round(min(size) / 200))
    font = ImageFont.load_default(max(12, round(min(size) / 28)))
    boxes = np.clip(found.boxes, 0, 1) * [size[1] - 1, size[0] - 1, size[1] - 1, size[0] - 1]
    # The likeliest last, on top of the others.
    for box, number, score, label in reversed(list(zip(boxes, found.classes, found.scores, labels, strict=True))):
        top, left, bottom, right = (round(float(side)) for side in box)
        colour = _COLOURS[int(number) % len(_COLOURS)]
        pen.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=line)
        text = f"{label[:_LONGEST_LABEL]} {score:.0%}"
        _, _, width, height = pen.textbbox((0, 0), text, font=font)
        x = max(0, min(left, size[0] - width - 2 * line))
        y = top - height - line if top >= height + line else top  # above the box, or in it where there is no room
        pen.rectangle((x, y, x + width + 2 * line, y + height + line), fill=colour)
        pen.text((x + line, y), text, font=font, fill="white" if colour in _DARK else "black")
    return picture
