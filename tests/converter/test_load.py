"""Keras models from files, without a recipe: every format, and what is not trusted."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.converter.models import L, randomized, small
from tests.runtimes import predict_keras
from tflbnn._keras import keras, tf
from tflbnn.cli import app
from tflbnn.converter.load import load_model
from tflbnn.errors import UserError
from tflbnn.runtime import Model

SAMPLES = np.random.default_rng(0).normal(size=(2, 10, 9, 3)).astype(np.float32)


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model"])
def test_every_format_exports(name, tmp_path):
    model = small()
    model.save(str(tmp_path / name))
    out = tmp_path / "out.tflite"
    result = CliRunner().invoke(app, ["export", str(tmp_path / name), "-o", str(out), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["binary_layers"] == 3
    np.testing.assert_allclose(Model(out).predict(SAMPLES), predict_keras(model, SAMPLES)[0], atol=1e-5)
    assert (tmp_path / "out.verification.json").is_file()


def test_samples_of_ones_own_and_a_smaller_rest(tmp_path):
    small().save(str(tmp_path / "model.keras"))
    np.save(tmp_path / "x.npy", SAMPLES)
    arguments = [
        "export",
        str(tmp_path / "model.keras"),
        "--samples",
        str(tmp_path / "x.npy"),
        "--rest",
        "int8",
        "--json",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["samples_from"], found["rest"]["samples"]) == ("samples", 2)
    assert (tmp_path / "model.tflite").is_file()


def ran(x):
    raise AssertionError("the file's code was run")


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model"])
def test_code_in_a_file_is_not_run(name, tmp_path):
    image = L.Input((4,))
    model = keras.Model(image, L.Lambda(lambda x: x * 2.0, name="code")(L.Dense(3)(image)))
    model.save(str(tmp_path / name))
    with pytest.raises(UserError, match=r"Received: Lambda, whose code.*--trust"):
        load_model(tmp_path / name)
    assert load_model(tmp_path / name, trust=True).output_shape == (None, 3)


def test_a_layer_of_ones_own_is_refused(tmp_path):
    class Mine(L.Layer):
        def call(self, x):
            return ran(x) if False else x

    image = L.Input((4,))
    keras.Model(image, Mine()(image)).save(str(tmp_path / "model.h5"))
    with pytest.raises(UserError, match="Received: Mine, whose code"):
        load_model(tmp_path / "model.h5")


def test_a_saved_model_of_functions_only_is_refused(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: x, input_signature=[tf.TensorSpec((None, 3))])
    tf.saved_model.save(module, str(tmp_path / "model"))
    with pytest.raises(UserError, match="functions only"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_damaged_file(name, tmp_path):
    randomized(small()).save(str(tmp_path / name))
    content = (tmp_path / name).read_bytes()
    for cut in (0, 10, len(content) // 2):
        (tmp_path / f"cut-{name}").write_bytes(content[:cut])
        with pytest.raises(UserError, match=f"cut-{name}"):
            load_model(tmp_path / f"cut-{name}")
    with pytest.raises(UserError, match="Cannot read the model"):
        load_model(tmp_path / f"no-{name}")


def test_what_belongs_to_models_only(tmp_path):
    with pytest.raises(UserError, match="belong to a Keras model"):
        CliRunner().invoke(app, ["export", str(tmp_path), "--trust"], catch_exceptions=False)
