"""One member's training: a run folder whose examples are drawn or weighed, with what the member says about each image.

Besides a run's own files a member's folder has outputs.npz: what it says about the training images (where it boosts),
the validation and the test images, and steps.npz where the last training steps are looked at.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._files import atomic_write, read_json, readable_errors, write_json
from tflbnn.ensembles.reuse import Prepared, prepare
from tflbnn.ensembles.reweighting import Floats, logitboost
from tflbnn.ensembles.settings import Settings
from tflbnn.ensembles.stability import STEPS, last_steps
from tflbnn.ensembles.voting import SMALLEST, softmax
from tflbnn.errors import UserError
from tflbnn.recipes import Recipe
from tflbnn.training import Progress, Run, environment, folder

if TYPE_CHECKING:
    from tflbnn.data import Dataset, Split
    from tflbnn.ensembles.tasks import Plain

OUTPUTS, LAST_STEPS = "outputs.npz", "steps.npz"


@dataclasses.dataclass(frozen=True)
class Lesson:
    """What a member learns from; the data as they are where all is None.

    Attributes:
        rows: the training examples it sees, (examples,), with repetitions.
        weights: what the training examples' losses are multiplied by.
        scores: F of the members before it, about all images, training, validation and test: it is one of LogitBoost.
    """

    rows: NDArray[np.integer] | None = None
    weights: Floats | None = None
    scores: Floats | None = None


def train_member(
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    settings: Settings,
    lesson: Lesson | None = None,
    start: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> None:
    """Trains a member, or what is left of its training, into `out`; one that is finished stays as it is.

    Args:
        recipe: with the member's own seed, without a stage before it.
        start: a finished run with the weights to start from; the optimizer starts anew.

    Raises:
        UserError: as `tflbnn.training.train`.
    """
    from tflbnn.training import fit

    resume = (out / "recipe.json").is_file()
    if folder.check(out, recipe, resume):
        return
    lesson = lesson or Lesson()
    with folder.claimed(out):
        if not resume:
            folder.start(out, recipe, dataset.labels, environment.describe(recipe.seed))
        task, shown = _task(recipe, dataset, settings, lesson)
        network = prepare(recipe, dataset, task, regresses=lesson.scores is not None)
        if start is not None:
            _start(network.whole, recipe, start, out)
        best = best_weights(out / "best") if settings.best else None
        if best:
            task.first.append(best)
        if settings.step_images:
            task.first.append(_last_steps(recipe, dataset, len(shown.train), settings.step_images, out / LAST_STEPS))
        fit.fit(network.trained, recipe, shown, out, progress, task=task)
        if best:
            best.restore(network.trained)
        outputs = _outputs(network, recipe, dataset, settings)
        _save(out / OUTPUTS, outputs)
        fit.finish(network.whole, recipe, dataset, out, _metrics(outputs["test"], dataset.test.y, settings))


def _start(model: Any, recipe: Recipe, start: Path, out: Path) -> None:
    from tflbnn._keras import keras
    from tflbnn.training import stages

    source = f"../{start.name}" if start.parent == out.parent else f"../../{start.name}"
    write_json(out / "pretraining.json", stages.begin(model, Run.open(start), source).to_dict())
    keras.utils.set_random_seed(recipe.seed)


def _task(recipe: Recipe, dataset: Dataset, settings: Settings, lesson: Lesson) -> tuple[Plain, Dataset]:
    """What the member is trained for, and the data as it sees them."""
    from tflbnn.ensembles import tasks

    shown = dataset
    if lesson.scores is not None:
        labels = np.concatenate([split.y for split in (dataset.train, dataset.validation, dataset.test)])
        responses, weights = logitboost(labels, lesson.scores)
        sampling = settings.reweighting == "sampling"
        task: Plain = tasks.Regression(recipe, labels, responses, weights, lesson.scores, sampling)
        shown = tasks.numbered(dataset, train_only=False)
    elif lesson.weights is not None:
        task = tasks.Weighted(recipe, dataset, lesson.weights)
        shown = tasks.numbered(dataset, train_only=True)
    else:
        task = tasks.Plain(recipe, dataset.classes)
    if lesson.rows is not None:
        shown = dataclasses.replace(shown, train=shown.train.take(lesson.rows))
    return task, shown


def _last_steps(recipe: Recipe, dataset: Dataset, examples: int, images: int, path: Path) -> Any:
    """Looks at as many validation images, then test images, after each of the last steps of the last epoch."""
    looked_at = [dataset.normalization.apply(np.asarray(s.x[:images])) for s in (dataset.validation, dataset.test)]
    epoch = examples // min(recipe.batch_size, examples)
    return last_steps(
        np.concatenate(looked_at),
        epoch * recipe.epochs,
        min(STEPS, epoch),
        lambda outputs: _save(path, {"outputs": outputs}),
    )


def best_weights(path: Path) -> Any:
    """A Keras callback that keeps the weights of the epoch with the best validation accuracy, the first of equal ones.

    It must come before what makes an epoch count: one that is repeated after an interruption changes nothing then.
    """
    from tflbnn._keras import keras

    class BestWeights(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            accuracy = float((logs or {})["val_accuracy"])
            known = read_json(path / "best.json", "best epoch") if (path / "best.json").exists() else None
            if known is None or accuracy > known["val_accuracy"]:
                _save(path / "weights.npz", {str(n): value for n, value in enumerate(self.model.get_weights())})
                write_json(path / "best.json", {"epoch": epoch + 1, "val_accuracy": accuracy})

        def restore(self, model: Any) -> None:
            saved = load_arrays(path / "weights.npz")
            model.set_weights([saved[str(number)] for number in range(len(saved))])

    return BestWeights()


def _outputs(network: Prepared, recipe: Recipe, dataset: Dataset, settings: Settings) -> dict[str, NDArray[np.float32]]:
    """What the member says about the images."""
    if network.plain is not network.trained:
        network.plain.set_weights(network.trained.get_weights())
    splits = {"validation": dataset.validation, "test": dataset.test}
    if settings.boosts:
        splits["train"] = dataset.train
    return {name: predict(network.plain, recipe, split, dataset) for name, split in splits.items()}


def predict(model: Any, recipe: Recipe, split: Split, dataset: Dataset) -> NDArray[np.float32]:
    """What a model says about a part of the data, the middle of images that training cuts windows out of."""
    from tflbnn.ensembles.tasks import Plain
    from tflbnn.training.batches import evaluation_batches

    if tuple(split.x.shape[1:3]) != dataset.input_shape[:2]:
        split = split.centre(dataset.input_shape[0])
    batches = evaluation_batches(split, dataset.normalization, Plain(recipe, dataset.classes))
    return model.predict(batches, verbose=0)


def _metrics(outputs: NDArray[np.float32], y: NDArray[np.integer], settings: Settings) -> dict[str, float]:
    probabilities = softmax(outputs) if settings.method == "logitboost" else outputs.astype(np.float64)
    likelihoods = np.maximum(probabilities[np.arange(len(y)), y], SMALLEST)
    accuracy = float((outputs.argmax(axis=1) == y).mean())
    return {"test_accuracy": accuracy, "test_loss": float(-np.log(likelihoods).mean())}


def _save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    content = io.BytesIO()
    np.savez(content, **arrays)
    with readable_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, content.getvalue())


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file; nothing in it is run.

    Raises:
        UserError: the file is missing or damaged.
    """
    with readable_errors("read", path):
        content = path.read_bytes() if path.exists() else b""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"Arrays must be as they were written. Received: {path}, which is missing or damaged. Delete the folder "
            f"{path.parent} and add --resume: what is beside it stays."
        ) from error


def digest(dataset: Dataset) -> str:
    """SHA-256 of the images' pixels, or their paths, and of the labels: a resumption must see the same."""
    total = hashlib.sha256()
    for split in (dataset.train, dataset.validation, dataset.test):
        pixels = split.x if isinstance(split.x, np.ndarray) else np.array([str(path) for path in split.x.paths])
        for array in (pixels, split.y):
            total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
