"""Recipes train in their smallest form, on small files in the real formats: one a family; all as a long test."""

import time

import numpy as np
import pytest

from tests.data.cifar_files import write_cifar10
from tests.data.idx_files import write_mnist
from tests.data.imagenet_files import write_folder
from tests.data.voc_files import write_voc
from tflbnn import recipes
from tflbnn.training import train
from tflbnn.training.scores import score_of
from tflbnn.training.smoke import smoke_recipe

ONE_OF_EACH = (
    "digits",
    "fashion-mnist",
    "ssd-shapes",
    "ltb-lenet",
    "bdn-28",
    "bnn-plus-alexnet-r1-ss5",
    "fashion-mnist-nin",
)
SIDES = {"digits": 8, "fashion-mnist": 28, "mnist": 28, "cifar10": 32, "shapes": 64, "imagenet": 72, "voc": 64}
LONGEST = 20  # CPU seconds of a run, on two cores or one


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder / "fashion-mnist", 80, compressed=True)
    write_mnist(folder / "mnist", 80, compressed=True)
    write_cifar10(folder / "cifar10", 20)
    write_folder(folder / "imagenet", 40)
    write_voc(folder / "voc", 20)
    return folder


def _smoke(name, data_dir, out):
    recipe = recipes.get(name)
    run = train(recipe, out, smoke=True, data_dir=data_dir)
    assert run.finished
    assert len(run.history) == 1
    assert np.isfinite(run.metrics["test_loss"])
    _, tested = score_of(run.metrics, "test")
    assert 0 <= tested <= 1
    assert run.metrics["input_shape"][0] == SIDES[recipe.data.name]
    assert bool(run.start) == bool(recipe.pretraining)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_smoke(name, data_dir, tmp_path):
    _smoke(name, data_dir, tmp_path / "run")


def test_one_of_each_family_is_among_them():
    for family in recipes.FAMILIES:
        assert {recipe.name for recipe in family.RECIPES} & set(ONE_OF_EACH)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in recipes.NAMES if name not in ONE_OF_EACH])
def test_smoke_of_the_others(name, data_dir, tmp_path):
    start = time.process_time()
    _smoke(name, data_dir, tmp_path / "run")
    assert time.process_time() - start < 2 * LONGEST


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_smoke_recipe_is_small(name):
    smoke = smoke_recipe(recipes.get(name))
    assert (smoke.epochs, smoke.data.samples) == (1, 64)
    if not recipes.get(name).published:
        assert smoke.network == recipes.get(name).network
        return
    for knob in ("layers", "blocks"):
        if knob in smoke.network.knobs:
            assert set(smoke.network.knobs[knob]) == {1}
    assert smoke.network.knobs.get("width", 0.1) == 0.1
