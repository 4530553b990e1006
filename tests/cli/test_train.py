"""tflbnn train on the command line."""

import json

import pytest

from tests.training.tiny import CHANGES
from tflbnn import cli
from tflbnn.cli import train as train_command
from tflbnn.training import Run

TINY = ["train", "digits", *(f"{key}={value}" for key, value in CHANGES.items())]


def _main(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return caught.value.code, output.out, output.err


def test_trains_and_prints_a_table_or_json(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = _main([*TINY, "--smoke"], capsys)
    (folder,) = (tmp_path / "runs").iterdir()
    assert code == 0
    assert folder.name.startswith("digits-")
    assert f"{Run.open(folder).metrics['test_accuracy']:.2%}" in out
    assert f"tflbnn export runs/{folder.name}" in out
    assert "epoch 1/1" in err

    code, out, _ = _main(["train", "digits", "--resume", "--out", folder, "--json"], capsys)
    result = json.loads(out)
    assert (code, result["already_finished"], result["epochs"]) == (0, True, 1)
    assert result["test_accuracy"] == Run.open(folder).metrics["test_accuracy"]


def test_an_interrupted_run_says_how_to_resume_it(tmp_path, monkeypatch, capsys):
    out = tmp_path / "a run"
    with monkeypatch.context() as patch:
        original = train_command._Display.__call__

        def interrupting(self, progress):
            original(self, progress)
            if (progress.epoch, progress.step) == (3, 2):
                raise KeyboardInterrupt

        patch.setattr(train_command._Display, "__call__", interrupting)
        code, _, err = _main([*TINY, "--out", out], capsys)
    assert code == 130
    message = err.splitlines()[-1]
    assert (
        message == f"tflbnn: interrupted after 2 of 5 epochs; resume with: tflbnn train digits --resume --out '{out}'"
    )
    code, _, err = _main(["train", "digits", "--resume", "--out", out], capsys)
    assert code == 0
    assert "epoch 3/5" in err
    assert "epoch 2/5" not in err
    assert len(Run.open(out).history) == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digts"], "Did you mean 'digits'?"),
        (["digits", "epochs"], "written key=value"),
        (["digits", "=3"], "written key=value"),
        (["digits", "epochs=3", "epochs=4"], "can be set once"),
        (["digits", "epochs=0"], "at least 1"),
        (["digits", "t_clip=-1"], "above 0"),
        (["digits", "growthrate=3"], "Did you mean 'growth_rate'?"),
        (["digits", "--resume"], "needs the run folder"),
        (["digits", "--resume", "--out", "nothing"], "There is no run to resume"),
        (["digits", "--data-dir", "nothing"], "data folder must exist"),
        (["digits", "--out", "file"], "a file. Choose another --out"),
        (["digits", "--out", "full"], "needs a new or empty folder"),
        (["digits", "--out", "file/run"], "not a directory"),
        (["digits", "--ot", "x"], "No such option"),
        ([], "needs a recipe or a trial"),
    ],
)
def test_wrong_inputs_are_one_line_and_leave_nothing(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    code, out, err = _main(["train", *arguments], capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("tflbnn: ")
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "thesis.tex"]


def test_a_run_of_another_recipe_is_not_resumed(tmp_path, capsys):
    assert _main([*TINY, "--smoke", "--out", tmp_path / "run"], capsys)[0] == 0
    code, _, err = _main(["train", "cifar10", "--resume", "--out", tmp_path / "run"], capsys)
    assert code == 2
    assert "which is a run of digits" in err
