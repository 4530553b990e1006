"""Shapes: drawn images of 64×64 pixels with one to three circles, squares and triangles to be found."""

from __future__ import annotations

import functools
import os

import numpy as np
from numpy.typing import NDArray

from tflbnn.data.dataset import Raw, Split
from tflbnn.detection.boxes import intersection_over_union
from tflbnn.detection.matching import CLASS, COLUMNS

FACTS = {
    "images": "2,000 + 400",
    "size": "64×64×3",
    "classes": "3",
    "files": "none: drawn",
    "source": "drawn by tflbnn",
}

LABELS = ("circle", "square", "triangle")

SIDE = 64
OBJECTS = 3
TRAIN, TEST = 2000, 400
# Of a shape, from its centre to its farthest point, in pixels.
_RADII = (6, 16)
_OVERLAP = 0.05
_NOISE = 12
# Grey values by which a shape differs from what lies under it, on the mean of the channels at least.
_CONTRAST = 60


def read(data_dir: str | os.PathLike[str] | None = None) -> Raw:
    """Draws the images, always the same ones; once in a process, as it takes seconds."""
    return _drawn()


@functools.cache
def _drawn() -> Raw:
    raw = Raw(draw(TRAIN, seed=0), draw(TEST, seed=1), LABELS, task="detection")
    for split in (raw.train, raw.test):
        split.x.flags.writeable = split.y.flags.writeable = False  # they are everyone's
    return raw


def draw(number: int, seed: int) -> Split:
    """`number` images and what is in them.

    Returns:
        x: uint8 (number, 64, 64, 3); y: float32 (number, 3, 6), the objects of each image as in
        `tflbnn.detection.matching`.

    >>> split = draw(2, seed=5)
    >>> split.x.shape, split.y.shape
    ((2, 64, 64, 3), (2, 3, 6))
    """
    rng = np.random.default_rng(seed)
    images = np.empty((number, SIDE, SIDE, 3), np.uint8)
    objects = np.zeros((number, OBJECTS, COLUMNS), np.float32)
    objects[..., CLASS] = -1
    for image, rows in zip(images, objects, strict=True):
        pixels = _background(rng)
        for row in rows[: rng.integers(1, OBJECTS + 1)]:
            _add_shape(pixels, row, rows, rng)
        image[:] = np.clip(pixels + rng.normal(0, _NOISE, pixels.shape), 0, 255)
    return Split(images, objects)


def _background(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour that turns into another one from one side to the other."""
    colours = rng.uniform(30, 225, (2, 3))
    direction = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:SIDE, :SIDE] / (SIDE - 1) - 0.5
    share = (0.5 + (x * np.cos(direction) + y * np.sin(direction)) / np.sqrt(2))[..., np.newaxis]
    return colours[0] * share + colours[1] * (1 - share)


def _add_shape(
    pixels: NDArray[np.float64], row: NDArray[np.float32], rows: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Draws a shape where there is none, and writes what it is into `row`; leaves both where no place is free."""
    for _ in range(50):
        number = int(rng.integers(len(LABELS)))
        radius = rng.uniform(*_RADII)
        center = rng.uniform(radius, SIDE - radius, 2)
        mask = _mask(LABELS[number], center, radius, rng.uniform(0, 2 * np.pi))
        (top, left), (bottom, right) = (reduce(np.nonzero(mask), axis=1) for reduce in (np.min, np.max))
        box = np.array([top, left, bottom + 1, right + 1], np.float32) / SIDE
        if intersection_over_union(box[np.newaxis], rows[rows[:, CLASS] >= 0, :4]).max(initial=0) > _OVERLAP:
            continue
        under = pixels[mask].mean(axis=0)
        colour = rng.uniform(0, 255, 3)
        if np.abs(colour - under).mean() < _CONTRAST:
            continue
        pixels[mask] = colour
        row[:4], row[CLASS] = box, number
        return


def _mask(label: str, center: NDArray[np.float64], radius: float, turn: float) -> NDArray[np.bool_]:
    """The pixels of a shape: all that lie inside of each of its sides."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    y, x = y - center[0], x - center[1]
    if label == "circle":
        return y**2 + x**2 <= radius**2
    sides = {"triangle": 3, "square": 4}[label]
    angles = turn + 2 * np.pi * np.arange(sides) / sides
    distances = x[..., np.newaxis] * np.cos(angles) + y[..., np.newaxis] * np.sin(angles)
    return (distances <= radius * np.cos(np.pi / sides)).all(axis=-1)
