"""Training in stages: the weights of one are the first ones of the next, also when it was stopped anywhere."""

import json

import numpy as np
import pytest

from tests.training.tiny import RECIPE
from tflbnn import data
from tflbnn._keras import keras
from tflbnn.errors import UserError
from tflbnn.training import Run, fit, stages, train

STAGED = RECIPE.override(
    {"binarization": "bnn_plus", "pretraining.method": "htanh", "pretraining.epochs": "2", "epochs": "2"}
)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return train(STAGED, tmp_path_factory.mktemp("staged") / "run")


def test_the_stage_before_is_a_run_of_its_own(reference):
    before = Run.open(reference.path / "pretraining")
    assert before.recipe == stages.before(STAGED)
    assert (len(before.history), before.recipe.binarization.input_quantizer) == (2, "htanh")
    assert reference.start == json.loads((reference.path / "pretraining.json").read_text())
    assert reference.start["weights_sha256"] == before.metrics["weights_sha256"]
    assert reference.start["new"]
    assert all("alpha" in name for name in reference.start["new"])
    assert (reference.start["unused"], reference.start["reshaped"]) == ([], [])


def test_weights_are_those_of_the_stage_and_scales_start_from_them(reference):
    before = Run.open(reference.path / "pretraining")
    model = fit.build(STAGED, data.load(STAGED.data))
    start = stages.begin(model, before, "pretraining")
    theirs = {variable.name: variable.numpy() for variable in before.load_model().weights}
    assert start.matched == len(theirs)
    for variable in model.weights:
        if variable.name in theirs:
            np.testing.assert_array_equal(variable.numpy(), theirs[variable.name])
    kernel = theirs["stage1_layer1_conv/kernel:0"]
    alpha = next(variable for variable in model.weights if variable.name.startswith("stage1_layer1_conv/kernel_q"))
    expected = np.percentile(np.abs(kernel).reshape(-1, kernel.shape[-1]), 75, axis=0)
    np.testing.assert_allclose(alpha.numpy().ravel(), expected, rtol=1e-5)


def test_scales_that_were_trained_before_are_kept(reference):
    again = fit.build(STAGED.override({"seed": "7"}), data.load(STAGED.data))
    start = stages.begin(again, reference, "run")
    assert start.new == ()
    for ours, theirs in zip(again.weights, reference.load_model().weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_what_does_not_match_is_listed(reference):
    wider = fit.build(STAGED.override({"growth_rate": "12"}), data.load(STAGED.data))
    start = stages.begin(wider, reference, "run")
    assert "stage1_layer1_conv/kernel:0" in start.reshaped
    assert start.matched > 0
    other = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, name="other")])
    with pytest.raises(UserError, match="none has the name and shape"):
        stages.begin(other, reference, "run")


@pytest.mark.parametrize(("stage", "epoch"), [(1, 2), (0, 2)])
def test_stopped_in_any_stage_and_resumed(reference, tmp_path, stage, epoch):
    def stop(progress):
        if (progress.stage, progress.epoch, progress.step) == (stage, epoch, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(STAGED, tmp_path / "run", progress=stop)
    run = train(STAGED, tmp_path / "run", resume=True)
    assert (run.history, run.metrics, run.start) == (reference.history, reference.metrics, reference.start)


def test_a_finished_run_is_a_start_and_a_recipe_is_named(reference, tmp_path):
    from_run = STAGED.override({"pretraining.method": "", "pretraining.run": str(reference.path), "epochs": "1"})
    assert train(from_run, tmp_path / "one").start["matched"] == len(reference.load_model().weights)
    named = RECIPE.override({"pretraining.recipe": "digits"})
    run = train(named, tmp_path / "two", smoke=True)
    assert Run.open(run.path / "pretraining").recipe.name == "digits"
    assert len(Run.open(run.path / "pretraining").history) == 1
    assert run.start["matched"] > 0


def test_what_cannot_be_had_is_said_before_anything_is_written(tmp_path):
    for changes, message in (
        ({"pretraining.recipe": "digts"}, "Did you mean 'digits'"),
        ({"pretraining.run": str(tmp_path)}, r"holds recipe\.json"),
    ):
        with pytest.raises(UserError, match=message):
            train(RECIPE.override(changes), tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_recipe_that_comes_before_itself_is_refused(monkeypatch):
    recipe = RECIPE.override({"pretraining.recipe": "digits"})
    monkeypatch.setattr(stages.recipes, "get", lambda name: recipe)
    with pytest.raises(UserError, match="digits, which comes before itself"):
        stages.check(recipe)
