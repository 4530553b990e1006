"""Recipes: the same in Python, text and JSON; whatever a file holds, a recipe or one clear line."""

import dataclasses
import json
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn import networks, recipes
from tflbnn._files import read_json
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.recipes import (
    Augmentation,
    Choice,
    Data,
    Execution,
    Loss,
    Network,
    Optimizer,
    Pretraining,
    Range,
    Recipe,
    Schedule,
    overrides,
)
from tflbnn.recipes.values import describe, example, parse

ADDITIONS = {
    "epochs": st.integers(1, 100_000),
    "batch_size": st.integers(1, 65_536),
    "seed": st.integers(0, 2**31 - 1),
    "data": st.builds(
        Data,
        name=st.sampled_from(["digits", "mnist", "cifar100"]),
        validation=st.floats(0.001, 0.5),
        split_seed=st.integers(0, 2**31 - 1),
        samples=st.none() | st.integers(1, 1000),
        side=st.none() | st.integers(8, 4096),
        crop=st.none() | st.integers(1, 4096),
    ),
    "binarization": st.builds(
        Binarization, t_clip=st.floats(1e-3, 1e3), downsampling=st.sampled_from(["float32", "binary"])
    )
    | st.just(Binarization.float32()),
    "augmentation": st.builds(Augmentation, padding=st.integers(0, 64), flip=st.booleans(), mixup=st.floats(0, 1)),
    "optimizer": st.builds(
        Optimizer,
        name=st.sampled_from(["adam", "sgd", "radam"]),
        learning_rate=st.floats(1e-12, 100),
        momentum=st.floats(0, 0.999),
        binary=st.sampled_from(["same", "bop", "sgd"]),
        binary_learning_rate=st.none() | st.floats(1e-12, 100),
        threshold=st.floats(0, 1),
    ),
    "loss": st.builds(
        Loss,
        label_smoothing=st.floats(0, 0.9),
        teacher=st.sampled_from(["", "runs/teacher"]),
        teacher_weight=st.floats(0, 1),
        temperature=st.floats(0.01, 100),
    ),
    "pretraining": st.builds(Pretraining, method=st.sampled_from(["", "htanh"]), epochs=st.none() | st.integers(1, 9))
    | st.builds(Pretraining, recipe=st.just("digits"))
    | st.builds(Pretraining, run=st.just("runs/first")),
    "execution": st.builds(
        Execution,
        precision=st.sampled_from(["auto", "float32", "mixed_bfloat16"]),
        jit_compile=st.booleans(),
        steps_per_execution=st.integers(1, 4096),
    ),
    "schedule": st.builds(
        Schedule,
        name=st.sampled_from(["constant", "step", "cosine"]),
        milestones=st.lists(st.floats(0.01, 0.99), unique=True).map(lambda values: tuple(sorted(values))),
        factor=st.floats(0.001, 1),
        warm_up=st.floats(0, 0.5),
        regularization_rise=st.floats(0, 1),
    ),
    "network": st.builds(
        Network,
        name=st.just("binary_densenet"),
        knobs=st.fixed_dictionaries(
            {},
            optional={
                "layers": st.lists(st.integers(1, 100), min_size=1).map(tuple),
                "growth_rate": st.integers(1, 65_536),
                "reduction": st.lists(st.floats(1, 100), max_size=4).map(tuple),
                "stem": st.sampled_from(["cifar", "imagenet"]),
            },
        ),
    ),
    "tunable": st.dictionaries(
        st.text(max_size=5),
        st.builds(Choice, st.lists(st.integers() | st.text() | st.booleans(), min_size=1).map(tuple))
        | st.builds(Range, low=st.floats(-10, 0), high=st.floats(1, 10)),
        max_size=3,
    ),
}
RECIPES = st.builds(
    Recipe,
    name=st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,63}", fullmatch=True),
    summary=st.text("abc é×%", max_size=80),
    paper=st.just("BDN"),
    **ADDITIONS,
)


@given(RECIPES)
def test_json_gives_back_every_recipe(recipe):
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@given(RECIPES)
def test_every_field_can_be_set_by_its_own_text(recipe):
    def text(value):
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    start = dataclasses.replace(recipes.get("digits"), name=recipe.name, network=Network(recipe.network.name))
    values = {"epochs": recipe.epochs, "batch_size": recipe.batch_size, "seed": recipe.seed}
    for part in ("data", "binarization", "augmentation", "optimizer", "schedule", "loss", "pretraining", "execution"):
        fields = dataclasses.asdict(getattr(recipe, part))
        values.update({f"{part}.{field}": value for field, value in fields.items()})
    values.update({f"network.{knob}": value for knob, value in recipe.network.knobs.items()})
    result = start.override({key: text(value) for key, value in values.items()})
    for field in ADDITIONS.keys() - {"tunable"}:
        assert getattr(result, field) == getattr(recipe, field)
    for key, value in values.items():
        assert result.get(key) == value


@pytest.mark.parametrize("name", recipes.NAMES)
def test_registered_recipes(name):
    recipe = recipes.get(name)
    assert recipe.name == name
    for key, space in recipe.tunable.items():
        default = recipe.get(key)
        inside = default in space.values if isinstance(space, Choice) else space.low <= default <= space.high
        assert inside, f"{key}={default} is outside of what may be tuned"
    assert next(row for row in recipes.table() if row["recipe"] == name)["paper"]


def test_short_and_long_keys():
    recipe = recipes.get("digits")
    assert recipe.override({"growth_rate": "16"}) == recipe.override({"network.growth_rate": "16"})
    assert recipe.override({"t_clip": "0.5"}).binarization == Binarization(t_clip=0.5)
    assert recipe.override({"layers": "(3, 3)"}).get("layers") == (3, 3)
    assert recipe.override({"samples": "none", "flip": "true"}).augmentation.flip is True
    assert recipe.get("stem") == "cifar"  # the builder's default
    assert recipe.replace("reduction", [2, 1.4]).get("reduction") == (2.0, 1.4)


def test_another_network_drops_the_knobs_of_the_old_one_whatever_the_order():
    changed = recipes.get("digits").override({"growth_rate": "64", "network.name": "binary_densenet28"})
    assert changed.network == Network("binary_densenet28", {"growth_rate": 64})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("growthrate", "1", "Did you mean 'growth_rate'?"),
        ("binarisation.t_clip", "1", "Did you mean 'binarization.t_clip'?"),
        ("zzzzzz", "1", "Choose one of: validation"),
        ("name", "mnist", "ambiguous. Write one of: network.name, data.name"),
        ("tunable", "{}", "no field 'tunable'"),
        ("network.knobs", "{}", "no field 'network.knobs'"),
        ("", "1", "no field ''"),
        ("epochs", "0", "at least 1"),
        ("epochs", "", "must be an integer"),
        ("epochs", "3.5", "must be an integer"),
        ("epochs", "1" * 5000, "must be an integer"),
        ("epochs", "9999999", "at most 100000"),
        ("seed", "-1", "at least 0"),
        ("t_clip", "0", "above 0"),
        ("t_clip", "nan", "must be a number"),
        ("t_clip", "inf", "must be a number"),
        ("t_clip", "1e400", "must be a number"),
        ("t_clip", "__import__('os')", "must be a number"),
        ("learning_rate", "0", "above 0"),
        ("learning_rate", "-1e-3", "above 0"),
        ("flip", "maybe", "must be true or false"),
        ("optimizer.name", "adm", "must be adam or sgd"),
        ("data.name", "fashion_mnist", "Did you mean 'fashion-mnist'?"),
        ("network.name", "binary_densenet82", "Did you mean 'binary_densenet28'?"),
        ("validation", "0", "above 0"),
        ("validation", "0.9", "at most 0.5"),
        ("samples", "0", "at least 1"),
        ("milestones", "0.9,0.5", "must rise"),
        ("milestones", "0,0.5", "must rise"),
        ("growth_rate", "99999999", "at most 65536"),
        ("layers", "2,x", "integers with commas between"),
        ("stem", "vgg", "cifar or imagenet"),
    ],
)
def test_wrong_changes_are_refused_in_one_line(key, value, message):
    with pytest.raises(UserError) as caught:
        recipes.get("digits").override({key: value})
    assert message in str(caught.value)
    assert len(str(caught.value)) < 900
    assert "\n" not in str(caught.value)


def test_wrong_values_are_refused_in_python_too():
    recipe = recipes.get("digits")
    with pytest.raises(UserError, match="epochs must be an integer"):
        dataclasses.replace(recipe, epochs="3")
    with pytest.raises(UserError, match=r"has no knob 'growth_rte'\. Did you mean 'growth_rate'"):
        Network("binary_densenet", {"growth_rte": 1})
    with pytest.raises(UserError, match="data must be a Data"):
        dataclasses.replace(recipe, data="digits")
    with pytest.raises(UserError, match="lower-case"):
        dataclasses.replace(recipe, name="../escape")
    with pytest.raises(UserError, match="lower one first"):
        Range(2, 1)
    with pytest.raises(UserError, match="choices"):
        Choice(())
    with pytest.raises(UserError, match=r"one stage before.*method=htanh and pretraining\.run=runs/a"):
        Pretraining(method="htanh", run="runs/a")
    with pytest.raises(UserError, match=r"no binarization 'htan'\. Did you mean 'htanh'"):
        Pretraining(method="htan")


def test_unknown_recipe_names_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'digits'"):
        recipes.get("digts")


ODD = [None, [], {}, "", "x" * 10_000, "\ud800", "a\nb", -1, 0, 10**30, 1e308, True, [[[]]], {"low": 1}, 0.5, "digits"]


def _mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.randint(1, 2)):
        position = rng.randrange(len(data))
        kind = rng.randrange(4)
        if kind == 0:
            data[position] = rng.randrange(256)
        elif kind == 1:
            del data[position : position + rng.randint(1, 30)]
        elif kind == 2:
            data[position:position] = data[rng.randrange(len(data)) :][: rng.randint(1, 30)]
        else:
            pieces = [b"9" * 30, b"9", b"-", b"NaN", b"-Infinity", b"1e999", b"null", b"[" * 2000, b'"']
            data[position:position] = rng.choice(pieces)
        if not data:
            return b""
    return bytes(data)


def _mutate_values(value, rng: random.Random):
    value = json.loads(json.dumps(value))
    place = value
    while True:
        key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.7:
            place = place[key]
        else:
            break
    if isinstance(place, dict) and rng.random() < 0.3:
        place[rng.choice(["", "name", "epochs", "__class__", "x" * 200])] = place.pop(key)
    else:
        place[key] = rng.choice(ODD)
    return value


def test_no_recipe_file_does_harm(tmp_path):
    rng = random.Random(0)
    path = tmp_path / "recipe.json"
    original = recipes.get("digits").to_dict()
    text = json.dumps(original, indent=2).encode()
    outcomes = {"recipe": 0, "error": 0}
    for round_ in range(2000):
        if round_ % 2:
            path.write_bytes(_mutate_bytes(text, rng))
        else:
            path.write_text(json.dumps(_mutate_values(original, rng)))
        try:
            recipe = Recipe.from_dict(read_json(path, "recipe"))
        except UserError as error:
            assert len(str(error)) < 1000  # noqa: PT017
            outcomes["error"] += 1
        else:
            assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
            outcomes["recipe"] += 1
    assert min(outcomes.values()) > 50


def test_deep_json_is_refused(tmp_path):
    path = tmp_path / "recipe.json"
    for depth in (100, 900, 100_000):
        path.write_text('{"name": ' + "[" * depth + "]" * depth + "}")
        with pytest.raises(UserError):
            Recipe.from_dict(read_json(path, "recipe"))


@pytest.mark.parametrize("name", networks.NAMES)
def test_every_knob_of_every_network_can_be_written_as_text(name):
    for knob, annotation in overrides.knobs(name).items():
        assert describe(annotation)
        assert parse(knob, example(annotation), annotation) is not None


def test_recipes_load_no_tensorflow():
    code = "import sys; from tflbnn import recipes; recipes.table(); print('tensorflow' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"


def test_a_preset_is_named_and_varied_in_any_order() -> None:
    recipe = recipes.get("digits").override({"downsampling": "binary"})
    for values in (
        {"binarization": "xnor_net", "binarization.t_clip": "0.5"},
        {"t_clip": "0.5", "binarization": "xnor_net"},
    ):
        made = recipe.override(values).binarization
        assert (made.scaling, made.input_scaling, made.t_clip, made.downsampling) == ("xnor", "xnor", 0.5, "binary")
    with pytest.raises(UserError, match="no binarization 'xnor'"):
        recipe.override({"binarization": "xnor"})
