"""Damages model files in reproducible ways and runs them in child processes, so that a crash is a result.

As a program it runs a range of mutants and prints a line for each: `python mutants.py MODEL FIRST LAST`.
"""

from __future__ import annotations

import dataclasses
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Values that sizes, indices and offsets do not survive.
_NUMBERS = (0, 1, 2, 3, 5, 7, 31, 33, 127, 255, 256, 1 << 15, 1 << 16, 1 << 20, 1 << 31, (1 << 32) - 1, (1 << 31) - 1)

BATCH = 500

_ROOT = Path(__file__).parents[2]


def mutate(content: bytes, seed: int) -> bytes:
    """One mutant: cut, bytes changed, chunks swapped, or a number replaced."""
    rng = random.Random(seed)
    data = bytearray(content)
    # Constants fill the file's end; what steers an interpreter is mostly in front of or between them.
    end = len(data) if rng.random() < 0.5 else min(len(data), 12_000)
    kind = seed % 8
    if kind == 0:
        return content[: rng.randrange(len(content))]
    if kind == 1:
        for _ in range(rng.choice((1, 2, 4, 8, 64))):
            data[rng.randrange(end)] = rng.randrange(256)
    elif kind == 2:
        data[rng.randrange(end)] ^= 1 << rng.randrange(8)
    elif kind == 3:
        size = rng.choice((2, 4, 8, 16, 64))
        a, b = sorted(rng.randrange(end - size) for _ in range(2))
        data[a : a + size], data[b : b + size] = data[b : b + size], data[a : a + size]
    else:
        position = rng.randrange(end - 4) & ~3
        number = (
            rng.choice(_NUMBERS)
            if kind < 7
            else (struct.unpack_from("<I", data, position)[0] + rng.choice((-4, -1, 1, 4)))
        )
        struct.pack_into("<I", data, position, number & 0xFFFFFFFF)
    return bytes(data)


@dataclasses.dataclass
class Outcome:
    """What became of each mutant: "runs", the class of an error, or the signal that ended its process."""

    results: dict[int, str] = dataclasses.field(default_factory=dict)

    @property
    def crashes(self) -> dict[int, str]:
        return {seed: result for seed, result in self.results.items() if result not in ("runs", "UserError")}


def run(model: Path, first: int, last: int, timeout: float = 60, program: Sequence[str] = (__file__,)) -> Outcome:
    """Runs mutants first to last - 1, a new process after each crash and after each BATCH.

    Args:
        timeout: of a process, in seconds.
        program: Python's arguments that run a range of mutants, as `main` does.
    """
    outcome = Outcome()
    seed = first
    while seed < last:
        end = min(last, seed + BATCH)
        command = [sys.executable, *program, str(model), str(seed), str(end)]
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=_ROOT)
            ended = f"exit {child.returncode}: {child.stderr.strip().splitlines()[-1:]}"
            output = child.stdout
        except subprocess.TimeoutExpired as error:
            ended, output = "timeout", (error.stdout or b"").decode()
        for line in output.splitlines():
            number, _, result = line.partition(" ")
            outcome.results[int(number)] = result
        while seed in outcome.results:
            seed += 1
        if seed < end:
            outcome.results[seed] = ended
            seed += 1
    return outcome


def _attempt(content: bytes) -> str:
    import numpy as np

    from tflbnn.errors import UserError
    from tflbnn.runtime import Model

    try:
        with Model(content) as model:
            feeds = {
                name: np.zeros([size or 1 for size in shape], dtype)
                for name, (shape, dtype) in model.input_specs.items()
            }
            model.predict(feeds)
    except UserError:
        return "UserError"
    return "runs"


def main(attempt: Callable[[bytes], str]) -> None:
    """Prints what `attempt` says of every mutant of a range."""
    content = Path(sys.argv[1]).read_bytes()
    for seed in range(int(sys.argv[2]), int(sys.argv[3])):
        print(seed, attempt(mutate(content, seed)), flush=True)


if __name__ == "__main__":
    main(_attempt)
