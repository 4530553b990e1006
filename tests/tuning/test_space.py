"""The search space: what is written is what is searched, and nothing else is accepted."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn import recipes
from tflbnn.errors import UserError
from tflbnn.tuning.space import Space, parse_space

DIGITS = recipes.get("digits")
Choice, Range = recipes.Choice, recipes.Range
rates = st.floats(1e-6, 99, allow_nan=False)
sizes = st.integers(1, 65_536)


@given(st.lists(sizes, min_size=2, max_size=6, unique=True))
def test_choices_keep_their_order_and_type(sizes):
    space = parse_space(DIGITS, ["batch_size=" + ",".join(map(str, sizes))])
    assert space.tunables == {"batch_size": Choice(tuple(sizes))}
    assert space.size() == len(sizes)
    assert space.recipe == DIGITS


@given(rates, rates, st.booleans())
def test_ranges_of_floats(a, b, log):
    low, high = sorted((a, b))
    word = f"optimizer.learning_rate={low!r}..{high!r}" + (":log" if log else "")
    if low == high:
        with pytest.raises(UserError, match="lower end first"):
            parse_space(DIGITS, [word])
        return
    space = parse_space(DIGITS, [word])
    assert space.tunables == {"optimizer.learning_rate": Range(low, high, log)}
    assert space.size() is None
    with pytest.raises(UserError, match=r"lower end first.*Write optimizer\.learning_rate="):
        parse_space(DIGITS, [f"optimizer.learning_rate={high!r}..{low!r}"])


@given(sizes, sizes)
def test_ranges_of_integers(a, b):
    low, high = sorted((a, b + 1))
    if low < high <= 65_536:
        tunable = parse_space(DIGITS, [f"batch_size={low}..{high}"]).tunables["batch_size"]
        assert (type(tunable.low), type(tunable.high)) == (int, int)
        assert parse_space(DIGITS, [f"batch_size={low}..{high}"]).size() == high - low + 1


@given(st.text(max_size=30))
def test_any_word_is_a_space_or_one_line(text):
    for word in (text, f"t_clip={text}", f"{text}=1,2"):
        with contextlib.suppress(UserError):  # any other exception would fail the test
            assert parse_space(DIGITS, [word]).tunables


@given(st.dictionaries(st.sampled_from(["batch_size", "seed"]), sizes, min_size=1))
def test_variants_differ_in_what_is_searched_alone(values):
    space = Space(DIGITS, {"batch_size": Range(1, 65_536), "seed": Range(0, 2**31 - 1)})
    variant = space.variant(values)
    assert {key: variant.get(key) for key in values} == values
    for key in values:
        variant = variant.replace(key, DIGITS.get(key))
    assert variant == DIGITS


def test_short_keys_knobs_and_logarithmic_ranges():
    space = parse_space(DIGITS, ["growth_rate=8,16", "t_clip=0.25..2.0", "learning_rate=1e-4..1e-2:log"])
    assert space.tunables == {
        "network.growth_rate": Choice((8, 16)),
        "binarization.t_clip": Range(0.25, 2.0),
        "optimizer.learning_rate": Range(1e-4, 1e-2, log=True),
    }
    assert str(space) == (
        "network.growth_rate=8,16  binarization.t_clip=0.25..2.0  optimizer.learning_rate=0.0001..0.01:log"
    )


def test_one_value_fixes_a_field_and_leaves_the_recipe_s_own_space():
    space = parse_space(DIGITS, ["t_clip=0.5", "epochs=3"])
    assert space.recipe == DIGITS.override({"t_clip": "0.5", "epochs": "3"})
    assert "binarization.t_clip" not in space.tunables
    assert "network.growth_rate" in space.tunables
    assert list(parse_space(DIGITS, ["t_clip=0.5", "seed=1,2"]).tunables) == ["seed"]


def test_fields_of_several_numbers_are_separated_by_slashes():
    space = parse_space(DIGITS, ["network.layers=2,2,2/3,3,3"])
    assert space.tunables == {"network.layers": Choice(((2, 2, 2), (3, 3, 3)))}
    assert space.variant({"network.layers": (3, 3, 3)}).get("layers") == (3, 3, 3)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("t_clp=0.5,1", "Did you mean 't_clip'"),
        ("growth_rate", "must be key=values"),
        ("growth_rate=", "must be key=values"),
        ("=8,16", "must be key=values"),
        ("growth_rate=8,many", "must be an integer"),
        ("growth_rate=8,16.5", "must be an integer"),
        ("growth_rate=8,,16", "must be an integer"),
        ("growth_rate=8..", "low..high"),
        ("growth_rate=..16", "low..high"),
        ("growth_rate=8,8", "must differ"),
        ("t_clip=2..0.5", r"lower end first.*t_clip=0\.5\.\.2\.0"),
        ("t_clip=1..1", "lower end first"),
        ("t_clip=0..2", "t_clip must be above 0"),
        ("t_clip=0.5,-1", "t_clip must be above 0"),
        ("t_clip=0.5,nan", "must be a number"),
        ("t_clip=0.5..inf", "must be a number"),
        ("learning_rate=0..1:log", "begin above 0"),
        ("learning_rate=0.1..1:exp", "low..high:log"),
        ("learning_rate=0.1..1..2", "must be a number"),
        ("optimizer.name=adam..sgd", "a field that is a number"),
        ("optimizer.name=adam,sgdd", "must be adam or sgd"),
        ("batch_size=0,32", "batch_size must be at least 1"),
        ("epochs=1,2", "same training"),
        ("data.samples=10,20", "same data"),
        ("name=a,b", "ambiguous"),
        ("summary=a,b", "has no field"),
    ],
)
def test_what_is_refused(word, message):
    with pytest.raises(UserError, match=message):
        parse_space(DIGITS, [word])


def test_the_same_field_twice_and_a_recipe_without_a_space():
    with pytest.raises(UserError, match=r"binarization\.t_clip twice"):
        parse_space(DIGITS, ["t_clip=0.5,1", "binarization.t_clip=2"])
    with pytest.raises(UserError, match="nothing to search"):
        Space(DIGITS, {})
