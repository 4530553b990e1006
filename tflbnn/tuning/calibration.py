"""Calibrating a device: times of known networks, here, on a phone or from a file, become a latency table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from tflbnn._files import atomic_write, readable_errors
from tflbnn.errors import UserError
from tflbnn.tuning.calibration_networks import specifications
from tflbnn.tuning.latency_table import LatencyTable
from tflbnn.tuning.operations import features

ROUNDS = 15


def write_models(folder: Path, progress: Callable[[int], None] = lambda done: None) -> list[Path]:
    """The calibration networks as .tflite files; those that are there already stay.

    Raises:
        UserError: the folder cannot be written.
    """
    paths = []
    for done, specification in enumerate(specifications(), start=1):
        path = folder / f"{specification.name}.tflite"
        if not path.is_file():
            atomic_write(path, specification.flatbuffer())
        paths.append(path)
        progress(done)
    return paths


def measure(paths: list[Path], progress: Callable[[int], None] = lambda done: None) -> dict[str, float]:
    """Milliseconds of one image on one thread of this device, by the file's name: the median of alternating rounds."""
    import functools

    from tflbnn.runtime import Model
    from tflbnn.runtime.benchmark import alternate, sample

    models = {path.stem: Model(path, delegate=is_binary(path.stem)) for path in paths}
    runs = {name: functools.partial(model.predict, sample(model)) for name, model in models.items()}
    timings = alternate(runs, ROUNDS, progress=progress)
    for model in models.values():
        model.close()
    return {name: timing.median_ms for name, timing in timings.items()}


def measure_on_phone(
    paths: list[Path], serial: str | None, progress: Callable[[int], None] = lambda done: None
) -> dict[str, float]:
    """The same on a phone that is connected; see `tflbnn.runtime.adb`."""
    from tflbnn.runtime import adb

    files = [(path, is_binary(path.stem)) for path in paths]
    with adb.open_phone(serial) as phone:
        found = adb.measure(phone, files, 1, ROUNDS, progress)
    return {path.stem: result.timing.median_ms for path, result in zip(paths, found, strict=True)}


def is_binary(name: str) -> bool:
    """Whether a model runs on the delegate; what is not binary runs on stock TFLite, as in an app without it."""
    return "-binary-" in name


def read_measured(path: Path) -> dict[str, float]:
    """Milliseconds by model of a CSV file that a device wrote, with the columns model and median_ms, or p50_ms.

    That of the demo app has several rows a model: what counts is one thread, with the delegate where it is binary.

    Raises:
        UserError: it is no such file.
    """
    found = {}
    try:
        with readable_errors("read the measurements", path), open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name = Path(row["model"]).name.removesuffix(".tflite")
                delegate = "on" if is_binary(name) else "off"
                if row.get("threads", "1") == "1" and row.get("delegate", delegate) == delegate:
                    found[name] = float(row["median_ms"] if "median_ms" in row else row["p50_ms"])
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(
            f"Measurements are a CSV file with the columns model and median_ms. Received: {path}, which is none. "
            "Write one line a calibration model."
        ) from error
    if not all(0 < value < float("inf") for value in found.values()):
        raise UserError(f"A latency must be above 0 ms. Received: {path}, where one is not. Measure it again.")
    return found


def fit(folder: Path, milliseconds: Mapping[str, float]) -> LatencyTable:
    """The table of a device that took so long for the models in a folder.

    Raises:
        UserError: a model is missing, or there are too few for a table.
    """
    known = [specification.name for specification in specifications()]
    missing = sorted(set(known) - set(milliseconds))
    if missing:
        raise UserError(
            f"A latency table needs the time of every calibration model. Received: none of {missing[0]}"
            + (f" and {len(missing) - 1} more. " if len(missing) > 1 else ". ")
            + "Measure all files of tflbnn calibrate --models."
        )
    counts = []
    for name in known:
        with readable_errors("read the calibration model", folder / f"{name}.tflite"):
            counts.append(features((folder / f"{name}.tflite").read_bytes()))
    return LatencyTable.fit(counts, [milliseconds[name] for name in known])
