"""Every recipe of the registry trains, on small files in the real formats."""

import numpy as np
import pytest

from tests.data.cifar_files import write_cifar10
from tests.data.idx_files import write_mnist
from tflbnn import recipes
from tflbnn.training import train
from tflbnn.training.scores import score_of


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder / "fashion-mnist", 80, compressed=True)
    write_cifar10(folder / "cifar10", 20)
    return folder


@pytest.mark.parametrize("name", recipes.NAMES)
def test_smoke(name, data_dir, tmp_path):
    run = train(recipes.get(name), tmp_path / "run", smoke=True, data_dir=data_dir)
    assert run.finished
    assert len(run.history) == 1
    assert np.isfinite(run.metrics["test_loss"])
    _, tested = score_of(run.metrics, "test")
    assert 0 <= tested <= 1
    shapes = {"digits": [8, 8, 1], "fashion-mnist": [28, 28, 1], "ssd-shapes": [64, 64, 3]}
    assert run.metrics["input_shape"] == shapes.get(name, [32, 32, 3])
