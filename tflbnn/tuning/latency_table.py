"""A device's times per operation, fitted once, from which the latency of any network is predicted.

    latency = Σ over operations of  number · ms + Mmac · ms/Mmac + ...

A table is a CSV file of two columns: the operation or amount, as `tflbnn.tuning.operations` counts them, and its
milliseconds. Loads no TensorFlow.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tflbnn._files import atomic_write, readable_errors
from tflbnn.errors import UserError
from tflbnn.tuning.operations import features

COLUMNS = ("operation", "ms")


@dataclasses.dataclass(frozen=True)
class LatencyTable:
    """Milliseconds of each operation of one device.

    >>> LatencyTable({"model": 0.01, "ADD": 0.002}).predict_counts({"model": 1, "ADD": 3})
    0.016
    """

    ms: Mapping[str, float]

    def predict(self, flatbuffer: bytes) -> float:
        """Milliseconds of one inference of one example.

        Raises:
            UserError: the file has an operation that the table has not.
        """
        return self.predict_counts(features(flatbuffer))

    def predict_counts(self, counts: Mapping[str, float]) -> float:
        """Milliseconds of what `features` counted."""
        unknown = sorted({key.partition(":")[0] for key in counts} - {key.partition(":")[0] for key in self.ms})
        if unknown:
            raise UserError(
                f"A latency table must have every operation of a network. Received: one without {', '.join(unknown)}. "
                "Measure the latencies instead, or search networks without it."
            )
        return float(round(sum(self.ms.get(key, 0.0) * count for key, count in counts.items()), 9))

    @classmethod
    def fit(cls, counts: Sequence[Mapping[str, float]], milliseconds: Sequence[float]) -> LatencyTable:
        """The table with the least squared relative error on measured networks; no operation takes less than nothing.

        Source: Lawson and Hanson, "Solving Least Squares Problems" (1974), chapter 23: non-negative least squares.

        >>> table = LatencyTable.fit([{"model": 1, "ADD": 1}, {"model": 1, "ADD": 3}], [2.0, 4.0])
        >>> {key: round(value, 6) for key, value in table.ms.items()}
        {'ADD': 1.0, 'model': 1.0}
        """
        from scipy.optimize import nnls

        keys = sorted({key for row in counts for key in row})
        matrix = np.array([[row.get(key, 0.0) for key in keys] for row in counts])
        times = np.asarray(milliseconds, float)
        solution, _ = nnls(matrix / times[:, None], np.ones(len(times)), maxiter=100 * len(keys))
        return cls({key: float(value) for key, value in zip(keys, solution, strict=True)})

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the CSV file."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((key, f"{value:.6g}") for key, value in sorted(self.ms.items()))
        atomic_write(path, text.getvalue())

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> LatencyTable:
        """Reads the CSV file.

        Raises:
            UserError: there is none, or it is no latency table.
        """
        try:
            with readable_errors("read the latency table", path):
                text = Path(path).read_text(encoding="utf-8")
            rows = list(csv.DictReader(io.StringIO(text)))
            ms = {row["operation"]: float(row["ms"]) for row in rows}
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise _not_a_table(path) from error
        if not ms or len(ms) < len(rows) or not all(0 <= value < math.inf for value in ms.values()):
            raise _not_a_table(path)
        return cls(ms)


def _not_a_table(path: str | os.PathLike[str]) -> UserError:
    return UserError(
        f"A latency table has the columns {' and '.join(COLUMNS)}, and a number of at least 0 in the latter. "
        f"Received: {path}, which has not. Make one with: tflbnn calibrate"
    )
