"""Objectives and constraints: what is written is what is asked for, in any unit, and nothing else is accepted."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn.errors import UserError
from tflbnn.tuning.objectives import Constraint, parse_constraints, parse_objectives


@given(st.permutations(["accuracy", "latency", "size"]), st.integers(0, 2))
def test_objectives_come_in_one_order(names, less):
    chosen = names[: 3 - less]
    if "accuracy" not in chosen:
        with pytest.raises(UserError, match="A search is after accuracy"):
            parse_objectives(",".join(chosen))
        return
    assert parse_objectives(",".join(chosen)) == tuple(n for n in ("accuracy", "latency", "size") if n in chosen)


@given(st.floats(1e-3, 1e6))
def test_constraints_read_back(limit):
    for name in ("latency", "size"):
        written = str(Constraint(name, limit))
        (read,) = parse_constraints(written)
        assert (read.name, read.limit) == (name, pytest.approx(limit, rel=1e-3))


def test_units():
    limits = {
        "latency<=5ms": 5, "latency<=0.5s": 500, "latency<=250us": 0.25,
        "size<=500KB": 500_000, "size<=1MiB": 2**20, "size<=1e3B": 1000,
    }  # fmt: skip
    assert {word: parse_constraints(word)[0].limit for word in limits} == limits
    assert parse_constraints("") == ()


@given(st.text(max_size=20), st.sampled_from(["", "latency<=", "size<=", "latency<=5"]))
def test_any_words_are_constraints_or_one_line(text, before):
    with contextlib.suppress(UserError):  # any other exception would fail the test
        assert all(constraint.limit > 0 for constraint in parse_constraints(before + text))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("latency<=5", "name<=number and unit.*latency<=5ms"),
        ("latency<=0ms", "above 0"),
        ("size<=5ms", "size<=500KB"),
        ("speed<=5ms", "latency<=5ms size<=500KB"),
        ("latency<=5ms latency<=6ms", "one constraint"),
    ],
)
def test_what_is_refused(words, message):
    with pytest.raises(UserError, match=message):
        parse_constraints(words)


def test_a_network_that_costs_more_is_refused_with_both_amounts():
    (constraint,) = parse_constraints("latency<=5ms")
    constraint.check({"latency_ms": 5.0}, "measured")
    with pytest.raises(UserError, match=r"latency must be at most 5 ms\. Received: 7\.25 ms, predicted\."):
        constraint.check({"latency_ms": 7.25}, "predicted")
