"""Images and labels, divided once and for all into training, validation and test."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

import numpy as np

from tflbnn.data.images import Files
from tflbnn.detection.matching import CLASS
from tflbnn.errors import UserError
from tflbnn.runtime.image import middle

if TYPE_CHECKING:
    from tflbnn.recipes import Data

Task = Literal["classification", "detection"]


@dataclasses.dataclass(frozen=True)
class Split:
    """Images `x`, uint8 (number, height, width, channels), and what they show, `y`.

    For classification, `y` is labels, int32 (number,); for detection it is the objects of each image, float32 (number,
    objects, 6), as in `tflbnn.detection.matching`. Images that are too many for the memory are a `Files`.
    """

    x: np.ndarray | Files
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    @property
    def strata(self) -> np.ndarray:
        """A number for each image, of which every part should get the same share: its class, or its first object's."""
        return self.y if self.y.ndim == 1 else self.y[:, 0, CLASS].astype(np.int32)

    def take(self, indices: np.ndarray) -> Split:
        return Split(self.x[indices], self.y[indices])

    def centre(self, side: int) -> Split:
        """With a window of so many pixels from the middle of each image."""
        return Split(self.x.centre(side) if isinstance(self.x, Files) else middle(self.x, side, side), self.y)


@dataclasses.dataclass(frozen=True)
class Raw:
    """What a data set's files hold."""

    train: Split
    test: Split
    labels: tuple[str, ...]
    task: Task = "classification"
    normalization: Normalization | None = None  # of the training images where left out
    crop: int | None = None  # what a network sees of them where a recipe does not say


@dataclasses.dataclass(frozen=True)
class Normalization:
    """How pixels become what a network sees: (pixel - mean) / std, one of each a channel, pixels from 0 to 255.

    The convention of TensorFlow Lite's NormalizationOptions. Both are computed from the training images and rounded
    to three digits, so that they can be written down and mean the same everywhere.

    >>> Normalization((100.0,), (50.0,)).apply(np.array([[[[0], [200]]]], np.uint8)).ravel()
    array([-2.,  2.], dtype=float32)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, images: np.ndarray) -> Normalization:
        """The statistics of uint8 images (number, height, width, channels), channel by channel."""
        mean, std = [], []
        for channel in range(images.shape[-1]):
            counts = np.bincount(images[..., channel].ravel(), minlength=256)  # exact, whatever the order
            values = np.arange(256)
            centre = float(counts @ values / counts.sum())
            mean.append(round(centre, 3))
            # One grey value only: nothing to scale.
            std.append(round(float(counts @ (values - centre) ** 2 / counts.sum()) ** 0.5, 3) or 1.0)
        return cls(tuple(mean), tuple(std))

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Normalised float32 images of the same shape."""
        return (images.astype(np.float32) - np.float32(self.mean)) / np.float32(self.std)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A divided data set.

    Attributes:
        train, validation, test: images and labels; the test is used once, when training has ended. Where images are
            cropped, those of `train` are still whole: every epoch cuts out another part.
        labels: the classes' names, in the order of the numbers in `y`.
        normalization: of the training images.
        task: what is asked about the images.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    labels: tuple[str, ...]
    normalization: Normalization
    task: Task = "classification"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.test.x.shape[1:]

    @property
    def resized(self) -> tuple[int, int]:
        """(height, width) that an image is brought to before the input's window is cut out of it."""
        return self.train.x.shape[1:3]

    @property
    def classes(self) -> int:
        return len(self.labels)

    @classmethod
    def divide(cls, data: Data, raw: Raw) -> Dataset:
        """Takes a part of every class out of the training images for validation.

        Raises:
            UserError: too few images for that.
        """
        rng = np.random.default_rng(data.split_seed)
        train, test = raw.train, raw.test
        if data.samples is not None:
            train, test = (part.take(rng.permutation(len(part))[: data.samples]) for part in (train, test))
        rest, held_out = stratify(train.strata, data.validation, rng)
        if len(rest) == 0 or len(held_out) == 0 or len(test) == 0:
            raise UserError(
                f"{data.name} needs images for training, validation and the test. Received: {len(rest)}, "
                f"{len(held_out)} and {len(test)} of them. Raise data.samples or change data.validation."
            )
        rest_split, validation = train.take(rest), train.take(held_out)
        if (crop := data.crop or raw.crop) is not None:
            smallest = min(raw.train.x.shape[1:3])
            if crop > smallest or raw.task != "classification":
                raise UserError(
                    f"data.crop must fit into images that are classified. Received: {crop} for {data.name}, "
                    f"{raw.task} in {smallest} pixels. Set data.crop=none."
                )
            validation, test = validation.centre(crop), test.centre(crop)
        return cls(
            name=data.name,
            train=rest_split,
            validation=validation,
            test=test,
            labels=raw.labels,
            normalization=raw.normalization or Normalization.of(rest_split.x),
            task=raw.task,
        )


def stratify(labels: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Divides indices so that every class gives the same share, to within one image, to the second part.

    >>> rest, held_out = stratify(np.array([0, 0, 0, 0, 1, 1, 1, 1]), 0.25, np.random.default_rng(0))
    >>> len(rest), len(held_out)
    (6, 2)
    """
    # Class by class, each in random order, every (1 / share)-th image: also few images of many classes leave some.
    order = np.lexsort((rng.permutation(len(labels)), labels))
    steps = np.floor(np.arange(len(labels) + 1) * share + 0.5)
    chosen = np.diff(steps) > 0
    return np.sort(order[~chosen]), np.sort(order[chosen])
