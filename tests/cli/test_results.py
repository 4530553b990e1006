"""--json of every command is one JSON object with what the screen shows, and Ctrl-C ends with 130."""

import json
import math
import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.cli.support import run
from tflbnn.cli import COMMANDS


def parsed(capfd, *arguments):
    """The JSON object; standard error holds progress at most."""
    outcome = run(capfd, *arguments, "--json")
    assert outcome.code == 0, outcome
    assert outcome.out.count("\n") == 1
    assert "Traceback" not in outcome.err
    return json.loads(outcome.out)


class TestPredict:
    def test_finds_red(self, folder, capfd):
        found = parsed(capfd, "predict", "model.tflite", "red.png", "--top", 2)
        (image,) = found["images"]
        assert image["top"] == [
            {"label": "red", "index": 0, "score": 1.0},
            {"label": "green", "index": 1, "score": 0.0},
        ]
        assert image["probabilities"] is True
        assert image["resized_from"] is None

    def test_says_that_it_resized(self, folder, capfd):
        from PIL import Image

        Image.new("RGB", (50, 40), "blue").save("large.jpg")
        found = parsed(capfd, "predict", "model.tflite", "large.jpg")
        assert found["images"][0]["resized_from"] == [40, 50]
        assert found["images"][0]["top"][0]["label"] == "blue"
        assert "40×50, resized to 4×5" in run(capfd, "predict", "model.tflite", "large.jpg").out

    def test_says_that_it_takes_the_middle(self, folder, capfd):
        import numpy as np
        from PIL import Image

        from tests.runtime import small_models
        from tflbnn.runtime.metadata import Metadata, add_metadata

        described = Metadata(mean=(0.0,), std=(255.0,), resized=(6, 9))
        (folder / "window.tflite").write_bytes(add_metadata(small_models.classifier(np.eye(3)), described))
        Image.new("RGB", (50, 40), "blue").save("large.jpg")
        found = parsed(capfd, "predict", "window.tflite", "large.jpg")
        assert (found["resized"], found["images"][0]["resized_from"]) == ([6, 9], [40, 50])
        out = run(capfd, "predict", "window.tflite", "large.jpg").out
        assert "40×50, resized to 6×9 (bilinear, antialiased), the middle 4×5 of it" in " ".join(out.split())

    def test_arrays_of_several_images(self, folder, capfd):
        found = parsed(capfd, "predict", "model.tflite", "pixels.npy", "red.png")
        assert [image["image"] for image in found["images"]] == ["pixels.npy[0]", "pixels.npy[1]", "red.png"]

    def test_without_labels_by_index(self, folder, capfd):
        import numpy as np

        np.save("floats.npy", np.full((4, 5, 3), (0.1, 0.7, 0.2), np.float32))
        found = parsed(capfd, "predict", "bare.tflite", "floats.npy")
        assert [guess["label"] for guess in found["images"][0]["top"]] == ["1", "2", "0"]
        assert found["images"][0]["probabilities"] is True

    def test_bars(self, folder, capfd):
        out = run(capfd, "predict", "model.tflite", "red.png").out
        assert "100.0%" in out
        assert "█" * 30 in out


class TestBenchmark:
    def test_rows(self, folder, capfd):
        found = parsed(capfd, "benchmark", "binary.tflite", "--against", "model.tflite", "--rounds", 1)
        names = [row["name"] for row in found["rows"]]
        assert names == ["binary.tflite", "model.tflite", "model.tflite without delegate"]
        for row in found["rows"]:
            assert 0 < row["best_ms"] <= row["median_ms"] <= row["p90_ms"]
            assert row["ratio"] > 0
            assert row["size_bytes"] == os.path.getsize(row["path"])
        assert found["rows"][0]["ratio"] == 1
        assert found["rows"][0]["kernel"]
        assert found["rows"][2]["kernel"] is None

    def test_per_op(self, folder, capfd):
        found = parsed(capfd, "benchmark", "binary.tflite", "--rounds", 2, "--per-op")["per_op"]
        assert [(row["op"], row["runs"]) for row in found["operations"]] == [("LceQuantize", 7), ("LceBconv2d", 7)]
        _, convolution = found["operations"]
        assert convolution["binary_macs"] == math.prod(convolution["outputs"][0]["shape"]) * 3
        parts = [row["median_ms"] for row in found["operations"]]
        assert found["rest_ms"] == pytest.approx(found["total_ms"] - sum(parts))
        assert sum(row["share"] for row in found["operations"]) < 1
        assert parsed(capfd, "benchmark", "binary.tflite", "--rounds", 1)["per_op"] is None

    def test_per_op_as_bars(self, folder, capfd, monkeypatch):
        monkeypatch.setenv("COLUMNS", "120")  # no cell is folded
        out = run(capfd, "benchmark", "binary.tflite", "--rounds", 1, "--per-op").out
        assert "LceBconv2d" in out
        assert "outside the delegate" in out
        assert "█" * 20 in out

    def test_per_op_without_binary_operators(self, folder, capfd):
        found = parsed(capfd, "benchmark", "model.tflite", "--rounds", 1, "--per-op")["per_op"]
        assert found["operations"] == []
        assert found["rest_ms"] == found["total_ms"]

    def test_against_itself(self, folder, capfd):
        found = parsed(capfd, "benchmark", "binary.tflite", "--against", "binary.tflite", "--rounds", 1)
        assert len(found["rows"]) == 2


def test_ctrl_c(folder):
    """A terminal stands in for the user, who sees that it measures before pressing the keys."""
    terminal, other_end = pty.openpty()
    command = [sys.executable, "-m", "tflbnn", "benchmark", "binary.tflite", "--rounds", "100000000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=other_end, text=True)
    os.close(other_end)
    seen = b""
    while b"measuring" not in seen:
        seen += os.read(terminal, 1024)
    process.send_signal(signal.SIGINT)
    try:
        while chunk := os.read(terminal, 1024):
            seen += chunk
    except OSError:  # the other end is closed
        pass
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 130
    assert out == ""
    assert b"Traceback" not in seen
    assert b"tflbnn: interrupted" in seen


def test_the_main_job(trained, tmp_path, capfd):
    """A run goes through every command; what one writes the next one reads."""
    model = tmp_path / "model.tflite"
    exported = parsed(capfd, "export", trained, "-o", model)
    assert exported["verified"] is True
    assert exported["size_bytes"] == model.stat().st_size
    assert parsed(capfd, "verify", trained, model)["verified"] is True
    counted = parsed(capfd, "summary", model)
    assert counted["binary_weights"] == parsed(capfd, "summary", trained)["binary_weights"] > 0
    timed = parsed(capfd, "benchmark", model, "--rounds", 1)
    assert len(timed["rows"]) == 1
    assert parsed(capfd, "report", trained, "-o", tmp_path / "page.html")["report"] == str(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 1000
    from PIL import Image

    Image.new("L", (8, 8), 100).save(tmp_path / "grey.png")
    found = parsed(capfd, "predict", model, tmp_path / "grey.png", "--top", 10)
    assert {guess["label"] for guess in found["images"][0]["top"]} == {str(digit) for digit in range(10)}
    assert found["images"][0]["probabilities"] is True


@pytest.mark.parametrize("command", ["list", "doctor"])
def test_without_arguments(command, capfd):
    assert parsed(capfd, command)
    assert command in COMMANDS


def test_tune(tmp_path, capfd):
    line = f"tune digits growth_rate=8,16 --smoke --tuner random --trials 1 --out {tmp_path / 'search'}"
    assert parsed(capfd, *line.split())
