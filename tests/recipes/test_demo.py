"""The demo walks the whole path; what it prints is what its files say."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.analysis.test_report_page import Page, outside_requests
from tflbnn.cli import main
from tflbnn.recipes.demo import application
from tflbnn.training import Run

DEMO = [sys.executable, "-m", "tflbnn.recipes.demo", "--smoke"]


def test_smoke_makes_a_verified_model_and_a_report(tmp_path):
    out = tmp_path / "demo"
    ended = subprocess.run([*DEMO, "--out", out], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ended.returncode == 0, ended.stderr
    *table, last = ended.stdout.rstrip("\n").split("\n")
    result = json.loads(last)
    assert list(result) == [
        *("accuracy", "size_bytes", "latency_ms", "float_latency_ms", "trials", "verified", "model", "report")
    ]
    run, model = Run.open(out / "best"), Path(result["model"])
    assert result["verified"] is True
    assert json.loads(run.verification_json.read_text())["verified"] is True
    assert result["trials"] == len((out / "trials.csv").read_text().splitlines()) - 1 == 2
    assert result["size_bytes"] == model.stat().st_size
    assert result["accuracy"] == pytest.approx(run.metrics["test_accuracy"])
    assert result["latency_ms"] > 0 < result["float_latency_ms"]
    page = Page(Path(result["report"]).read_text(encoding="utf-8"))
    assert outside_requests(page) == []
    assert "Verified" in page.sections[""]
    assert "notices" not in page.sections
    assert {line.split()[0] for line in table if line.strip()} >= {"latency", "ratio", "report", "model"}
    for step in range(1, 6):
        assert f"{step}/5" in ended.stderr
    assert "WARNING" not in ended.stderr


def test_an_interrupt_ends_in_one_line(tmp_path):
    with subprocess.Popen([*DEMO, "--out", tmp_path / "demo"], stderr=subprocess.PIPE, text=True) as child:
        lines = []
        for line in child.stderr:
            lines.append(line)
            if "2/5" in line:
                child.send_signal(signal.SIGINT)
        assert child.wait() == 130
    assert lines[-1] == "tflbnn: interrupted\n"
    assert not any("Traceback" in line for line in lines)
    assert not (tmp_path / "demo" / "best" / "model.tflite").exists()


def test_a_taken_folder_is_refused(tmp_path, capfd):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        main(["--smoke", "--out", str(tmp_path)], application)
    assert ended.value.code == 2
    assert capfd.readouterr().err.splitlines()[-1].startswith("tflbnn: ")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
