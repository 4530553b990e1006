"""Interpreters with delegates of their own and with a shared one, created, resized, run and dropped by threads in
random order."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest

from tests.delegate.interpreters import RUNTIMES, Network, load
from tests.delegate.networks import CHANNELS, SIZE, chain
from tflbnn.runtime import delegate_path

SHAPES = ((1, SIZE, SIZE, CHANNELS), (2, SIZE, 4, CHANNELS), (3, 1, 1, CHANNELS))


@pytest.mark.parametrize("steps", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_threads_come_and_go(steps: int) -> None:
    network = chain()
    inputs = [np.random.default_rng(i).standard_normal(shape).astype(np.float32) for i, shape in enumerate(SHAPES)]
    expected = [network(x) for x in inputs]
    shared = load(RUNTIMES[0])[1](str(delegate_path()), {"num_threads": "2"})
    failures: list[str] = []
    runs = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        held: list[tuple[Network, int] | None] = [None, None]
        for step in range(steps):
            place = rng.randrange(len(held))
            present = held[place]
            action = rng.randrange(5)
            if present is None or action == 0:
                held[place] = (Network(network.model, delegate=shared if rng.random() < 0.5 else None), 0)
            elif action == 1:
                held[place] = None
            elif action == 2:
                shape = rng.randrange(len(SHAPES))
                present[0].resize(*SHAPES[shape])
                held[place] = (present[0], shape)
            else:
                built, shape = present
                runs.append(step)
                if not np.array_equal(built(inputs[shape])[0], expected[shape]):
                    failures.append(f"thread {seed}, step {step}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(runs) > steps
