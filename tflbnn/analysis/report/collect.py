"""Gathers what a report shows: reads the run folder, counts, predicts the test set, measures.

A part that cannot be had leaves None and a notice that says why, so that every run has a report.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn._files import read_json, readable_errors
from tflbnn.analysis.report import reproduce
from tflbnn.analysis.report.facts import Confusion, Facts, Latency
from tflbnn.analysis.report.sections import SECTIONS, id_of
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.analysis.counts import Counts
    from tflbnn.data import Dataset
    from tflbnn.training import Run

KNOWN = (
    *("recipe.json", "environment.json", "history.csv", "metrics.json", "labels.txt", "model.weights.h5"),
    *("logs", "checkpoints", "model.tflite", "verification.json", "report.html", "figures"),
    *("pretraining.json", "pretraining"),
)


@dataclasses.dataclass(frozen=True)
class Source:
    """What a section gathers from.

    Attributes:
        run: finished or not, exported or not.
        dataset: its data set, None where that cannot be had.
        threads: of an inference in a measurement.
        rounds: of a measurement.
        progress: called with what happens next.
    """

    run: Run
    dataset: Dataset | None
    threads: int
    rounds: int
    progress: Callable[[str], None]


class Collector:
    """One report's facts in the making.

    Args:
        run: what to report on.
        data_dir: where the data set's files may be; see `tflbnn.data.load`.
        threads: threads of an inference in the measurement.
        rounds: alternating rounds of the measurement.
        progress: called with what happens next.
    """

    def __init__(
        self,
        run: Run,
        data_dir: str | os.PathLike[str] | None,
        threads: int,
        rounds: int,
        progress: Callable[[str], None],
    ) -> None:
        self.run, self.data_dir, self.threads, self.rounds, self.progress = run, data_dir, threads, rounds, progress
        self.notices: list[str] = []

    def facts(self) -> Facts:
        """Everything; what cannot be had is None."""
        run = self.run
        commands = reproduce.commands(run.recipe, run.path)
        self._state(commands)
        exported = run.model_tflite.is_file()
        dataset = self._try("test set", self.dataset)
        counts, twin_counts = self._try("layer table", self._counts, dataset) or (None, None)
        confusion = self._try("confusion matrix", self._confusion, dataset) if run.finished and dataset else None
        latency = self._try("latency", self._latency) if exported and run.finished else None
        if confusion and abs(confusion.accuracy - run.metrics["test_accuracy"]) > 1e-6:
            self.notices.append(
                f"The test accuracy was {run.metrics['test_accuracy']:.2%} after the training; the "
                f"{confusion.source[0].lower()}{confusion.source[1:]} reaches {confusion.accuracy:.2%}."
            )
        source = Source(run, dataset, self.threads, self.rounds, self.progress)
        parts = {
            id_of(section): self._try(section.TITLE[:1].lower() + section.TITLE[1:], section.gather, source)
            for section in SECTIONS
            if hasattr(section, "gather")
        }
        return Facts(
            folder=run.path,
            recipe=run.recipe.to_dict(),
            environment=run.environment,
            history=run.history,
            metrics=run.metrics,
            labels=run.labels,
            commands=commands,
            model_bytes=run.model_tflite.stat().st_size if exported else None,
            verification=self._try("verification", self._verification) if exported else None,
            counts=counts,
            twin_counts=twin_counts,
            confusion=confusion,
            latency=latency,
            notices=tuple(self.notices),
            parts=parts,
        )

    def _try(self, what: str, gather: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return gather(*arguments)
        except UserError as error:
            self.notices.append(f"No {what}: {error}")
            return None

    def _state(self, commands: list[str]) -> None:
        """Notices of what the folder itself says: an unfinished training, gaps in the history, unknown files."""
        run = self.run
        if not run.finished:
            done, planned = len(run.history), run.recipe.epochs
            self.notices.append(
                f"The training has not finished: {done} of {planned} epochs are done. "
                f"Continue it with: {commands[0]} --resume"
            )
        self.notices += not_numbers(run.history)
        unknown = sorted(path.name for path in run.path.iterdir() if path.name not in KNOWN and path.name[0] != ".")
        if unknown:
            shown = ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else "")
            self.notices.append(f"In the run folder, but not part of a run, and not read here: {shown}.")

    def dataset(self) -> Dataset:
        """The run's data set.

        Raises:
            UserError: it cannot be had here.
        """
        from tflbnn import data

        self.progress("reading the data set")
        return data.load(self.run.recipe.data, self.data_dir)

    def _counts(self, dataset: Dataset | None) -> tuple[Any, Any]:
        from tflbnn.analysis.counts import counts

        self.progress("counting parameters and operations")
        shape = dataset.input_shape if dataset else self.run.input_shape
        return self.count(shape), counts(self._build(shape, twin=True))

    def count(self, shape: tuple[int, int, int]) -> Counts:
        """What the run's network costs for images of that shape.

        Raises:
            UserError: it cannot be built for them.
        """
        from tflbnn.analysis.counts import counts

        return counts(self._build(shape))

    def _build(self, shape: tuple[int, int, int], twin: bool = False) -> Any:
        from tflbnn.binarization import Binarization

        recipe = self.run.recipe
        return recipe.network.build(
            shape, len(self.run.labels), Binarization.float32() if twin else recipe.binarization
        )

    def _confusion(self, dataset: Dataset) -> Confusion:
        from tflbnn.runtime import Model

        if dataset.task != "classification":
            raise UserError(f"it counts one label an image, and {dataset.name} is for {dataset.task}.")
        classes = len(self.run.labels)
        if dataset.classes != classes:
            raise UserError(f"The run's labels must be the data set's {dataset.classes}. Received: {classes} labels.")
        self.progress("predicting the test set")
        images = self.run.normalization.apply(dataset.test.x)
        if self.run.model_tflite.is_file():
            source = "Exported model with the delegate"
            with Model(self.run.model_tflite) as model:
                outputs = model.predict(images)
        else:
            source = "Trained Keras model"
            outputs = self.run.load_model().predict(images, verbose=0)
        if getattr(outputs, "shape", None) != (len(dataset.test), classes):
            raise UserError(f"The model must give one value a class, {classes}. Received: {self.run.model_tflite}.")
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (dataset.test.y, outputs.argmax(axis=1)), 1)
        return Confusion(matrix, source)

    def _latency(self) -> Latency:
        from tflbnn.converter import convert
        from tflbnn.runtime import Model
        from tflbnn.runtime.benchmark import alternate, sample

        self.progress("measuring the latency beside the float twin's")
        with contextlib.ExitStack() as stack:
            model = stack.enter_context(Model(self.run.model_tflite, self.threads))
            # Its weights are random: XNNPACK takes the same time whatever they are.
            twin_file = convert(self._build(self.run.input_shape, twin=True), verify=False).flatbuffer
            twin = stack.enter_context(Model(twin_file, self.threads, delegate=False))
            feeds = sample(model)
            runs = {"model": lambda: model.predict(feeds), "twin": lambda: twin.predict(feeds)}
            timings = alternate(runs, self.rounds)
            kernel = model.kernel
        return Latency(timings["model"], timings["twin"], len(twin_file), kernel or "none", self.threads)

    def _verification(self) -> dict[str, Any]:
        path = self.run.verification_json
        if not path.is_file():
            raise UserError(f"model.tflite has no verification.json beside it. Run: tflbnn export {self.run.path}")
        verification = read_json(path, "verification")
        with readable_errors("read the model", self.run.model_tflite):
            digest = hashlib.sha256(self.run.model_tflite.read_bytes()).hexdigest()
        if not isinstance(verification, dict) or verification.get("model_sha256") != digest:
            raise UserError(
                f"A verification must name the model's SHA-256. Received: {path}, which is of another model.tflite "
                f"than the one beside it. Run: tflbnn export {self.run.path}"
            )
        return verification


def not_numbers(history: list[dict[str, float]]) -> Iterator[str]:
    """A sentence for each column that is not a finite number in some epochs.

    >>> list(not_numbers([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": float("nan")}]))
    ['loss is not a finite number in epoch 2.']
    """
    for name in dict.fromkeys(key for row in history for key in row):
        epochs = [number for number, row in enumerate(history, 1) if not math.isfinite(row.get(name, math.nan))]
        if epochs:
            shown = ", ".join(map(str, epochs[:8])) + (f" and {len(epochs) - 8} more" if len(epochs) > 8 else "")
            yield f"{name} is not a finite number in epoch{'s' * (len(epochs) > 1)} {shown}."
