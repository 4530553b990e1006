"""Reports of real run folders: finished, interrupted, damaged; and the command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.test_report_page import HOSTILE, Page, outside_requests
from tflbnn import recipes
from tflbnn.analysis import report
from tflbnn.analysis.report import reproduce, units
from tflbnn.cli import main
from tflbnn.converter import export
from tflbnn.errors import UserError
from tflbnn.training import Run, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    recipe = recipes.get("digits").override({"layers": "1,1", "reduction": "2", "growth_rate": "8"})
    return train(recipe, tmp_path_factory.mktemp("runs") / "digits", smoke=True).path


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def page_of(run: Path) -> Page:
    path, _ = report.write(run)
    page = Page(path.read_text(encoding="utf-8"))
    assert outside_requests(page) == []
    return page


def test_shows_what_the_files_of_a_trained_run_say(run):
    path, facts = report.write(run)
    page = Page(path.read_text(encoding="utf-8"))
    metrics = json.loads((run / "metrics.json").read_text())
    assert path == run / "report.html"
    assert facts.confusion.accuracy == pytest.approx(metrics["test_accuracy"])
    assert facts.confusion.matrix.sum() == 64
    assert f"{facts.confusion.matrix.trace()} of 64 test images right" in page.section("confusion")
    assert facts.counts.parameters == metrics["parameters"]
    assert f"all layers {facts.counts.parameters:,}" in page.section("layers")
    assert facts.counts.binary_weights > 0 == facts.twin_counts.binary_weights
    assert "Trained, not exported" in page.sections[""]
    assert "the run has no model.tflite" in page.section("latency")
    assert "notices" not in page.sections
    for command in facts.commands:
        assert command in page.section("reproduce")


def test_an_interrupted_training_is_called_one(run):
    (run / "metrics.json").unlink()
    (run / "model.weights.h5").unlink()
    page = page_of(run)
    assert "Training not finished" in page.sections[""]
    assert "1 of 1 epochs are done" in page.section("notices")
    assert "--resume" in page.section("notices")
    assert "stage1_layer1_conv" in page.section("layers")
    (run / "history.csv").unlink()
    page = page_of(run)
    assert "0 of 1 epochs are done" in page.section("notices")
    assert "No epoch has finished" in page.section("training")


def test_says_which_epochs_are_not_numbers_and_which_files_it_does_not_know(run):
    history = (run / "history.csv").read_text().splitlines()
    values = history[1].split(",")
    values[1] = "nan"
    (run / "history.csv").write_text("\n".join([*history, ",".join(values)]) + "\n")
    (run / "notes <script>.txt").write_text("mine")
    notices = page_of(run).section("notices")
    assert "loss is not a finite number in epoch 2." in notices
    assert "notes <script>.txt" in notices


def test_escapes_the_files_of_a_run(run):
    labels = (run / "labels.txt").read_text().splitlines()
    (run / "labels.txt").write_text("\n".join([HOSTILE, *labels[1:]]) + "\n")
    recipe = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps({**recipe, "summary": HOSTILE}))
    (run / "environment.json").write_text(json.dumps({HOSTILE: HOSTILE}))
    page = page_of(run)
    for section in ("", "confusion", "recipe", "environment"):
        assert HOSTILE in page.section(section)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"TFL3" * 50], ids=["empty", "zeros", "noise"])
def test_a_damaged_model_is_a_note_and_no_crash(run, content):
    (run / "model.tflite").write_bytes(content)
    page = page_of(run)
    assert "No latency:" in page.section("notices")
    assert "No verification:" in page.section("notices")
    assert "Exported, not verified" in page.sections[""]


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory) -> Path:
    run = Path(shutil.copytree(trained, tmp_path_factory.mktemp("exported") / "run"))
    export(Run.open(run))
    return run


def test_shows_latency_and_verification_of_an_exported_run(exported):
    path, facts = report.write(exported, rounds=2)
    page = Page(path.read_text(encoding="utf-8"))
    verification = json.loads((exported / "verification.json").read_text())
    assert facts.notices == ()
    assert facts.model_bytes == (exported / "model.tflite").stat().st_size
    assert facts.model_bytes < facts.latency.twin_bytes
    assert facts.confusion.source == "Exported model with the delegate"
    assert facts.confusion.accuracy == pytest.approx(facts.metrics["test_accuracy"])
    assert "Verified" in page.sections[""]
    assert verification["layers"]
    for layer in verification["layers"]:
        assert layer["layer"] in page.section("verification")
    for timing in (facts.latency.model, facts.latency.twin):
        assert units.milliseconds(timing.median_ms) in page.section("latency")


def test_another_models_verification_does_not_count(exported, tmp_path):
    run = Path(shutil.copytree(exported, tmp_path / "run"))
    model = bytearray((run / "model.tflite").read_bytes())
    model[-1] ^= 1
    (run / "model.tflite").write_bytes(model)
    page = page_of(run)
    assert "Exported, not verified" in page.sections[""]
    assert "of another model.tflite" in page.section("notices")


@pytest.mark.parametrize("content", ["[]", "{", "3", '{"verified": true}'])
def test_a_damaged_verification_is_never_a_verified_one(run, content):
    (run / "model.tflite").write_bytes(b"")
    (run / "verification.json").write_text(content)
    assert "Exported, not verified" in page_of(run).sections[""]


def test_labels_of_another_data_set_are_a_note(run):
    with open(run / "labels.txt", "a") as labels:
        labels.write("ten\n")
    assert "No confusion matrix: The run's labels must be the data set's 10." in page_of(run).section("notices")


def test_refuses_what_is_no_run_and_writes_nothing(tmp_path):
    with pytest.raises(UserError, match=r"recipe\.json"):
        report.write(tmp_path, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_page_leaves_nothing_behind(run):
    (run / "file").write_text("")
    before = sorted(run.iterdir())
    with pytest.raises(UserError, match="Cannot write"):
        report.write(run, run / "file" / "report.html")
    assert sorted(run.iterdir()) == before


def test_the_command_gives_json_and_exit_codes(run, tmp_path, capsys):
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ended:
        main(["report", str(run), "-o", str(out), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert out.is_file()
    assert printed["report"] == str(out)
    assert printed["test_accuracy"] == json.loads((run / "metrics.json").read_text())["test_accuracy"]
    assert printed["latency_ms"] is None
    with pytest.raises(SystemExit) as ended:
        main(["report", str(tmp_path / "nowhere")])
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 500).map(str),
        "binarization.t_clip": st.floats(0.01, 10).map(str),
        "network.layers": st.lists(st.integers(1, 4), min_size=3, max_size=3).map(lambda n: ",".join(map(str, n))),
        "network.name": st.just("binary_densenet28"),
        "augmentation.flip": st.sampled_from(["true", "false"]),
        "data.samples": st.one_of(st.just("none"), st.integers(1, 1000).map(str)),
        "schedule.milestones": st.sampled_from(["", "0.5", "0.25,0.75"]),
        "optimizer.name": st.sampled_from(["adam", "sgd"]),
    },
).filter(lambda values: not {"network.name", "network.layers"} <= set(values))


@settings(max_examples=30, deadline=None)
@given(CHANGES)
def test_the_command_that_makes_a_run_again_makes_the_same_recipe(values):
    base = recipes.get("digits")
    recipe = base.override(values)
    again = base.override(reproduce.changes(recipe, base))
    assert again == recipe
    assert all(
        word in reproduce.commands(recipe, Path("runs/x"))[0] for word in ("tflbnn train digits", "--out runs/x")
    )
