"""Running commands inside the test's process, and file systems that refuse to write."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tflbnn.cli import main


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    def assert_one_line(self, expected: str, code: int = 2) -> None:
        """It failed with one line on standard error and nothing else."""
        assert (self.code, self.out) == (code, ""), self
        assert self.err.count("\n") == 1, self
        assert self.err.startswith("tflbnn: "), self
        assert expected.casefold() in self.err.casefold(), self


def run(capfd: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """A command's outcome; also what C++ prints is seen."""
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return Outcome(end.value.code, *capfd.readouterr())


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """The files below a folder with their contents."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = tuple(
        (f"{kind}{half}", ctypes.c_uint32) for half in (0, 1) for kind in ("effective", "permitted", "inherited")
    )


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody can write into the folder, not even root, who gives up that power meanwhile (linux/capability.h)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, powers = _CapabilityHeader(0x20080522, 0), _Capabilities()
    assert libc.capget(ctypes.byref(header), ctypes.byref(powers)) == 0
    before = powers.effective0
    powers.effective0 &= ~(1 << 1 | 1 << 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    mode = folder.stat().st_mode
    folder.chmod(0o555)
    assert libc.capset(ctypes.byref(header), ctypes.byref(powers)) == 0
    try:
        yield
    finally:
        powers.effective0 = before
        assert libc.capset(ctypes.byref(header), ctypes.byref(powers)) == 0
        folder.chmod(mode)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Only `size` bytes fit into the folder: a tmpfs where mounting is allowed, else a limit to any file's size."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
