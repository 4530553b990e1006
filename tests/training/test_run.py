"""Run folders as they are read: whole ones give a run, damaged ones one clear line."""

import json
import random
import subprocess
import sys

import pytest

from tflbnn import recipes
from tflbnn.data import Normalization
from tflbnn.errors import UserError
from tflbnn.training import Run
from tflbnn.training.folder import check, claimed, start, write_history

HISTORY = [
    {
        "epoch": epoch,
        "loss": 1 / 3 / epoch,
        "accuracy": 0.1 * epoch,
        "val_loss": 2e-17,
        "val_accuracy": 1.0,
        "learning_rate": 5e-3,
        "flip_ratio": 0.0,
    }
    for epoch in range(1, 4)
]
METRICS = {
    "test_accuracy": 0.5,
    "test_loss": 1.5,
    "parameters": 10,
    "input_shape": [8, 8, 1],
    "normalization": {"mean": [1.5], "std": [2.5]},
    "weights_sha256": "0" * 64,
}


@pytest.fixture
def folder(tmp_path):
    start(tmp_path / "run", recipes.get("digits"), ("zero", "one"), {"seed": 0})
    write_history(tmp_path / "run" / "history.csv", HISTORY, ("loss", "accuracy", "val_loss", "val_accuracy"))
    (tmp_path / "run" / "metrics.json").write_text(json.dumps(METRICS))
    return tmp_path / "run"


def test_gives_back_what_was_written(folder):
    run = Run.open(folder)
    assert run.recipe == recipes.get("digits")
    assert run.history == HISTORY
    assert run.metrics == METRICS
    assert run.labels == ["zero", "one"]
    assert run.input_shape == (8, 8, 1)
    assert run.normalization == Normalization((1.5,), (2.5,))
    assert run.finished
    assert (run.weights.name, run.model_tflite.name) == ("model.weights.h5", "model.tflite")


def test_what_images_are_resized_to_goes_into_the_exported_file(folder):
    from tflbnn.converter.export import describe

    run = Run.open(folder)  # written before runs said so
    assert (run.resized, describe(run).resized) == ((8, 8), None)
    for resized, described in (([8, 8], None), ([10, 12], (10, 12))):
        (folder / "metrics.json").write_text(json.dumps({**METRICS, "resized": resized}))
        run = Run.open(folder)
        assert (run.resized, describe(run).resized) == (tuple(resized), described)
    for damaged in ([7, 8], [8], [8, 8.5], 8, [8, 5000]):
        (folder / "metrics.json").write_text(json.dumps({**METRICS, "resized": damaged}))
        with pytest.raises(UserError, match="as they were written"):
            Run.open(folder)


def test_an_unfinished_run_says_how_to_finish_it(folder):
    (folder / "metrics.json").unlink()
    run = Run.open(folder)
    assert not run.finished
    assert len(run.history) == 3
    for use in (lambda: run.input_shape, lambda: run.normalization, run.load_model):
        with pytest.raises(UserError, match=f"3 of 12 epochs.*tflbnn train digits --resume --out {folder}"):
            use()


def test_no_run_folder(tmp_path):
    with pytest.raises(UserError, match=r"holds recipe\.json"):
        Run.open(tmp_path)
    with pytest.raises(UserError, match=r"holds recipe\.json"):
        Run.open(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", b"\xff\xfe"),
        ("labels.txt", b"one\n"),
        ("history.csv", b"epoch,loss\n1,x\n"),
        ("history.csv", b"epoch,loss\n1,2,3\n"),
        ("history.csv", b"epoch,loss\n1\n"),
        ("history.csv", b"\xff\n\xff"),
        ("environment.json", b"[]"),
        ("metrics.json", b"{}"),
        ("metrics.json", json.dumps({**METRICS, "input_shape": [8, 8, 10**9]}).encode()),
        ("metrics.json", json.dumps({**METRICS, "test_accuracy": "high"}).encode()),
        ("metrics.json", json.dumps({**METRICS, "normalization": {"mean": [0], "std": [0]}}).encode()),
        ("metrics.json", json.dumps({**METRICS, "weights_sha256": "0"}).encode()),
    ],
)
def test_a_damaged_file_is_named(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        Run.open(folder)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mutated_files_give_an_error_or_a_run(folder):
    rng = random.Random(0)
    originals = {name: (folder / name).read_bytes() for name in ("history.csv", "metrics.json", "labels.txt")}
    errors = 0
    for _ in range(500):
        name = rng.choice(list(originals))
        content = bytearray(originals[name])
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        (folder / name).write_bytes(content)
        try:
            run = Run.open(folder)
            assert (run.input_shape, len(run.labels)) != ((), 0)
        except UserError:
            errors += 1
        (folder / name).write_bytes(originals[name])
    assert 0 < errors < 500


def test_a_new_run_needs_a_new_folder(folder, tmp_path):
    recipe = recipes.get("digits")
    assert check(tmp_path / "new", recipe, resume=False) is False
    with pytest.raises(UserError, match=r"holds a finished run\. Choose another --out"):
        check(folder, recipe, resume=False)
    assert check(folder, recipe, resume=True) is True
    (folder / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"holds an unfinished run\. Add --resume"):
        check(folder, recipe, resume=False)
    assert check(folder, recipe, resume=True) is False
    with pytest.raises(UserError, match="There is no run to resume"):
        check(tmp_path / "new", recipe, resume=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(UserError, match="needs a new or empty folder"):
        check(tmp_path / "other", recipe, resume=False)
    with pytest.raises(UserError, match=r"a file\. Choose another --out"):
        check(tmp_path / "other" / "thesis.tex", recipe, resume=False)


def test_a_run_is_resumed_with_its_own_recipe(folder):
    changed = recipes.get("digits").override({"growth_rate": "16"})
    with pytest.raises(UserError, match=r"growth_rate=16, where it was 32"):
        check(folder, changed, resume=True)


HOLDER = """
import sys, time
from pathlib import Path
from tflbnn.training.folder import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_writer_and_is_free_when_that_one_is_killed(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "claimed\n"
        with pytest.raises(UserError, match="which another process is writing"), claimed(tmp_path):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with claimed(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="Cannot write the run folder"), claimed(tmp_path / "file" / "run"):
        pass


def test_opening_a_run_loads_no_tensorflow(folder):
    code = "import sys; from tflbnn.training import Run; Run.open(sys.argv[1]); print('tensorflow' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "False"
