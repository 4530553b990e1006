"""Damaged flatbuffers in a real interpreter with the delegate (make test-fuzz): the first half with bytes changed, the
second still readable but with other options, shapes, types and tensors. None may end the process."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.delegate.networks import chain
from tests.delegate.test_wrong_models import mutants, run
from tests.runtime import mutants as bytes_changed

BATCH = 500  # flatbuffers on disk at a time


def main(count: int) -> int:
    half = count // 2
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "chain.model"
        model.write_bytes(chain().model)
        outcome = bytes_changed.run(model, 0, half)
        print(f"{half} with bytes changed: {dict(Counter(outcome.results.values()))}", flush=True)
        if outcome.crashes:
            print(outcome.crashes)
            return 1
    results: Counter[str] = Counter()
    for first in range(0, half, BATCH):
        with tempfile.TemporaryDirectory() as folder:
            errors = run(Path(folder), mutants(min(BATCH, half - first), seed=first))
        results.update("error" if error else "runs" for error in errors.values())
    print(f"{half} with other contents: {dict(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
