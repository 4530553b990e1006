"""How a training is computed: in half precision where it pays, compiled, several steps in one call."""

import dataclasses

import numpy as np
import pytest

from tests.training.tiny import RECIPE
from tflbnn import data, recipes
from tflbnn._keras import keras
from tflbnn.data.images import Files
from tflbnn.errors import UserError
from tflbnn.recipes import Execution
from tflbnn.training import batches, execution, train

SHORT = dataclasses.replace(RECIPE, epochs=2)


def _with(**fields):
    return dataclasses.replace(SHORT, execution=Execution(**fields))


@pytest.mark.parametrize("amx", [True, False])
def test_auto_takes_half_precision_where_signs_are_multiplied(monkeypatch, amx):
    monkeypatch.setattr(execution, "multiplies_bfloat16", lambda: amx)
    expected = "mixed_bfloat16" if amx else "float32"
    binary = _with(precision="auto")
    assert execution.precision(binary) == expected
    assert execution.precision(binary.override({"binarization": "bnn_plus"})) == expected
    for other in (binary.override({"binarization": "float32"}), binary.override({"binarization": "dorefa"})):
        assert execution.precision(other) == "float32"
    assert execution.precision(recipes.get("ssd-shapes").override({"precision": "auto"})) == "float32"
    assert execution.precision(_with(precision="float32")) == "float32"
    assert execution.precision(_with(precision="mixed_bfloat16")) == "mixed_bfloat16"


def test_a_detector_is_not_trained_in_half_precision():
    recipe = recipes.get("ssd-shapes").override({"precision": "mixed_bfloat16"})
    with pytest.raises(UserError, match=r"is for classification\. .* Set execution\.precision=float32"):
        execution.precision(recipe)


def test_the_processor_is_asked(monkeypatch, tmp_path):
    def cpu(flags):
        (tmp_path / "cpuinfo").write_text(f"flags : fpu {flags}\n")

    monkeypatch.setattr(execution, "Path", lambda path: tmp_path / "cpuinfo")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert not execution.multiplies_bfloat16()  # no such file
    cpu("avx512f")
    assert not execution.multiplies_bfloat16()
    cpu("avx512f amx_bf16")
    assert execution.multiplies_bfloat16()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert not execution.multiplies_bfloat16()


def test_the_policy_of_before_is_restored():
    with pytest.raises(KeyError), execution.policy("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise KeyError
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_the_help_names_the_defaults():
    from tflbnn.cli.train import command

    for field, value in dataclasses.asdict(Execution()).items():
        assert f"{field}={str(value).lower()}" in command.__doc__


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return train(_with(precision="float32"), tmp_path_factory.mktemp("reference") / "run")


def test_half_precision_learns_and_is_tested_in_full_precision(reference, tmp_path):
    run = train(_with(precision="mixed_bfloat16"), tmp_path / "run")
    assert (reference.environment["precision"], run.environment["precision"]) == ("float32", "mixed_bfloat16")
    first, other = ([row["loss"] for row in done.history] for done in (reference, run))
    assert first != other
    np.testing.assert_allclose(first, other, rtol=0.1)
    model, digits = run.load_model(), data.load(SHORT.data)
    probabilities = model.predict(run.normalization.apply(digits.test.x), verbose=0)
    assert probabilities.dtype == np.float32
    right = np.take_along_axis(probabilities, digits.test.y[:, None], axis=1)
    assert run.metrics["test_loss"] == pytest.approx(-np.log(right).mean(), rel=1e-4)
    assert run.metrics["test_accuracy"] == pytest.approx(np.mean(probabilities.argmax(1) == digits.test.y))


def test_several_steps_in_one_call_are_the_same_steps(reference, tmp_path):
    told = []
    recipe = _with(precision="float32", steps_per_execution=4)  # of 5 an epoch: a call of 4 and one of 1
    run = train(recipe, tmp_path / "run", progress=lambda state: told.append((state.epoch, state.step, state.done)))
    assert told == [(e, step, done) for e in (1, 2) for step, done in ((4, False), (5, False), (5, True))]
    assert run.history == reference.history
    assert run.metrics == reference.metrics


def test_a_loss_that_is_no_number_stops_after_the_call(tmp_path):
    class Break(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.get_layer("logits").kernel.assign_add(np.inf * self.model.get_layer("logits").kernel)

    with pytest.raises(UserError, match=r"must stay a number.* epoch 1, step 4"):
        train(_with(steps_per_execution=4), tmp_path / "run", callbacks=[Break()])


@pytest.mark.long
def test_a_compiled_step_computes_the_same(reference, tmp_path):
    run = train(_with(precision="float32", jit_compile=True), tmp_path / "run")
    assert run.history[0]["loss"] == pytest.approx(reference.history[0]["loss"], rel=1e-2)


def test_photographs_are_decoded_once_if_there_is_room(monkeypatch):
    from PIL import Image

    read = []

    def open_image(name):
        read.append(name)
        return Image.new("RGB", (8, 8), (name, 0, 0))

    files = Files(np.arange(5), 8, read=open_image)
    for room, times in ((batches._DECODED_ROOM, 1), (100, 2)):
        monkeypatch.setattr(batches, "_DECODED_ROOM", room)
        read.clear()
        pixels_of = batches._decoder(files)
        for _ in range(2):
            assert pixels_of(np.array([3, 1]))[:, 0, 0, 0].tolist() == [3, 1]
            assert pixels_of(np.array([4]))[:, 0, 0, 0].tolist() == [4]
        assert sorted(read) == sorted([3, 1, 4] * times)
