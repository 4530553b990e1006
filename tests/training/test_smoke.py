"""Every recipe of the registry trains, on small files in the real formats."""

import numpy as np
import pytest

from tests.data.cifar_files import write_cifar10
from tests.data.idx_files import write_mnist
from tflbnn import recipes
from tflbnn.training import train


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
    assert 0 <= run.metrics["test_accuracy"] <= 1
    assert run.metrics["input_shape"] == {"digits": [8, 8, 1], "fashion-mnist": [28, 28, 1]}.get(name, [32, 32, 3])
