"""Learning rates."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn import recipes
from tflbnn.recipes import Optimizer, Schedule
from tflbnn.training.schedules import learning_rate


@given(
    st.sampled_from(["constant", "step", "cosine"]),
    st.lists(st.floats(0.01, 0.99), max_size=4, unique=True).map(lambda values: tuple(sorted(values))),
    st.integers(1, 300),
    st.floats(1e-6, 10),
)
def test_starts_at_the_optimizers_rate_and_never_rises(name, milestones, epochs, rate):
    recipe = dataclasses.replace(
        recipes.get("digits"),
        optimizer=Optimizer(learning_rate=rate),
        schedule=Schedule(name, milestones),
        epochs=epochs,
    )
    rates = [learning_rate(recipe, epoch) for epoch in range(epochs)]
    if not (name == "step" and milestones and round(milestones[0] * epochs) == 0):
        assert rates[0] == pytest.approx(rate)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates))
    assert all(0 < value <= rate * (1 + 1e-9) for value in rates)


def test_cifar10_steps_where_the_paper_does():
    recipe = recipes.get("cifar10")
    rates = [learning_rate(recipe, epoch) for epoch in range(recipe.epochs)]
    # 100 and 110 of 120 epochs, in 150.
    assert [rates.index(value) for value in (1e-3, 1e-4, 1e-5)] == [0, 125, 138]
