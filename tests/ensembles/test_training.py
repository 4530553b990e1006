"""Training ensembles: what is reproduced, what is resumed, what is not touched, and what must not happen."""

import dataclasses
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.ensembles.training import LEARNER, MEMBER
from tflbnn import data
from tflbnn.ensembles import Bagging, Boosting, EnsembleRun
from tflbnn.ensembles.member import Lesson, load_arrays, train_member
from tflbnn.ensembles.run import member_folder
from tflbnn.ensembles.settings import Settings
from tflbnn.ensembles.train import train_ensemble
from tflbnn.errors import UserError
from tflbnn.recipes import Pretraining
from tflbnn.training import Run


@pytest.fixture(scope="module")
def digits():
    return data.load(MEMBER.data)


@pytest.fixture(scope="module")
def bagged(tmp_path_factory):
    """Two members trained one after the other in this process."""
    return train_ensemble(MEMBER, Settings("bagging", 2, step_images=10), tmp_path_factory.mktemp("bag") / "run")


@pytest.fixture(scope="module")
def boosted(tmp_path_factory):
    return train_ensemble(LEARNER, Settings("samme", 2), tmp_path_factory.mktemp("boost") / "run")


def said(run: EnsembleRun) -> list[np.ndarray]:
    return [member.outputs("test") for member in run.members]


def start_process(out, method: str, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.ensembles.training", str(out), method, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_members_of_other_processes_are_the_same(bagged, tmp_path):
    parallel = train_ensemble(MEMBER, Settings("bagging", 2, step_images=10), tmp_path / "run", n_jobs=2)
    for one, other in zip(said(bagged), said(parallel), strict=True):
        np.testing.assert_array_equal(one, other)
    assert parallel.metrics == bagged.metrics


def test_a_reused_network_is_as_a_new_one(bagged, digits, tmp_path):
    """The second member used what was compiled for the first; alone, it compiles its own."""
    from tflbnn.ensembles import reuse

    second = bagged.members[1].run
    reuse._last.clear()
    rows = np.random.default_rng(second.recipe.seed).choice(
        len(digits.train), len(digits.train), p=np.full(len(digits.train), 1 / len(digits.train))
    )
    settings = Settings("bagging", 2, step_images=10)
    train_member(second.recipe, digits, tmp_path / "again", settings, Lesson(rows=rows))
    again = load_arrays(tmp_path / "again" / "outputs.npz")
    np.testing.assert_array_equal(again["test"], bagged.members[1].outputs("test"))
    assert load_arrays(tmp_path / "again" / "steps.npz")["outputs"].shape[1:] == (20, 10)


def test_the_optimizer_starts_anew(digits):
    from tflbnn.ensembles import reuse, tasks

    for _ in range(2):
        network = reuse.prepare(MEMBER, digits, tasks.Plain(MEMBER, 10), regresses=False)
        optimizer = network.trained.optimizer
        assert int(optimizer.iterations) == 0
        assert all(not variable.numpy().any() for variable in optimizer.variables if variable.shape.rank)
        network.trained.fit(np.zeros((8, 8, 8, 1), np.float32), np.zeros(8), verbose=0)
        assert int(optimizer.iterations) == 1


@pytest.mark.parametrize("method", ["samme"])
def test_a_killed_training_is_resumed_to_the_same_members(method, boosted, tmp_path):
    process = start_process(tmp_path / "run", method, "new")
    for line in process.stdout:
        if line.split()[:2] == ["2", "2"]:  # in the second epoch of the second member
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    unfinished = EnsembleRun.open(tmp_path / "run")
    assert not unfinished.finished
    assert len(unfinished.members) == 1
    with pytest.raises(UserError, match=r"1 of 2 members. Continue it with: tflbnn ensemble digits --resume"):
        unfinished.require_finished()
    resumed = start_process(tmp_path / "run", method, "resume")
    lines = [line.split()[:2] for line in resumed.stdout]
    assert resumed.wait() == 0
    assert lines[0] == ["2", "2"]  # nothing but the unfinished epoch is trained again
    finished = EnsembleRun.open(tmp_path / "run")
    for one, other in zip(said(boosted), said(finished), strict=True):
        np.testing.assert_array_equal(one, other)
    assert finished.metrics == boosted.metrics


def test_an_interruption_behind_the_last_epoch_loses_nothing(bagged, monkeypatch, tmp_path):
    from tflbnn.ensembles import member

    def interrupt(*args):
        raise KeyboardInterrupt

    settings = Settings("bagging", 2, step_images=10)
    monkeypatch.setattr(member, "_outputs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_ensemble(MEMBER, settings, tmp_path / "run")
    monkeypatch.undo()
    resumed = train_ensemble(MEMBER, settings, tmp_path / "run", resume=True)
    for one, other in zip(bagged.members, resumed.members, strict=True):
        np.testing.assert_array_equal(*(load_arrays(m.run.path / member.LAST_STEPS)["outputs"] for m in (one, other)))
    assert resumed.metrics == bagged.metrics


def test_a_lost_worker_costs_its_unfinished_epochs_only(monkeypatch, tmp_path):
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    class Killed(joblib.Parallel):
        def __call__(self, jobs):
            first, *_ = jobs
            function, args, kwargs = first
            function(*args, **kwargs)  # one member is finished
            raise TerminatedWorkerError("A worker process managed by the executor was unexpectedly terminated.")

    monkeypatch.setattr(joblib, "Parallel", Killed)
    with pytest.raises(UserError, match=r"A worker was lost while it trained.*continue with --resume"):
        train_ensemble(MEMBER, Settings("bagging", 2), tmp_path / "run", n_jobs=2)
    monkeypatch.undo()
    assert (member_folder(tmp_path / "run", 1) / "metrics.json").exists()
    before = (member_folder(tmp_path / "run", 1) / "metrics.json").stat().st_mtime_ns
    assert train_ensemble(MEMBER, Settings("bagging", 2), tmp_path / "run", resume=True).finished
    assert (member_folder(tmp_path / "run", 1) / "metrics.json").stat().st_mtime_ns == before


def test_a_damaged_member_is_named_and_the_others_are_intact(boosted, tmp_path):
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(boosted.path, folder)
    damaged = member_folder(folder, 2) / "outputs.npz"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"Member 2 of 2 is damaged.*The others are intact: delete"):
        EnsembleRun.open(folder)
    shutil.rmtree(member_folder(folder, 2))
    assert len(EnsembleRun.open(folder).members) == 1
    weights = member_folder(folder, 1) / "model.weights.h5"
    weights.write_bytes(b"not those")
    with pytest.raises(UserError, match=r"The weights must be those that the run saved"):
        EnsembleRun.open(folder).members[0].run.load_model()


def test_a_full_disk_leaves_what_was_there(boosted, tmp_path, monkeypatch):
    import shutil

    from tflbnn.ensembles import train

    folder = tmp_path / "run"
    shutil.copytree(boosted.path, folder)

    def full(*args, **kwargs):
        raise UserError(f"Cannot write {folder}/members/03/outputs.npz: no space left on device.")

    monkeypatch.setattr(train, "train_member", full)
    with pytest.raises(UserError, match=r"no space left on device"):
        train_ensemble(LEARNER, Settings("samme", 3), folder, resume=True)
    left = EnsembleRun.open(folder)
    assert [member.number for member in left.members] == [1, 2]
    for one, other in zip(said(boosted), said(left), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_ensemble_grows_and_is_not_changed(boosted, tmp_path):
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(boosted.path, folder)
    grown = train_ensemble(LEARNER, Settings("samme", 3), folder, resume=True)
    assert len(grown.members) == 3
    np.testing.assert_array_equal(grown.members[1].outputs("test"), boosted.members[1].outputs("test"))
    assert grown.metrics["test_hard"][:2] == boosted.metrics["test_hard"]
    with pytest.raises(UserError, match=r"Received: settings.voting=hard, where it was soft"):
        train_ensemble(LEARNER, Settings("samme", 3, voting="hard"), folder, resume=True)
    with pytest.raises(UserError, match=r"A new ensemble needs a new or empty folder"):
        train_ensemble(LEARNER, Settings("samme", 3), folder)


def test_test_images_choose_nothing(bagged, digits, tmp_path):
    """With other test labels the members are the same, the best epochs among them."""
    lied = dataclasses.replace(digits.test, y=(digits.test.y + 1) % 10)
    other = train_ensemble(
        MEMBER,
        Settings("bagging", 2, step_images=10),
        tmp_path / "run",
        dataset=dataclasses.replace(digits, test=lied),
    )
    for one, another in zip(said(bagged), said(other), strict=True):
        np.testing.assert_array_equal(one, another)
    assert [m.best_epoch for m in bagged.members] == [m.best_epoch for m in other.members]


def test_the_best_epoch_is_that_of_the_validation(bagged):
    for member in bagged.members:
        accuracies = [row["val_accuracy"] for row in member.run.history]
        assert member.best_epoch == 1 + int(np.argmax(accuracies))
        best = json.loads((member.run.path / "best" / "best.json").read_text())
        assert best["val_accuracy"] == max(accuracies)


def test_boosting_hands_on_the_mistakes_about_all_examples(boosted):
    """The second member's examples were drawn by weights of the first one's mistakes, the last partial batch's too."""
    from tflbnn.ensembles import reweighting

    digits = data.load(LEARNER.data)
    first = boosted.members[0]
    train = first.outputs("train")
    assert len(train) == len(digits.train)
    assert len(train) % LEARNER.batch_size  # the last batch of a prediction is not full
    found = reweighting.samme(digits.train.y, train.argmax(axis=1), reweighting.uniform(len(train)), 10)
    assert first.error == found.error
    assert first.weight == found.weight
    assert boosted.members[1].run.recipe.seed != first.run.recipe.seed


def test_every_image_of_a_batch_meets_its_own_weight(digits):
    from tflbnn.ensembles import tasks
    from tflbnn.training.batches import training_batches

    weights = np.arange(1, len(digits.train) + 1, dtype=float)
    task = tasks.Weighted(MEMBER, digits, weights)
    recipe = dataclasses.replace(MEMBER, augmentation=dataclasses.replace(MEMBER.augmentation, padding=0), epochs=1)
    batches, steps = training_batches(tasks.numbered(digits, train_only=True), recipe, task)
    pixels = digits.normalization.apply(digits.train.x)
    seen = 0
    for x, y, w in batches:
        for image, label, weight in zip(x.numpy(), y.numpy(), w.numpy(), strict=True):
            number = round(weight * weights.mean()) - 1
            np.testing.assert_allclose(image, pixels[number], rtol=1e-6)
            assert label == digits.train.y[number]
            seen += 1
    assert seen == steps * MEMBER.batch_size


def test_a_member_that_guesses_is_trained_again(monkeypatch, tmp_path):
    from tflbnn.ensembles import reweighting, train

    rounds = iter([reweighting.Round(0.95, 0.0, reweighting.uniform(540))])
    honest = train.reweighting.samme
    monkeypatch.setattr(train.reweighting, "samme", lambda *a: next(rounds, None) or honest(*a))
    run = train_ensemble(LEARNER, Settings("samme", 1), tmp_path / "run")
    described = json.loads((run.members[0].run.path / "member.json").read_text())
    assert described["attempt"] == 1
    assert run.members[0].weight > 0
    assert len(list((tmp_path / "run" / "members").iterdir())) == 1


def test_the_first_member_must_be_better_than_guessing(monkeypatch, tmp_path, digits):
    from tflbnn.ensembles import reweighting, train

    guess = reweighting.Round(0.95, 0.0, reweighting.uniform(len(digits.train)))
    monkeypatch.setattr(train.reweighting, "samme", lambda *a: guess)
    monkeypatch.setattr(train, "RESTARTS", 0)
    with pytest.raises(UserError, match=r"better than guessing. Received: member 1"):
        train_ensemble(LEARNER, Settings("samme", 1), tmp_path / "run")


@pytest.mark.parametrize("reweighting", ["sampling", "loss"])
def test_logitboost_learns(reweighting, tmp_path):
    run = train_ensemble(
        LEARNER.override({"epochs": "6"}), Settings("logitboost", 1, reweighting=reweighting), tmp_path / "run"
    )
    assert run.metrics["test_soft"][-1] > 0.3


def test_sequential_members_start_from_a_stage_and_from_the_last(tmp_path):
    recipe = dataclasses.replace(MEMBER, pretraining=Pretraining(method="bnn", epochs=1))
    run = train_ensemble(recipe, Settings("bagging", 2, sequential=True), tmp_path / "run")
    starts = [member.run.start["source"] for member in run.members]
    assert starts == ["../../pretraining", "../01"]
    assert Run.open(run.path / "pretraining").finished
    assert run.members[1].run.start["weights_sha256"] == run.members[0].run.metrics["weights_sha256"]


def test_scikit_learns_manner(tmp_path):
    from sklearn.base import clone

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (120, 8, 8, 1), dtype=np.uint8)
    names = np.array(["left", "right"])[
        (images[:, :, :4].mean((1, 2, 3)) < images[:, :, 4:].mean((1, 2, 3))).astype(int)
    ]
    bag = clone(Bagging(MEMBER, 2, out=tmp_path / "run", random_state=3, voting="hard"))
    with pytest.raises(UserError, match=r"Call fit before"):
        bag.predict(images)
    bag.fit(images, names)
    assert set(bag.predict(images)) <= {"left", "right"}
    stages = list(bag.staged_predict_proba(images[:5]))
    assert [stage.shape for stage in stages] == [(5, 2)] * 2
    np.testing.assert_array_equal(stages[-1], bag.predict_proba(images[:5]))
    assert bag.score(images, names) == np.mean(bag.predict(images) == names)
    assert len(bag.estimators_) == len(bag.estimator_weights_) == 2


def test_what_cannot_be_an_ensemble_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"There is no boosting 'bagging'"):
        Boosting(MEMBER, algorithm="bagging", out=tmp_path / "a").fit()
    with pytest.raises(UserError, match=r"Images must be uint8"):
        Bagging(MEMBER, out=tmp_path / "b").fit(np.zeros((3, 8, 8, 1)), np.zeros(3))
    with pytest.raises(UserError, match=r"Ensembles vote on labels. Received: shapes"):
        from tflbnn import recipes

        train_ensemble(recipes.get("ssd-shapes").override({"samples": "20"}), Settings(), tmp_path / "c")
    assert not os.listdir(tmp_path)


@pytest.mark.long
def test_dask_trains_the_same_members(bagged, tmp_path):
    """A cluster of two workers that registers a backend with joblib."""
    import joblib
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        run = train_ensemble(MEMBER, Settings("bagging", 2, step_images=10), tmp_path / "run", n_jobs=2)
    for one, other in zip(said(bagged), said(run), strict=True):
        np.testing.assert_array_equal(one, other)
