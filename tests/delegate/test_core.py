"""The C++ tests of the delegate's core, and what its library exports."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.delegate.build import ROOT, build
from tflbnn.runtime import delegate_path


@pytest.fixture(scope="module")
def tests() -> Path:
    return build("tests") / "tflbnn_tests"


def test_core(tests: Path) -> None:
    run = subprocess.run([tests], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\n\d\d tests, 0 failed\n$", run.stdout)


def test_only_the_header_is_exported() -> None:
    header = (ROOT / "delegate" / "c" / "tflbnn_delegate.h").read_text()
    declared = set(re.findall(r"^TFLBNN_EXPORT [^;(]*?(\w+)\(", header, re.MULTILINE))
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", delegate_path()], capture_output=True, text=True, check=True
    )
    assert len(declared) == 9
    assert {line.split()[-1] for line in symbols.stdout.splitlines()} == declared
