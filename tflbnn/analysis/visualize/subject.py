"""A trained network to look at, with what is needed to show it images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.data import Normalization
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.training import Run


@dataclasses.dataclass(frozen=True)
class Subject:
    """A network under the name that pictures have for it.

    Attributes:
        name: such as "binary_densenet, float32".
        model: the Keras network.
        normalization: how pixels become what it sees.
        labels: the classes' names.
    """

    name: str
    model: Any
    normalization: Normalization
    labels: Sequence[str]

    @classmethod
    def of(cls, run: Run) -> Subject:
        """The network of a finished run.

        Raises:
            UserError: the run is unfinished or damaged, or its network is no classifier.
        """
        from tflbnn import networks

        name = run.recipe.network.name
        if networks.task(name) != "classification":
            raise UserError(f"Networks that classify can be looked into. Received: {run.path}, a detector.")
        return cls(f"{name}, {kind(run)}", run.load_model(), run.normalization, run.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images."""
        return self.model.input_shape[1:]

    def see(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels (batch, height, width, channels) as the network sees them."""
        return self.normalization.apply(pixels)

    def predict(self, pixels: NDArray[np.uint8]) -> list[str]:
        """The likeliest class of each image, with its probability."""
        scores = np.asarray(self.model(self.see(pixels), training=False))
        return [f"{self.labels[row.argmax()]} {row.max():.0%}" for row in scores]


def kind(run: Run) -> str:
    """How a run's network quantizes, in a word or two.

    >>> from types import SimpleNamespace
    >>> from tflbnn import recipes
    >>> kind(SimpleNamespace(recipe=recipes.get("digits")))
    'binary'
    """
    binarization = run.recipe.binarization
    if binarization.is_binary:
        return "binary"
    names = {binarization.input_quantizer, binarization.kernel_quantizer} - {"relu", "float32"}
    return " and ".join(sorted(names)) or "float32"


def images_for(
    subject: Subject, files: Sequence[Path], run: Run, data_dir: Path | None = None, most: int = 4
) -> tuple[NDArray[np.uint8], list[str]]:
    """Pixels (batch, height, width, channels) of the files, resized, with their names; without files, the first test
    images of different classes.

    Raises:
        UserError: a file is no image, or the data set cannot be read.
    """
    if files:
        from tflbnn.runtime import image

        return np.stack([image.fit(image.read(path), *subject.shape) for path in files]), [path.stem for path in files]
    from tflbnn import data

    test = data.load(run.recipe.data, data_dir).test
    first = [int(np.argmax(test.y == label)) for label in np.unique(test.y)[:most]]
    names = [subject.labels[int(test.y[index])] for index in first]
    return np.asarray(test.x[np.array(first)]), names
