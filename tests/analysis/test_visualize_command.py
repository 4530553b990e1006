"""tflbnn visualize: pictures of a real run, as files and on its page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tflbnn.cli import main


@pytest.fixture
def run(digits_run, tmp_path) -> Path:
    return Path(shutil.copytree(digits_run, tmp_path / "run"))


def visualize(capsys, *words: object, code: int = 0) -> dict:
    """What the command prints as JSON, or as its one line of an error."""
    with pytest.raises(SystemExit) as ended:
        main(["visualize", *map(str, words), "--json"])
    assert ended.value.code == code
    printed = capsys.readouterr()
    if code:
        assert printed.err.count("\n") == 1
        return {"error": printed.err}
    return json.loads(printed.out)


def test_pictures_are_written_and_reported(run, tmp_path, capsys):
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    commands = [
        ("features", run, tmp_path / "grey.png"),
        ("bits", run),
        ("weights", run),
        ("scaling", run),
        ("visualbackprop", run, "--beside", run),
        ("deepdream", run, tmp_path / "grey.png", "--objective", "class:3", "--octaves", 1, "--steps", 2),
    ]
    for words in commands:
        (figure,) = visualize(capsys, *words)["figures"]
        assert Path(figure["path"]).parent == run / "figures"
        assert Path(figure["path"]).read_bytes().startswith(b"\x89PNG")
        assert len(figure["caption"]) > 60
    with pytest.raises(SystemExit):
        main(["report", str(run)])
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/png;base64,') == len(commands)
    assert "not part of a run" not in page


def test_runs_are_compared_in_pictures(run, tmp_path, capsys):
    other = Path(shutil.copytree(run, tmp_path / "other"))
    recipe = json.loads((other / "recipe.json").read_text())
    recipe["binarization"]["t_clip"] = 0.5
    (other / "recipe.json").write_text(json.dumps(recipe))
    for words in (("sweep", run, other), ("tradeoff", run, other), ("tradeoff",)):
        (figure,) = visualize(capsys, *words, "--out", tmp_path / "out")["figures"]
        assert Path(figure["path"]).parent == tmp_path / "out"
    assert "two values" in visualize(capsys, "sweep", run, run, "--out", tmp_path / "none", code=2)["error"]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("features", "RUN", "--layer", "stem_con"), "Did you mean 'stem_conv'"),
        (("features", "RUN", "missing.png"), "Cannot read the image"),
        (("bits", "RUN", "--layer", "stem_conv"), "binary convolution"),
        (("weights", "RUN", "--layer", "x"), "There are histograms of"),
        (("deepdream", "RUN", "--objective", "pixel:3"), "An objective is"),
        (("features", "nowhere"), "A run folder holds recipe.json"),
    ],
)
def test_wrong_inputs_are_told_in_one_line(run, words, message, capsys):
    words = [run if word == "RUN" else word for word in words]
    assert message in visualize(capsys, *words, code=2)["error"]
    assert not (run / "figures").exists()


def test_an_unfinished_run_is_refused(run, capsys):
    (run / "metrics.json").unlink()
    assert "must be finished" in visualize(capsys, "features", run, code=2)["error"]
