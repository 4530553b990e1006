"""Folders that cannot be written and disks that fill up: exit code 2, one line, nothing half-written."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.cli.support import read_only, run, small_disk, snapshot

# What writes: {run} is a trained run, {target} lies on the disk that refuses.
WRITERS = {
    "train": "train digits --smoke --out {target}/new",
    "tune": "tune digits growth_rate=8,16 --smoke --tuner random --trials 1 --out {target}/new",
    "export": "export {run} -o {target}/model.tflite",
    "report": "report {run} -o {target}/page.html",
}
SMALL = 16 << 10  # less than any of them writes in the end, more than the first file


def arguments(line, **places):
    return [word.format(**places) for word in line.split()]


@pytest.fixture
def copy(trained, tmp_path):
    """A run that may be changed."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.mark.parametrize("command", WRITERS)
def test_read_only_folder(command, copy, tmp_path, capfd):
    target = tmp_path / "sealed"
    target.mkdir()
    with read_only(target):
        outcome = run(capfd, *arguments(WRITERS[command], run=copy, target=target))
    outcome.assert_one_line("permission denied")
    assert snapshot(target) == {}


@pytest.mark.parametrize("command", ["export", "report"])
def test_read_only_run(command, copy, capfd):
    before = snapshot(copy)
    with read_only(copy):
        outcome = run(capfd, command, copy)
    outcome.assert_one_line("permission denied")
    assert snapshot(copy) == before


@pytest.mark.parametrize("command", WRITERS)
@pytest.mark.parametrize("size", [0, SMALL], ids=["full", "small"])
def test_full_disk(command, size, copy, tmp_path, capfd):
    target = tmp_path / "disk"
    with small_disk(target, max(size, 4096)):
        if size == 0:
            (target / "filler").write_bytes(bytes(4096))
        outcome = run(capfd, *arguments(WRITERS[command], run=copy, target=target))
        left = snapshot(target)
    assert outcome.code == 2, outcome
    assert outcome.err.splitlines()[-1].startswith("tflbnn: Cannot "), outcome
    assert "Traceback" not in outcome.err
    # Files are written under names that start with a dot; TensorBoard's logs are appended to, line by line.
    names = {name.split("/")[-1] for name in left} - {".lock"}
    assert not [name for name in names if name.startswith(".")]
    for name, content in left.items():
        if name.endswith(".json"):
            json.loads(content)
    assert "disk/model.tflite" not in left
    assert "disk/page.html" not in left


def test_output_to_a_full_disk(folder):
    command = [sys.executable, "-m", "tflbnn", "predict", "model.tflite", "red.png"]
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2
    assert result.stderr == "tflbnn: Cannot write to standard output: no space left on device.\n"
