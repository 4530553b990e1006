"""The boosting methods against scikit-learn and against oracles written from their papers; the bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import AdaBoostClassifier

from tests.ensembles import oracles
from tflbnn.ensembles import reweighting
from tflbnn.ensembles.voting import vote
from tflbnn.errors import UserError

EXACT = 1e-12


class Given(ClassifierMixin, BaseEstimator):
    """A weak learner that says what it is given, one table after another; X holds the examples' numbers."""

    def __init__(self, tables=None, journal=None):
        self.tables, self.journal = tables, journal

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.number_ = len(self.journal)
        self.journal.append(sample_weight / sample_weight.sum())
        return self

    def predict(self, X):
        return self.tables[self.number_][X[:, 0].astype(int)]


class Shared(list):
    """A list that scikit-learn's clone leaves shared."""

    def __deepcopy__(self, memo):
        return self


def weak_predictions(seed: int, members: int, examples: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, of which every class has some, and predictions that are right half of the time."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, examples - classes)])
    right = rng.random((members, examples)) < 0.5
    return y, np.where(right, y, rng.integers(0, classes, (members, examples)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_samme_is_scikit_learns(seed, classes):
    y, predictions = weak_predictions(seed, 8, 333, classes)
    journal = Shared()
    theirs = AdaBoostClassifier(Given(predictions, journal), n_estimators=8)
    theirs.fit(np.arange(len(y))[:, np.newaxis], y)

    weights, alphas = reweighting.uniform(len(y)), []
    for number, predicted in enumerate(predictions[: len(journal)]):
        np.testing.assert_allclose(weights, journal[number], rtol=EXACT, atol=0)
        found = reweighting.samme(y, predicted, weights, classes)
        if found.guesses:
            break
        alphas.append(found.weight)
        weights = found.weights
    np.testing.assert_allclose(alphas, theirs.estimator_weights_[: len(alphas)], rtol=EXACT)
    assert len(alphas) == len(theirs.estimators_)

    # scikit-learn's votes: 1 for a class and -1/(C - 1) for each other.
    shares = vote(np.eye(classes)[predictions[: len(alphas)]], "hard", alphas)
    decision = shares - (1 - shares) / (classes - 1)
    if classes == 2:
        decision = decision[:, 1] - decision[:, 0]
        decision = decision / 2
    expected = theirs.decision_function(np.arange(len(y))[:, np.newaxis])
    scale = np.abs(expected).max() / np.abs(decision).max() if classes == 2 else 1.0
    np.testing.assert_allclose(decision * scale, expected, atol=EXACT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_samme_r_is_the_papers(seed, classes):
    rng = np.random.default_rng(seed)
    y, predictions = weak_predictions(seed, 6, 200, classes)
    probabilities = rng.dirichlet(np.ones(classes), (6, 200)) * 0.5 + np.eye(classes)[predictions] * 0.5
    expected, total = oracles.samme_r(probabilities, y)
    weights = reweighting.uniform(200)
    used = 0
    for number, said in enumerate(probabilities):
        np.testing.assert_allclose(weights, expected[number], rtol=EXACT)
        found = reweighting.samme_r(y, said, weights)
        if found.guesses:
            break
        assert found.weight == 1.0
        weights, used = found.weights, number + 1
    assert used >= 2
    _, total = oracles.samme_r(probabilities[:used], y)
    votes = vote(probabilities[:used], "geometric")
    np.testing.assert_array_equal(votes.argmax(axis=1), total.argmax(axis=1))
    # The oracle's sum, as scikit-learn made probabilities of it.
    powers = np.exp(total / (classes - 1) / used)
    np.testing.assert_allclose(votes, powers / powers.sum(axis=1, keepdims=True), atol=EXACT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_logitboost_is_the_papers(seed, classes):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, 100)
    regressions = rng.standard_normal((5, 100, classes))
    steps, p = oracles.logitboost(regressions, y, reweighting.LARGEST_RESPONSE)
    scores = np.zeros((100, classes))
    for (z, w), f in zip(steps, regressions, strict=True):
        found_z, found_w = reweighting.logitboost(y, scores)
        np.testing.assert_allclose(found_z, z, rtol=EXACT, atol=EXACT)
        np.testing.assert_allclose(found_w, w, rtol=EXACT, atol=EXACT)
        scores = scores + reweighting.centred(f)
    np.testing.assert_allclose(vote(regressions, "additive"), p, atol=EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_a_bootstrap_holds_63_percent_of_the_examples(seed):
    for examples in (20_000, 60_000):
        rows = reweighting.draw(reweighting.uniform(examples), np.random.default_rng(seed))
        assert len(rows) == examples
        assert abs(len(np.unique(rows)) / examples - 0.632) <= 0.005


def test_examples_are_drawn_by_their_weights():
    weights = np.array([0.0, 1.0, 3.0] * 20_000)
    counts = np.bincount(reweighting.draw(weights, np.random.default_rng(0)) % 3, minlength=3)
    assert counts[0] == 0
    assert counts[2] / counts[1] == pytest.approx(3, rel=0.05)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(12, 60))
def test_weights_stay_normalized_and_mistakes_weigh_more(seed, classes, examples):
    y, predictions = weak_predictions(seed, 1, examples, classes)
    rng = np.random.default_rng(seed)
    weights = rng.random(examples) + 1e-3
    probabilities = rng.dirichlet(np.ones(classes), examples)
    for found, wrong in (
        (reweighting.samme(y, predictions[0], weights, classes), predictions[0] != y),
        (reweighting.samme_r(y, probabilities, weights), None),
    ):
        assert found.weights.sum() == pytest.approx(1)
        assert (found.weights >= 0).all()
        assert found.weight >= 0
        if wrong is not None and found.weight > 0 and wrong.any() and not wrong.all():
            gains = found.weights / (weights / weights.sum())
            assert gains[wrong].min() > gains[~wrong].max()


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_who_guesses_has_no_vote_against_itself(classes):
    y = np.arange(classes).repeat(10)
    always_first = np.zeros_like(y)
    found = reweighting.samme(y, always_first, reweighting.uniform(len(y)), classes)
    assert found.error == pytest.approx(1 - 1 / classes)
    worse = reweighting.samme(y, (y + 1) % classes, reweighting.uniform(len(y)), classes)
    assert found.guesses
    assert worse.guesses
    assert worse.weight == 0.0
    np.testing.assert_allclose(worse.weights, reweighting.uniform(len(y)), rtol=EXACT)


def test_a_member_without_mistakes_changes_nothing():
    y = np.array([0, 1, 2])
    found = reweighting.samme(y, y, reweighting.uniform(3), 3)
    assert (found.error, found.weight) == (0.0, 1.0)
    np.testing.assert_allclose(found.weights, reweighting.uniform(3), rtol=EXACT)


@pytest.mark.parametrize("weights", [[0.0, 0.0], [-1.0, 2.0], [np.nan, 1.0], [[1.0, 1.0]]])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(UserError, match=r"Weights of examples must be"):
        reweighting.draw(np.array(weights), np.random.default_rng(0))
