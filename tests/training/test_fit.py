"""Training: the same numbers every time, also when a run was interrupted anywhere, in any way."""

import csv
import dataclasses
import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import RECIPE
from tflbnn import data
from tflbnn._keras import keras
from tflbnn.errors import UserError
from tflbnn.recipes import Optimizer
from tflbnn.training import Run, checkpoint, fit, train
from tflbnn.training.smoke import smoke_recipe


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """An uninterrupted run."""
    return train(RECIPE, tmp_path_factory.mktemp("reference") / "run")


def _same(run, reference):
    assert run.history == reference.history
    assert run.metrics == reference.metrics  # the weights' SHA-256 among them
    assert (run.path / "history.csv").read_bytes() == (reference.path / "history.csv").read_bytes()


def test_a_run_folder_holds_what_it_should(reference):
    names = {path.name for path in reference.path.iterdir()}
    files = {"recipe.json", "environment.json", "history.csv", "metrics.json", "labels.txt", "model.weights.h5"}
    assert names == files | {"checkpoints", "logs", ".lock"}
    assert Run.open(reference.path) == reference
    assert reference.recipe == RECIPE
    assert reference.environment["seed"] == RECIPE.seed
    assert reference.environment["tensorflow"]
    assert [row["epoch"] for row in reference.history] == [1, 2, 3, 4, 5]
    with open(reference.path / "history.csv", newline="") as file:
        assert next(csv.reader(file))[:5] == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(0 <= row["flip_ratio"] <= 1 for row in reference.history)
    assert reference.history[-1]["loss"] < reference.history[0]["loss"]
    assert {path.name for path in (reference.path / "logs").iterdir()} == {"train", "validation", "binary"}
    assert [path.name for path in (reference.path / "checkpoints").iterdir()] == ["epoch-00005"]


def test_the_saved_model_is_the_one_that_was_tested(reference):
    model, digits = reference.load_model(), data.load(RECIPE.data)
    probabilities = model.predict(reference.normalization.apply(digits.test.x), verbose=0)
    assert np.mean(probabilities.argmax(1) == digits.test.y) == pytest.approx(reference.metrics["test_accuracy"])
    assert reference.input_shape == digits.input_shape == model.input_shape[1:]
    assert reference.labels == list(digits.labels)


def test_the_same_recipe_gives_the_same_run(reference, tmp_path):
    _same(train(RECIPE, tmp_path / "run"), reference)


def test_another_seed_gives_another_run(reference, tmp_path):
    other = train(dataclasses.replace(RECIPE, seed=1, epochs=1), tmp_path / "run")
    assert other.history[0]["loss"] != reference.history[0]["loss"]


def test_a_finished_run_is_returned_as_it_is(reference):
    before = {path: path.stat().st_mtime_ns for path in reference.path.rglob("*")}
    assert train(RECIPE, reference.path, resume=True) == reference
    assert {path: path.stat().st_mtime_ns for path in reference.path.rglob("*")} == before


class Stop(Exception):  # noqa: N818
    """Not an error that the code knows."""


def _stop_at(call, monkeypatch, module, name, after=False):
    """Makes the `call`-th call of a function end in Stop, before or after its work."""
    original, calls = getattr(module, name), []

    def stopping(*args, **kwargs):
        calls.append(args)
        if len(calls) == call and not after:
            raise Stop
        result = original(*args, **kwargs)
        if len(calls) == call:
            raise Stop
        return result

    monkeypatch.setattr(module, name, stopping)


@pytest.mark.parametrize(
    ("module", "name", "call", "after"),
    [
        (checkpoint, "write_json", 2, False),  # the weights of epoch 2 are written, its history is not
        (checkpoint, "write_json", 2, True),  # everything is written, nothing is renamed
        (checkpoint, "save", 3, True),  # epoch 3 is saved, history.csv is of epoch 2
        (fit, "write_json", 1, False),  # the weights are there, the metrics are not
        (fit, "atomic_write", 1, False),
    ],
)
def test_stopped_while_saving_and_resumed(reference, tmp_path, monkeypatch, module, name, call, after):
    with monkeypatch.context() as patch:
        _stop_at(call, patch, module, name, after)
        with pytest.raises(Stop):
            train(RECIPE, tmp_path / "run")
    assert not Run.open(tmp_path / "run").finished
    _same(train(RECIPE, tmp_path / "run", resume=True), reference)
    assert not [path for path in (tmp_path / "run").rglob(".*") if path.name != ".lock"]


def test_killed_twice_and_resumed(reference, tmp_path):
    rng, out = random.Random(time.time_ns()), tmp_path / "run"
    for attempt in range(2):
        start = "resume" if (out / "recipe.json").exists() else "new"
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.training.tiny", out, start],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        # At most two of the five epochs, so that the last attempt has something left to do.
        lines, pause = rng.randint(1, 14), rng.uniform(0, 0.1)
        for _ in range(lines):
            assert child.stdout.readline(), f"attempt {attempt}: the child ended by itself"
        time.sleep(pause)
        child.kill()
        child.communicate()
        print(f"killed {lines} lines and {pause:.3f} s after the start, at {len(Run.open(out).history)} epochs")
    assert not Run.open(out).finished
    _same(train(RECIPE, out, resume=True), reference)


def test_resuming_with_another_optimizer_state(tmp_path):
    recipe = dataclasses.replace(RECIPE, optimizer=Optimizer("sgd", 0.05, momentum=0.9), epochs=2)
    whole = train(recipe, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "run", progress=_interrupt(2, 3))
    _same(train(recipe, tmp_path / "run", resume=True), whole)


def _interrupt(epoch, step):
    def progress(progress):
        if (progress.epoch, progress.step) == (epoch, step):
            raise KeyboardInterrupt

    return progress


def test_a_full_disk_is_one_line_and_can_be_resumed(reference, tmp_path, capfd):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    class Fill(keras.callbacks.Callback):
        """No file may grow beyond 2 kB from the second epoch on."""

        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))

    try:
        with pytest.raises(UserError, match=r"^Cannot write .*: .*too large"):
            train(RECIPE, tmp_path / "run", callbacks=[Fill()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert len(Run.open(tmp_path / "run").history) == 1
    assert not [path for path in (tmp_path / "run").rglob(".*") if path.name != ".lock"]
    _same(train(RECIPE, tmp_path / "run", resume=True), reference)


def test_a_loss_that_is_no_number_stops(tmp_path):
    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.get_layer("logits").kernel.assign_add(np.inf * self.model.get_layer("logits").kernel)

    with pytest.raises(UserError, match=r"in epoch 2, step 1\. Lower optimizer\.learning_rate, which is 0\.005"):
        train(RECIPE, tmp_path / "run", callbacks=[Break()])
    assert len(Run.open(tmp_path / "run").history) == 1


def test_a_damaged_checkpoint_is_named(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, tmp_path / "run", progress=_interrupt(2, 1))
    saved = tmp_path / "run" / "checkpoints" / "epoch-00001"
    originals = {path: path.read_bytes() for path in saved.iterdir()}
    for path, content in originals.items():
        for damage in (b"", content[: len(content) // 2], content[:100] + b"\xff" * 50 + content[150:]):
            path.write_bytes(damage)
            with pytest.raises(UserError) as caught:
                train(RECIPE, tmp_path / "run", resume=True)
            assert str(saved) in str(caught.value)
        path.write_bytes(content)
    assert train(RECIPE, tmp_path / "run", resume=True).finished


def test_a_checkpoint_of_another_network_is_refused(reference, tmp_path):
    digits = data.load(RECIPE.data)
    other = fit.build(RECIPE.override({"growth_rate": "4"}), digits)
    with pytest.raises(UserError, match="of another"):
        checkpoint.restore(reference.path / "checkpoints", other)
    assert checkpoint.restore(tmp_path, other) == []


def test_changed_weights_are_refused(tmp_path):
    run = train(RECIPE, tmp_path / "run", smoke=True)
    assert run.recipe == smoke_recipe(RECIPE)
    assert len(run.history) == 1
    content = run.weights.read_bytes()
    run.weights.write_bytes(content[:-1] + b"\x01")
    with pytest.raises(UserError, match="SHA-256 is not the one"):
        run.load_model()
    run.weights.unlink()
    with pytest.raises(UserError, match="Cannot read the weights"):
        run.load_model()


def test_nothing_is_left_when_the_data_or_the_network_are_wrong(tmp_path):
    with pytest.raises(UserError, match="data folder must exist"):
        train(RECIPE, tmp_path / "run", data_dir=tmp_path / "nothing")
    with pytest.raises(UserError, match="reduction"):
        train(RECIPE.override({"layers": "1,1"}), tmp_path / "run")
    assert not os.listdir(tmp_path)


def test_callbacks_see_the_validation_accuracy(tmp_path):
    seen = []

    class See(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["val_accuracy"])

    run = train(dataclasses.replace(RECIPE, epochs=2), tmp_path / "run", callbacks=[See()])
    assert seen == pytest.approx([row["val_accuracy"] for row in run.history])
