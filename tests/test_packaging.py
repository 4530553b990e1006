"""The wheel works where nothing of the source tree is."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built through the source distribution, as `python -m build` does it."""
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", out, ROOT], check=True)
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_the_mapped_packages_and_the_delegate(wheel):
    assert wheel.name.startswith("tflbnn-")
    assert "-py3-none-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ("tflbnn/converter/__init__.py", "tflbnn/recipes/__init__.py", "tflbnn/runtime/libtflbnn_delegate.so"):
        assert name in names
    assert not any(name.startswith(("converter/", "recipes/", "tests/", "delegate/")) for name in names)


def test_the_wheel_runs_in_a_clean_environment(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", wheel], check=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}

    def run(*command):
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    doctor = run(tmp_path / "env" / "bin" / "tflbnn", "doctor", "--json")
    found = json.loads(doctor.stdout)
    assert "reference" in found["kernels"], doctor.stderr
    assert found["packages"]["tensorflow"] is None
    train = run(tmp_path / "env" / "bin" / "tflbnn", "train", "digits")
    assert train.returncode == 2
    assert "pip install 'tflbnn[train]'" in train.stderr
    assert train.stderr.count("\n") == 1
