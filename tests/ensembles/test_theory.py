"""Table 7 and section 9 of BENN."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn.ensembles import theory
from tflbnn.errors import UserError

# As printed: sigma, B, R.
TABLE_7 = (
    (1.5, "1.25", "2.25"),
    (1.0, "1.0", "1.0"),
    (0.5, "0.59", "0.25"),
    (0.1, "0.13", "0.01"),
    (0.01, "0.013", "0.0001"),
    (0.001, "0.0013", "0.000001"),
)


def printed(value: float, like: str) -> str:
    return f"{value:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize(("sigma", "b", "r"), TABLE_7)
def test_table_7_to_every_printed_digit(sigma, b, r):
    found_b, found_r = theory.table7(sigma)
    assert (printed(found_b, b), printed(found_r, r)) == (b, r)


@pytest.mark.parametrize("sigma", [row[0] for row in TABLE_7])
def test_b_is_what_drawing_gives(sigma):
    estimate, error = theory.estimate_b(sigma, samples=4_000_000, seed=1)
    assert abs(estimate - theory.table7(sigma)[0]) < 4 * error


@pytest.mark.parametrize("binarized", [None, "activations", "weights", "both"])
@pytest.mark.parametrize("members", [1, 4])
def test_a_neurons_variance_is_what_drawing_gives(binarized, members):
    values = {"sigma": 0.5, "connections": 32, "sigma_w": 0.7, "binarized": binarized, "members": members}
    # The variance of 20,000 changes is known to about 1 % (more for the heavier tails of products).
    assert theory.simulate(**values) == pytest.approx(theory.output_variance(**values), rel=0.06)


@settings(deadline=None)
@given(st.floats(1e-3, 10), st.floats(0.1, 3), st.sampled_from(["activations", "weights", "both"]))
def test_the_theorems_k_is_the_least_that_beats_float(sigma, sigma_w, binarized):
    k = theory.members_to_beat_float(sigma, sigma_w, binarized)
    full_precision = theory.output_variance(sigma, 7, sigma_w)

    def variance(members: int) -> float:
        return theory.output_variance(sigma, 7, sigma_w, binarized, members)

    assert variance(k) < full_precision * (1 + 1e-12)
    assert k == 1 or variance(k - 1) >= full_precision * (1 - 1e-12)


def test_the_theorems_bounds_as_it_states_them():
    b, r = theory.table7(0.1)
    assert theory.members_to_beat_float(0.1, binarized="activations") == math.floor(b / r) + 1 == 13
    assert theory.members_to_beat_float(0.1, 0.5, "weights") == math.floor(1 / 0.25) + 1 == 5
    assert theory.members_to_beat_float(0.1, 0.5) == math.floor(b / (r * 0.25)) + 1 == 51


def test_layers_multiply():
    assert theory.layers_variance(0.5, [9, 4], [1.0, 0.5], "both") == pytest.approx(36 * theory.table7(0.5)[0])
    assert theory.layers_variance(0.5, [9], [0.5]) == theory.output_variance(0.5, 9, 0.5)


@pytest.mark.parametrize("sigma", [0, -1, math.nan, math.inf])
def test_sigma_must_be_positive(sigma):
    with pytest.raises(UserError, match=r"sigma must be above 0 and finite"):
        theory.table7(sigma)
