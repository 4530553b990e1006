"""Without a usable Python or a C++ compiler, make says so in one line before it downloads anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("bash", "sh", "make", "find", "nproc", "awk", "cat", "touch")


@pytest.fixture
def machine(tmp_path):
    """A copy of what make reads, and a PATH that holds only what is put there."""
    for name in ("Makefile", "pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "delegate").mkdir()
    path = tmp_path / "bin"
    path.mkdir()
    for tool in TOOLS:
        (path / tool).symlink_to(shutil.which(tool))
    return tmp_path


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def make(machine: Path) -> subprocess.CompletedProcess:
    environment = {"PATH": str(machine / "bin"), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(["make", "setup"], cwd=machine, env=environment, capture_output=True, text=True)


def test_no_compiler(machine):
    script(machine / "bin" / "python3", "exit 0")
    done = make(machine)
    assert done.returncode == 2
    assert "tflbnn needs a C++17 compiler" in done.stderr.splitlines()[0]
    assert not (machine / ".venv").exists()


@pytest.mark.parametrize("version", ["3.9.18", "3.13.0"])
def test_only_a_python_outside_the_range(machine, version):
    script(machine / "bin" / "c++", "exit 0")
    script(machine / "bin" / "python3", f'[ "$1" = --version ] && echo "Python {version}" && exit 0\nexit 1')
    done = make(machine)
    assert done.returncode == 2
    assert f"needs Python 3.10, 3.11 or 3.12. Received: Python {version}." in done.stderr.splitlines()[0]
    assert not (machine / ".venv").exists()


def test_a_python_that_cannot_make_environments(machine):
    script(machine / "bin" / "c++", "exit 0")
    script(machine / "bin" / "python3", 'case "$2" in *ensurepip*) exit 1;; esac\nexit 0')
    done = make(machine)
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr.splitlines()[0]
