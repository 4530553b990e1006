"""Searches whose trials train nothing: what is tried and kept, what a kill at any moment leaves, what is refused."""

import csv
import json
import types

import pytest

from tflbnn import _files, recipes
from tflbnn._keras import tf
from tflbnn.cli import main
from tflbnn.errors import UserError
from tflbnn.training.folder import claimed
from tflbnn.training.resources import readable_tensorflow_errors
from tflbnn.tuning import Progress, Settings, drawn, driver, oracles, parse_constraints, parse_space, search
from tflbnn.tuning import trial as trial_
from tflbnn.tuning import tuner as tuner_

WORDS = {
    "hyperband": ["growth_rate=8,16,32", "t_clip=0.25..2.0", "epochs=3"],
    "random": ["growth_rate=8,16", "batch_size=16..64"],
    "bayesian": ["learning_rate=1e-4..1e-2:log"],
    "grid": ["network.layers=2,2,2/3,3,3", "optimizer.name=adam,sgd", "seed=1,2"],
}
BUDGET = {"hyperband": {}, "random": {"trials": 5}, "bayesian": {"trials": 4}, "grid": {}}
COUNT = {"hyperband": 6, "random": 5, "bayesian": 4, "grid": 8}
DIGITS = recipes.get("digits")


class Killed(BaseException):
    """What nothing catches."""


@pytest.fixture
def fake(monkeypatch):
    """Trials with an accuracy that follows from their values, and no training at the end."""

    def run_trial(self, trial):
        recipe = self.space.variant(drawn.values(self.space, trial.hyperparameters.values))
        accuracy = 1 / (1 + recipe.optimizer.learning_rate * recipe.batch_size + recipe.binarization.t_clip)
        size = 100 * recipe.get("growth_rate") + sum(recipe.get("layers"))
        return {"val_accuracy": accuracy, "parameters": 8 * size, "size_bytes": size, "seconds": 0.0}

    def train(recipe, out, data_dir, progress):
        history = [{"val_accuracy": 0.5}]
        return types.SimpleNamespace(path=out, recipe=recipe, metrics={"test_accuracy": 0.5}, history=history)

    monkeypatch.setattr(tuner_.RecipeTuner, "run_trial", run_trial)
    monkeypatch.setattr(driver, "_train", train)
    monkeypatch.setattr(driver, "_draw", lambda *arguments: None)
    monkeypatch.setattr(tuner_, "write_hparams", lambda *arguments: None)
    return monkeypatch


def settings(tuner, words=None, **budget):
    return Settings(parse_space(DIGITS, words or WORDS[tuner]), tuner, **{**BUDGET[tuner], **budget})


def run(tuner, out, resume=False, progress=None, **budget):
    return search(settings(tuner, **budget), out, resume=resume, progress=progress)


def command(capsys, *arguments):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as end:
        main(["tune", *map(str, arguments)])
    return end.value.code, *capsys.readouterr()


@pytest.mark.parametrize("tuner", WORDS)
def test_trials_are_as_planned_different_and_recorded(tuner, tmp_path, fake):
    plans = []
    progress = Progress()
    progress.planned = plans.append
    found = run(tuner, tmp_path / "search", progress=progress)
    assert len(found.rows) == plans[0].trials == COUNT[tuner]
    assert all(row.status == "completed" for row in found.rows)
    drawn = [tuple(row.values.values()) for row in found.rows if row.continues is None]
    assert len(set(drawn)) == len(drawn)
    assert found.best.val_accuracy == max(row.val_accuracy for row in found.rows)
    assert found.run.recipe == found.space.variant(found.best.values)
    with open(tmp_path / "search" / "trials.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == COUNT[tuner]
    assert run(tuner, tmp_path / "search", resume=True).rows == found.rows


def test_hyperband_continues_its_best_trials(tmp_path, fake):
    rows = run("hyperband", tmp_path / "search", max_epochs=9).rows
    continued = [row for row in rows if row.continues]
    assert len(rows) == 23
    assert len(continued) == 6
    for row in continued:
        earlier = rows[row.continues - 1]
        assert earlier.values == row.values
        assert earlier.epochs < row.epochs


@pytest.mark.parametrize("tuner", WORDS)
def test_a_kill_at_any_write_changes_no_trial(tuner, tmp_path, fake):
    """Every file is written by one rename, so a kill comes before a write or after it."""
    writes, limit = 0, -1

    def write(path, value):
        nonlocal writes
        if writes == limit:
            raise Killed
        writes += 1
        _files.write_json(path, value)

    for user in (driver, oracles, tuner_):
        fake.setattr(user, "write_json", write)
    whole, total = run(tuner, tmp_path / "whole"), writes
    assert total > 5 * COUNT[tuner]
    # A trial has six writes: every seventh one meets each of them. The Gaussian process takes its time.
    for kill in range(1, total, 13 if tuner == "bayesian" else 7):
        writes, limit = 0, kill
        with pytest.raises(Killed):
            run(tuner, tmp_path / str(kill))
        limit = -1
        assert run(tuner, tmp_path / str(kill), resume=True).rows == whole.rows, kill


def test_failures_are_recorded_and_do_not_stop_the_search(tmp_path, fake):
    whole = tuner_.RecipeTuner.run_trial

    def run_trial(self, trial):
        if trial.hyperparameters.values["seed"] == 1:
            raise ValueError("no such\nluck")
        return whole(self, trial)

    fake.setattr(tuner_.RecipeTuner, "run_trial", run_trial)
    rows = run("grid", tmp_path / "search").rows
    assert [row.status for row in rows] == ["failed", "completed"] * 4
    assert {row.reason for row in rows if row.values["seed"] == 1} == {"ValueError: no such"}
    assert run("grid", tmp_path / "search", resume=True).rows == rows
    # Hyperband goes on too, though no bracket that only failed has anything to continue.
    space = parse_space(DIGITS, ["seed=1..1000", "epochs=3"])
    fake.setattr(tuner_.RecipeTuner, "run_trial", lambda self, trial: 1 / 0)
    with pytest.raises(UserError, match="5 failures, the first: ZeroDivisionError: division by zero"):
        search(Settings(space), tmp_path / "other")
    assert "ZeroDivisionError" in (tmp_path / "other" / "trials.csv").read_text()


def test_a_full_disk_stops_the_search_at_once_and_it_resumes(tmp_path, fake):
    whole, trials = tuner_.RecipeTuner.run_trial, []

    def build(recipe, dataset):
        trials.append(recipe)
        with _files.readable_errors("write", "weights"):
            raise OSError(28, "No space left on device")

    fake.undo()
    fake.setattr(tuner_, "write_hparams", lambda *arguments: None)
    fake.setattr(trial_, "build", build)
    with pytest.raises(UserError, match=r"^Cannot write weights: no space left on device\.$"):
        run("grid", tmp_path / "search")
    assert len(trials) == 1
    fake.setattr(tuner_.RecipeTuner, "run_trial", whole)
    fake.setattr(driver, "_train", lambda *arguments: None)
    assert len(run("grid", tmp_path / "search", resume=True).rows) == 8


def test_a_network_too_large_for_the_memory_fails_alone(tmp_path, fake):
    def build(recipe, dataset):
        with readable_tensorflow_errors():
            raise tf.errors.ResourceExhaustedError(
                None, None, "OOM when allocating tensor with shape[9,9] and type float"
            )

    fake.undo()
    fake.setattr(tuner_, "write_hparams", lambda *arguments: None)
    fake.setattr(trial_, "build", build)
    with pytest.raises(UserError, match=r"8 failures, the first: The network must fit into memory"):
        run("grid", tmp_path / "search")


def test_random_trials_of_a_small_space_are_all_of_it(tmp_path, fake):
    rows = search(settings("random", ["seed=1,2,3,4,5"], trials=99), tmp_path / "s").rows
    assert sorted(row.values["seed"] for row in rows) == [1, 2, 3, 4, 5]


def test_hyperband_refuses_a_space_that_it_would_exhaust(tmp_path, fake):
    with pytest.raises(UserError, match=r"compares 5 configurations.*a space of 3"):
        search(settings("hyperband", ["growth_rate=8,16,32"], max_epochs=3), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def cut(text):
    return text[: len(text) // 2]


def emptied(text):
    return json.dumps(dict.fromkeys(json.loads(text)))


def other_types(text):
    return text.replace('"COMPLETED"', "3").replace('"0001"', "null").replace('"val_accuracy"', "7")


STATES = ["search.json", "trials/oracle.json", "trials/trial_0001/trial.json"]
DAMAGES = [cut, emptied, lambda text: "", lambda text: "[]", lambda text: "{}", lambda text: "[" * 100_000]


@pytest.mark.parametrize(
    ("name", "damage"),
    [(name, damage) for name in STATES for damage in DAMAGES] + [(name, other_types) for name in STATES[1:]],
)
def test_a_damaged_state_is_refused_in_one_line(name, damage, tmp_path, fake):
    out = tmp_path / "search"
    run("hyperband", out)
    before = (out / name).read_text()
    assert damage(before) != before
    (out / name).write_text(damage(before))
    with pytest.raises(UserError) as refused:
        run("hyperband", out, resume=True)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", STATES)
def test_a_missing_state_is_refused_in_one_line(name, tmp_path, fake):
    out = tmp_path / "search"
    run("hyperband", out)
    (out / name).unlink()
    with pytest.raises(UserError, match=r"no search to resume|as it was written"):
        run("hyperband", out, resume=True)


def test_who_may_write_a_folder(tmp_path, fake):
    out = tmp_path / "search"
    with pytest.raises(UserError, match="no search to resume"):
        run("grid", out, resume=True)
    run("grid", out)
    with pytest.raises(UserError, match=r"holds a search\. Add --resume"):
        run("grid", out)
    with pytest.raises(UserError, match="trials=3, where it was None"):
        run("grid", out, resume=True, trials=3)
    with pytest.raises(UserError, match="tuner=random, where it was grid"):
        run("random", out, resume=True)
    with pytest.raises(UserError, match=r"space\.seed\.choices=\[1, 3\], where it was \[1, 2\]"):
        search(settings("grid", [*WORDS["grid"][:2], "seed=1,3"]), out, resume=True)
    with pytest.raises(UserError, match=r"recipe\.batch_size=8, where it was 64"):
        search(settings("grid", [*WORDS["grid"], "batch_size=8"]), out, resume=True)
    with claimed(out), pytest.raises(UserError, match="another process"):
        run("grid", out, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    for taken in (tmp_path / "other", tmp_path / "other" / "thesis.tex", tmp_path / "other" / "thesis.tex" / "search"):
        with pytest.raises(UserError, match=r"thesis\.tex|new or empty"):
            run("grid", taken)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tuner": "hyberband"}, "Did you mean 'hyperband'"),
        ({"trials": 5}, "Set max_epochs instead"),
        ({"tuner": "grid", "max_epochs": 5}, "Set epochs and trials instead"),
        ({"max_epochs": 1}, "at least 2"),
        ({"tuner": "random", "trials": 0}, "at least 1"),
        ({"tuner": "random", "trials": 10**9}, "at most 100000"),
        ({"objectives": ("accuracy", "size")}, "Choose --tuner bayesian"),
        ({"objectives": ("latency",)}, "A search is after accuracy"),
        ({"objectives": ("accuracy", "latencie")}, "Did you mean 'latency'"),
        ({"latency": "guessed"}, "measured or predicted"),
    ],
)
def test_budgets(options, message):
    with pytest.raises(UserError, match=message):
        Settings(parse_space(DIGITS, []), **options)


def test_settings_read_back(tmp_path):
    aims = {"objectives": ("size", "accuracy"), "constraints": parse_constraints("latency<=5ms size<=500KB")}
    for written in (*map(settings, WORDS), settings("bayesian", **aims), settings("grid", baselines=True)):
        (tmp_path / "search.json").write_text(json.dumps(written.to_dict()))
        assert Settings.read(tmp_path) == written


def test_the_command(tmp_path, capsys, fake):
    out = tmp_path / "search"
    arguments = ("digits", *WORDS["hyperband"], "--out", out)
    code, text, errors = command(capsys, *arguments)
    assert code == 0
    assert "digits: 6 trials, hyperband" in text
    assert "6 trials, 11 epochs altogether" in errors
    assert "Reloading" not in text
    code, text, _ = command(capsys, *arguments, "--resume", "--json")
    found = json.loads(text)
    assert code == 0
    assert [trial["trial"] for trial in found["trials"]] == [1, 2, 3, 4, 5, 6]
    assert found["best"]["values"].keys() == {"network.growth_rate", "binarization.t_clip"}
    assert command(capsys, "digits", "--resume", "--out", out, "--json")[1] == text
    for refused in (
        arguments,
        (*arguments, "--resume", "--max-epochs", "4"),
        ("fashion-mnist", "--resume", "--out", out),
        ("digits", "--resume"),
        ("digits", "--resume", "--out", tmp_path / "none"),
        ("digit", "--out", tmp_path / "none"),
        ("digits", "growth_rat=1,2", "--out", tmp_path / "none"),
        ("digits", "--tuner", "gird", "--out", tmp_path / "none"),
        ("digits", "--objective", "accuracy,speed", "--out", tmp_path / "none"),
        ("digits", "--constraint", "latency<5", "--out", tmp_path / "none"),
        ("digits", "--latency-table", tmp_path / "none.csv", "--out", tmp_path / "none"),
        ("digits", "--workers", "-1", "--out", tmp_path / "none"),
    ):
        code, text, errors = command(capsys, *refused)
        assert (code, text, len(errors.splitlines())) == (2, "", 1), errors
    assert not (tmp_path / "none").exists()


def test_an_interrupt_says_how_to_resume(tmp_path, capsys, fake):
    def run_trial(self, trial):
        raise KeyboardInterrupt

    fake.setattr(tuner_.RecipeTuner, "run_trial", run_trial)
    code, _, errors = command(capsys, "digits", "--tuner", "random", "--out", tmp_path / "s")
    assert code == 130
    assert f"resume with: tflbnn tune digits --resume --out {tmp_path / 's'}" in errors.splitlines()[-1]
