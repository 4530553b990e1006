"""Networks trained in seconds, once a session, on pictures of which it is known where to look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

SIDE = 24


def striped(number: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey noise with a striped square: its rows, columns or both differ. Pixels, classes, and where the square is."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(128, 10, (number, SIDE, SIDE, 1))
    classes = np.arange(number) % 3
    inside = np.zeros((number, SIDE, SIDE), bool)
    rows, columns = np.mgrid[:SIDE, :SIDE] // 2
    for index, stripes in enumerate([rows, columns, rows + columns][k] for k in classes):
        size = rng.integers(8, 12)
        top, left = rng.integers(0, SIDE - size, 2)
        inside[index, top : top + size, left : left + size] = True
        pixels[index, ..., 0] += 70 * inside[index] * (stripes % 2 * 2 - 1)
    return np.clip(pixels, 0, 255).astype(np.uint8), classes.astype(np.int32), inside


@pytest.fixture(scope="session", params=["binary", "float32"])
def stripes_subject(request):
    """A network that has learned to tell striped squares, and its float twin."""
    from tflbnn import Binarization, networks
    from tflbnn._keras import keras
    from tflbnn.analysis.visualize.subject import Subject
    from tflbnn.data import Normalization

    pixels, classes, _ = striped(300, seed=0)
    normalization = Normalization.of(pixels)
    keras.utils.set_random_seed(0)
    binarization = Binarization() if request.param == "binary" else Binarization.float32()
    model = networks.get("binary_densenet")(
        (SIDE, SIDE, 1), 3, binarization, layers=(2, 2), growth_rate=16, first_filters=16
    )
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(normalization.apply(pixels), classes, batch_size=32, epochs=5, verbose=0)
    return Subject(f"binary_densenet, {request.param}", model, normalization, ("rows", "columns", "checks"))


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory) -> Path:
    """A finished run of a few layers, trained for one epoch."""
    from tflbnn import recipes
    from tflbnn.training import train

    recipe = recipes.get("digits").override({"layers": "1,1", "reduction": "2", "growth_rate": "8"})
    return train(recipe, tmp_path_factory.mktemp("runs") / "digits", smoke=True).path
