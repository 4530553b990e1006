"""Learning rates."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn import recipes
from tflbnn.recipes import Optimizer, Schedule
from tflbnn.training.schedules import learning_rate, regularization


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


def test_warm_up_rises_in_equal_steps_and_a_cosine_begins_behind():
    changes = {"epochs": "10", "warm_up": "0.3", "schedule.name": "cosine", "optimizer.learning_rate": "4e-3"}
    recipe = recipes.get("digits").override(changes)
    rates = [learning_rate(recipe, epoch) for epoch in range(10)]
    assert rates[:4] == pytest.approx([1e-3, 2e-3, 3e-3, 4e-3])
    behind = recipe.override({"epochs": "7", "warm_up": "0"})
    assert rates[3:] == pytest.approx([learning_rate(behind, epoch) for epoch in range(7)])


@given(st.integers(1, 50), st.floats(0, 1))
def test_lambda_rises_to_what_the_recipe_says(epochs, rise):
    recipe = recipes.get("digits").override({"epochs": str(epochs), "regularization_rise": str(rise)})
    values = [regularization(recipe, epoch) for epoch in range(epochs)]
    assert values == sorted(values)
    assert values[-1] == recipe.binarization.regularization
    assert values[0] > 0
