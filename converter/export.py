"""A run's model as a file: converted, verified, described, written beside the run or where it is wanted."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn import data
from tflbnn._files import atomic_path
from tflbnn.errors import UserError
from tflbnn.runtime.metadata import Metadata
from tflbnn.training.scores import score_of

if TYPE_CHECKING:
    from tflbnn._keras import keras
    from tflbnn.converter import Conversion
    from tflbnn.converter.rest import Rest
    from tflbnn.training import Run

_SAMPLES = 8
_CALIBRATION = 256  # samples that ranges are measured on


@dataclasses.dataclass(frozen=True)
class Exported:
    """The files of an export and how it went."""

    model: Path
    verification: Path
    conversion: Conversion
    verification_result: dict[str, Any]


def export(
    run: Run,
    out: str | os.PathLike[str] | None = None,
    labels: Sequence[str] | None = None,
    fail_on_float: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] = lambda text: None,
    dump_passes: str | os.PathLike[str] | None = None,
    rest: Rest = "float32",
) -> Exported:
    """Converts and verifies a run's model and writes it with what was found; both files, or none.

    Args:
        out: the .tflite file, by default model.tflite in the run folder. Of verification.json the folder is the
            same; beside a file of another name it is called NAME.verification.json.
        labels: in the place of the data set's.
        fail_on_float: refuse when a layer that was trained on 1 bit would not run on it.
        data_dir: where the data set's files are; images of it are verified on.
        progress: told what is being done.
        dump_passes, rest: as of `convert`; ranges are measured on validation images.

    Raises:
        UserError: the run is unfinished, its model cannot be converted, or a file cannot be written.
        VerificationError: the flatbuffer does not compute what the model does; nothing is written.
    """
    from tflbnn.converter import convert

    path = run.model_tflite if out is None else Path(out)
    if path.is_dir():
        raise UserError(
            f"The model must be written to a file. Received: {path}, a folder. Write: {path / 'model.tflite'}"
        )
    progress("loading the run's model")
    model = run.load_model()
    images, classes, source = labelled_samples(run, data_dir, _SAMPLES if rest == "float32" else _CALIBRATION)
    progress("converting and verifying")
    conversion = convert(
        model,
        rest=rest,
        sample_labels=classes,
        labels=run.labels if labels is None else labels,
        samples=images,
        metadata=describe(run),
        fail_on_float=fail_on_float,
        dump_passes=dump_passes,
    )
    beside = run.verification_json if path == run.model_tflite else path.with_suffix(".verification.json")
    progress(f"writing {path}")
    return _written(conversion, path, beside, source)


def export_model(
    model: keras.Model,
    out: Path,
    samples: np.ndarray | None = None,
    labels: Sequence[str] | None = None,
    fail_on_float: bool = False,
    dump_passes: str | os.PathLike[str] | None = None,
    rest: Rest = "float32",
) -> Exported:
    """Converts and verifies a Keras model that is no run's and writes it, with NAME.verification.json beside it.

    Args:
        samples: normalized inputs to verify and to measure ranges on; random ones when left out.
        the others: as of `export`.
    """
    from tflbnn.converter import convert

    conversion = convert(
        model, rest=rest, labels=labels, samples=samples, fail_on_float=fail_on_float, dump_passes=dump_passes
    )
    source = "random" if samples is None else "samples"
    return _written(conversion, out, out.with_suffix(".verification.json"), source)


def _written(conversion: Conversion, path: Path, beside: Path, source: str) -> Exported:
    verification = {
        **conversion.report.verification,
        **({} if conversion.report.rest is None else {"rest": dataclasses.asdict(conversion.report.rest)}),
        "samples_from": source,
        "model_sha256": hashlib.sha256(conversion.flatbuffer).hexdigest(),
    }
    # Both are on the disk before either gets its name; model_sha256 tells which file a verification belongs to.
    with atomic_path(path) as model_file, atomic_path(beside) as verification_file:
        model_file.write_bytes(conversion.flatbuffer)
        verification_file.write_text(json.dumps(verification, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Exported(path, beside, conversion, verification)


def describe(run: Run) -> Metadata:
    """What the file of a run's model says about itself."""
    recipe = run.recipe
    score, tested = score_of(run.metrics, "test")
    reached = "" if score.name == "accuracy" else f": {tested:.1%} {score.text} on its test images"
    return Metadata(
        name=recipe.name,
        description=f"{recipe.network.name} trained on {recipe.data.name} by the recipe {recipe.name}{reached}",
        mean=run.normalization.mean,
        std=run.normalization.std,
        resized=None if run.resized == run.input_shape[:2] else run.resized,
        recipe=recipe.to_dict(),
        accuracy=run.metrics.get("test_accuracy"),
    )


def samples(run: Run, data_dir: str | os.PathLike[str] | None) -> tuple[np.ndarray | None, str]:
    """Validation images as the network takes them, and the data set's name; None where its files are not here.

    A folder that was named must hold them.
    """
    images, _, source = labelled_samples(run, data_dir, _SAMPLES)
    return images, source


def labelled_samples(
    run: Run, data_dir: str | os.PathLike[str] | None, number: int
) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """At most so many of these images, their classes (None of detectors), and the data set's name."""
    try:
        split = data.load(run.recipe.data, data_dir).validation
        images = np.asarray(split.x[:number])
    except UserError:
        if data_dir is not None:
            raise
        return None, None, "random"
    classes = split.y[:number] if split.y.ndim == 1 else None
    return run.normalization.apply(images), classes, run.recipe.data.name
