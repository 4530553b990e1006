"""Measuring: what is called how often and in what order; no test here depends on a duration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime import small_models
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.benchmark import Timing, alternate, peak_memory, ratio, sample


def test_runs_alternate():
    calls, rounds = [], []
    timings = alternate(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=3, repeats=2, progress=rounds.append
    )
    assert "".join(calls) == "aaabbb" * 3
    assert rounds == [1, 2, 3]
    assert [timing.n for timing in timings.values()] == [6, 6]


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=30))
def test_statistics(seconds):
    timing = Timing.of([seconds])
    assert timing.best_ms <= timing.median_ms <= timing.p90_ms
    assert timing.median_ms == pytest.approx(1e3 * np.median(seconds), abs=1e-5)
    assert timing.n == len(seconds)
    assert timing.rounds_ms == (pytest.approx(timing.median_ms, abs=1e-5),)


@given(st.lists(st.floats(1e-3, 1), min_size=1, max_size=9), st.floats(0.1, 10))
def test_a_ratio_does_not_see_what_hits_both(load, factor):
    fast, slow = Timing.of([[x] * 3 for x in load]), Timing.of([[x * factor] * 3 for x in load])
    assert ratio(slow, fast) == pytest.approx(factor, rel=1e-2)


def test_samples_are_reproducible():
    model = Model(small_models.sum_and_difference())
    first, second = sample(model), sample(model)
    assert {name: array.shape for name, array in first.items()} == {"a": (1, 3), "b": (1, 3)}
    assert all((first[name] == second[name]).all() for name in first)
    assert not (first["a"] == sample(model, seed=1)["a"]).all()


def test_memory_grows_with_the_model(tmp_path):
    small, large = tmp_path / "small.tflite", tmp_path / "large.tflite"
    small.write_bytes(small_models.doubling())
    large.write_bytes(small_models.doubling((1, 1024, 1024, 16)))
    assert peak_memory(large, delegate=False) - peak_memory(small, delegate=False) > 64 << 20


def test_memory_of_no_model(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        peak_memory(tmp_path / "none.tflite")
