"""The hypervolume against counting points of a grid."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn.tuning.hypervolume import hypervolume, improvement, non_dominated

EDGE = 5  # of the cube of unit cells between 0 and the reference point


def fronts(dimensions):
    return st.lists(st.tuples(*[st.integers(0, EDGE + 1)] * dimensions), max_size=8)


def counted(points, dimensions):
    cells = itertools.product(range(EDGE), repeat=dimensions)
    return sum(any(all(p <= c for p, c in zip(point, cell, strict=True)) for point in points) for cell in cells)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_volume_and_improvement_are_the_cells_that_are_beaten(dimensions):
    @given(fronts(dimensions), st.tuples(*[st.integers(0, EDGE + 1)] * dimensions))
    def check(points, point):
        reference = [EDGE] * dimensions
        assert hypervolume(points, reference) == counted(points, dimensions)
        grown = counted([*points, point], dimensions) - counted(points, dimensions)
        assert improvement(point, points, reference) == grown

    check()


@given(fronts(3).filter(bool))
def test_the_front_has_the_whole_volume(points):
    front = np.array(points)[non_dominated(points)]
    assert hypervolume(front, [EDGE + 2] * 3) == hypervolume(points, [EDGE + 2] * 3)
