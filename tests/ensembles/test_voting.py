"""Votes, early exit, diversity, stability, configurations, settings."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn import recipes
from tflbnn.ensembles import stability
from tflbnn.ensembles.configurations import NAMES, configure
from tflbnn.ensembles.diversity import diversity
from tflbnn.ensembles.settings import Settings
from tflbnn.ensembles.voting import RULES, vote
from tflbnn.errors import UserError
from tflbnn.runtime.ensemble import Ensemble, vote_early

outputs_of = st.integers(0, 2**32 - 1).map(
    lambda seed: (lambda rng: rng.dirichlet(np.ones(rng.integers(2, 6)), (rng.integers(1, 8), 9)))(
        np.random.default_rng(seed)
    )
)


@settings(deadline=None)
@given(outputs_of, st.sampled_from(RULES))
def test_votes_sum_to_one_and_a_unanimous_vote_stands(outputs, rule):
    votes = vote(outputs, rule)
    np.testing.assert_allclose(votes.sum(axis=1), 1)
    same = np.repeat(outputs[:1], 3, axis=0)
    np.testing.assert_array_equal(vote(same, rule).argmax(axis=1), outputs[0].argmax(axis=1))


def test_soft_votes_are_of_probabilities_not_of_logits():
    """One member that is very sure does not outvote four, whatever its logits."""
    logits = np.array([[[60.0, 0.0]]] + [[[0.0, 3.0]]] * 4)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    assert logits.sum(axis=0).argmax() == 0
    assert vote(probabilities, "mean").argmax() == 1


def test_hard_votes_draw_to_the_first_class():
    assert vote([[[0.1, 0.9]], [[0.9, 0.1]]], "hard").argmax() == 0


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan]])
def test_weights_must_be_one_a_member(weights):
    with pytest.raises(UserError, match=r"Each of 2 members needs a weight"):
        vote(np.ones((2, 1, 2)) / 2, "mean", weights)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["hard", "mean"]), st.booleans())
def test_early_exit_is_exact(seed, rule, equal):
    rng = np.random.default_rng(seed)
    members, classes = rng.integers(1, 10), rng.integers(2, 5)
    outputs = rng.dirichlet(np.full(classes, 0.4), (members, 25)).astype(np.float32)
    weights = np.full(members, 1 / members) if equal else rng.dirichlet(np.ones(members))
    ensemble = Ensemble(rule, tuple(weights), tuple(map(str, range(members))))
    numbers = np.arange(25)
    votes, asked = vote_early(ensemble, lambda name, rows: outputs[int(name), rows], numbers, int(classes))
    np.testing.assert_array_equal(votes.argmax(axis=1), vote(outputs, rule, weights).argmax(axis=1))
    assert asked.min() >= 1
    assert asked.max() <= members
    if rule == "hard" and equal:  # nobody is asked for nothing: without the last one asked it was open
        for image in numbers:
            counts = np.bincount(outputs[: asked[image] - 1, image].argmax(axis=1), minlength=classes)
            left = members - (asked[image] - 1)
            rivals = [counts[c] + left > counts.max() or (counts[c] + left == counts.max() and c < counts.argmax())
                      for c in range(classes) if c != counts.argmax()]  # fmt: skip
            assert asked[image] == 1 or any(rivals)


def test_early_exit_asks_half_of_a_unanimous_ensemble():
    ensemble = Ensemble("hard", (0.2,) * 5, tuple("abcde"))
    votes, asked = vote_early(ensemble, lambda name, rows: np.eye(3)[[1] * len(rows)], np.zeros((4, 1)), 3)
    assert asked.tolist() == [3] * 4
    assert votes.argmax(axis=1).tolist() == [1] * 4
    assert vote_early(ensemble, lambda name, rows: np.eye(3)[rows], np.zeros((0, 1)), 3)[0].shape == (0, 3)


def test_diversity_of_the_same_and_of_the_opposite():
    y = np.array([0, 0, 1, 1])
    same = np.array([[0, 1, 1, 0]] * 2)
    opposite = np.array([[0, 0, 0, 0], [1, 1, 1, 1]])
    assert diversity(same, y).disagreement == 0
    assert diversity(same, y).q_statistic == 1
    assert diversity(opposite, y).disagreement == 1
    assert diversity(opposite, y).q_statistic == -1
    assert np.isnan(diversity(same[:1], y).disagreement)


def test_independent_members_have_no_q():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 100_000)
    found = diversity(rng.integers(0, 2, (2, 100_000)), y)
    assert abs(found.q_statistic) < 0.03
    assert found.disagreement == pytest.approx(0.5, abs=0.01)


def test_votes_oscillate_less_than_members():
    rng = np.random.default_rng(0)
    y = np.zeros(500, int)
    level = 0.55 + 0.15 * rng.standard_normal((9, 20, 1))  # each member's accuracy goes up and down by itself
    right = rng.random((9, 20, 500)) < level
    outputs = np.stack([right, ~right], axis=-1).astype(float)
    one = stability.deviation(stability.step_accuracies(outputs[:1], y, "hard"))
    nine = stability.deviation(stability.step_accuracies(outputs, y, "hard"))
    assert nine < one
    with pytest.raises(UserError, match=r"two steps or more"):
        stability.deviation([0.5])


@pytest.mark.parametrize("name", NAMES)
def test_every_configuration_of_table_2(name):
    recipe = configure(recipes.get("fashion-mnist-nin"), name, bits=3)
    made = recipe.binarization
    kind, _, size = name.partition("-")
    assert (made.first, made.last) == {"SB": ("float32",) * 2, "IB": ("binary_weights", "binary")}.get(
        kind, ("binary", "binary")
    )
    bits = {"WQB": (1, 3), "AQB": (3, 1)}.get(kind, (1, 1))
    assert (made.input_bits if made.input_quantizer == "dorefa" else 1) == bits[0]
    assert (made.kernel_bits if made.kernel_quantizer == "dorefa" else 1) == bits[1]
    assert recipe.get("network.width") == {"": 0.1, "Tiny": 0.5, "Nano": 0.1}[size]
    model = recipe.network.build((8, 8, 1), 10, made)
    first = model.get_layer("conv1")
    assert (getattr(first, "input_quantizer", None) is None) == (kind in ("SB", "IB"))
    assert (getattr(first, "kernel_quantizer", None) is None) == (kind == "SB")


def test_wrong_configurations_and_settings_name_the_nearest():
    with pytest.raises(UserError, match=r"Did you mean 'AB-Nano'"):
        configure(recipes.get("fashion-mnist-nin"), "AB-Nanos")
    with pytest.raises(UserError, match=r"Did you mean 'samme\.r'"):
        Settings("samme-r")
    with pytest.raises(UserError, match=r"1 to 10,000 members. Received: 0"):
        Settings(members=0)
    with pytest.raises(UserError, match=r"has no setting 'member'. Did you mean 'members'"):
        Settings.from_dict({"member": 3})
    assert Settings.from_dict(Settings("samme", 7).to_dict()) == Settings("samme", 7)


def test_every_ensemble_of_the_paper_has_its_recipe():
    from tflbnn.recipes.benn import ENSEMBLES, OSCILLATION

    for row in (*ENSEMBLES, *OSCILLATION):
        assert recipes.get(row.recipe).pretraining.method == "xnor_net"
        assert dataclasses.replace(Settings(), method=row.method, members=row.members, sequential=row.sequential)
