"""The wheels that make wheels builds: what is in them, and the one for this machine at work."""

from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLATFORMS = {
    "manylinux_2_27_x86_64": "libtflbnn_delegate.so",
    "manylinux_2_27_aarch64": "libtflbnn_delegate.so",
    "macosx_12_0_arm64": "libtflbnn_delegate.dylib",
    "win_amd64": "tflbnn_delegate.dll",
}
EXPORTED = (b"tflite_plugin_create_delegate", b"tflbnn_delegate_create", b"tflbnn_delegate_profile")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def wheels() -> dict[str, Path]:
    """Built into dist/, by platform."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    subprocess.run([sys.executable, ROOT / "delegate" / "wheels.py"], check=True)
    found = {path.stem.split("-")[-1]: path for path in (ROOT / "dist").glob("*.whl")}
    assert found.keys() == PLATFORMS.keys()
    return found


def machine(library: bytes) -> str:
    """What a shared library is for, by the numbers in its header."""
    if library[:5] == b"\x7fELF\x02":
        return {62: "linux x86_64", 183: "linux aarch64"}[struct.unpack_from("<H", library, 18)[0]]
    if library[:4] == b"\xcf\xfa\xed\xfe":
        return {0x0100000C: "macos arm64"}[struct.unpack_from("<I", library, 4)[0]]
    assert library[:2] == b"MZ"
    (header,) = struct.unpack_from("<I", library, 60)
    assert library[header : header + 4] == b"PE\0\0"
    return {0x8664: "windows x86_64"}[struct.unpack_from("<H", library, header + 4)[0]]


@pytest.mark.parametrize(
    ("name", "for_machine"),
    zip(PLATFORMS, ("linux x86_64", "linux aarch64", "macos arm64", "windows x86_64"), strict=True),
)
def test_what_is_in_a_wheel(wheels: dict[str, Path], name: str, for_machine: str) -> None:
    assert wheels[name].name.endswith(f"-py3-none-{name}.whl")
    with zipfile.ZipFile(wheels[name]) as archive:
        names = archive.namelist()
        assert [path for path in names if "tflbnn_delegate" in path] == [f"tflbnn/runtime/{PLATFORMS[name]}"]
        library = archive.read(f"tflbnn/runtime/{PLATFORMS[name]}")
        (metadata,) = (path for path in names if path.endswith(".dist-info/WHEEL"))
        assert f"Tag: py3-none-{name}\n" in archive.read(metadata).decode()
    assert "tflbnn/converter/__init__.py" in names
    assert machine(library) == for_machine
    for symbol in EXPORTED:
        assert symbol in library
    if for_machine.startswith("linux"):
        versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", library)}
        assert versions
        assert max(versions) <= (2, 27)
        assert b"libstdc++.so" not in library
        assert b"libc++.so" not in library


def test_the_runtime_tests_pass_from_the_wheel(wheels: dict[str, Path], tmp_path: Path) -> None:
    """In an environment without TensorFlow, in a folder without the sources."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    wheel = f"{wheels[f'manylinux_2_27_{platform.machine()}']}[images]"
    install = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q", wheel, "pytest", "hypothesis"]
    subprocess.run(install, check=True)
    copied = ("__init__.py", "runtime")
    (tmp_path / "tests").mkdir()
    for name in copied:
        source = ROOT / "tests" / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / "tests" / name)
        elif source.exists():
            shutil.copy(source, tmp_path / "tests")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "tests/runtime"]
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\nmarkers = long: takes minutes\n")
    command += ["-m", "not long", "-k", "not test_no_mutant_crashes"]  # which converts its models with TensorFlow
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
