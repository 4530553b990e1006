"""Damaged files end in one clear error, or in a valid result."""

import pytest

from tests.converter import damaged
from tests.converter.test_optimize import mixed
from tests.runtime import mutants
from tflbnn.converter import passes
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower


def rewritten(model) -> bytes:
    """What passes make of it, without the checksum by which a file of tflbnn's is refused before anything is read."""
    graph = Graph(lower(model))
    passes.run(graph)
    return graph.pack()


SOURCES = {"lce": lower, "tflbnn": rewritten}


@pytest.mark.long
@pytest.mark.parametrize("made_by", SOURCES)
def test_mutants(made_by, tmp_path):
    count = 1000  # of each, 2,000 in all
    path = tmp_path / "model.tflite"
    path.write_bytes(SOURCES[made_by](mixed()))
    outcome = damaged.run(path, 0, count)
    assert not outcome.crashes
    assert len(outcome.results) == count
    # Most of a file is constants, so that many mutants are models; what is not read says nothing about the checks.
    valid = sum(result == "runs" for result in outcome.results.values())
    assert count / 10 < valid < count
    content = path.read_bytes()
    assert all(outcome.results[seed] == "runs" for seed in range(count) if mutants.mutate(content, seed) == content)
