"""What every front is compared with: networks that are not binary, trained as long as a trial on the same data.

The float twin of the most accurate trial and a small MobileNetV3, each in float32 and, quantized after its training,
in 8 bits; on stock TFLite, which runs them on XNNPACK.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tflbnn._files import read_json, write_json
from tflbnn._keras import keras
from tflbnn.binarization import Binarization
from tflbnn.data import Dataset
from tflbnn.recipes import Pretraining, Recipe
from tflbnn.training.fit import build, fit
from tflbnn.training.scores import score_of
from tflbnn.tuning.latency import Latency
from tflbnn.tuning.results import Baseline
from tflbnn.tuning.stock import constant_bytes, float_flatbuffer, int8_flatbuffer

FILE, FOLDER = "baselines.json", "baselines"
SMALL = 64  # pixels a side, below which the small network keeps the resolution


def float_twin(recipe: Recipe) -> Recipe:
    """The recipe without bits.

    >>> from tflbnn import recipes
    >>> float_twin(recipes.get("digits")).binarization.is_binary
    False
    """
    return dataclasses.replace(
        recipe,
        binarization=Binarization.float32(),
        optimizer=dataclasses.replace(recipe.optimizer, binary="same"),
        pretraining=Pretraining(),
    )


def mobile(recipe: Recipe, side: int) -> Recipe:
    """A small MobileNetV3 in the place of the recipe's network."""
    twin = float_twin(recipe).replace("network.name", "mobilenet_v3_small")
    twin = twin.replace("network.stem", "cifar" if side < SMALL else "imagenet")
    return twin.replace("network.width", 0.35 if side < SMALL else 1.0)


def train_baselines(
    recipe: Recipe,
    dataset: Dataset,
    latency: Latency | None,
    out: Path,
    started: Callable[[str, int], None],
    trained: Callable[[Any], None],
) -> tuple[Baseline, ...]:
    """The baselines of a front whose most accurate trial has this recipe; those that are trained already are read.

    Args:
        started: told a network's name and its epochs.
        trained: told the progress of its training.
    """
    if (out / FILE).exists():
        return tuple(Baseline(**row) for row in read_json(out / FILE, "baselines"))
    found = []
    networks = {"float twin": float_twin(recipe), "MobileNetV3": mobile(recipe, min(dataset.input_shape[:2]))}
    for name, variant in networks.items():
        started(name, variant.epochs)
        folder = out / FOLDER / name.lower().replace(" ", "-")
        keras.backend.clear_session()
        model = build(variant, dataset)
        history = fit(model, variant, dataset, folder, trained)
        found += _both(name, model, max(score_of(row, "val")[1] for row in history), dataset, latency)
    write_json(out / FILE, [dataclasses.asdict(row) for row in found])
    return tuple(found)


def _both(name: str, model: keras.Model, accuracy: float, dataset: Dataset, latency: Latency | None) -> list[Baseline]:
    images = dataset.normalization.apply(np.asarray(dataset.train.x[:256]))
    rows = []
    for kind, content in (("float32", float_flatbuffer(model)), ("int8", int8_flatbuffer(model, images))):
        rows.append(
            Baseline(
                name=f"{name}, {kind}",
                # That of the best epoch, as a trial's; in 8 bits, of the network as it is at the end.
                val_accuracy=accuracy if kind == "float32" else _accuracy(content, dataset),
                size_bytes=constant_bytes(content),
                latency_ms=None if latency is None else latency.of(content, delegate=False),
            )
        )
    return rows


def _accuracy(flatbuffer: bytes, dataset: Dataset) -> float:
    """Of the validation images, in the runtime."""
    from tflbnn.runtime import Model

    right = 0
    with Model(flatbuffer, delegate=False) as model:
        for start in range(0, len(dataset.validation), 256):
            part = slice(start, start + 256)
            images = dataset.normalization.apply(np.asarray(dataset.validation.x[part]))
            right += int((model.predict(images).argmax(1) == np.asarray(dataset.validation.y[part])).sum())
    return right / len(dataset.validation)
