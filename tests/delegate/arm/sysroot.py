"""A 64-bit ARM Python with TensorFlow Lite, for qemu: Debian's packages and a wheel, unpacked and never installed.

Kept in ~/.cache/tflbnn (or XDG_CACHE_HOME); about 100 MB. Needs apt and dpkg-deb, but no privileges: apt works on
folders of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("python3-minimal", "python3-numpy", "libpython3-stdlib", "libstdc++6")
# ai-edge-litert 2.3 does not run in Debian 12's qemu; this is the last of the older runtime's wheels.
WHEEL = ("tflite-runtime==2.14.0", "manylinux_2_34_aarch64", "311")


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tflbnn" / "arm64"


def _run(*command: str | Path) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{run.stdout}{run.stderr}")


def packages(folder: Path, names: Sequence[str]) -> list[Path]:
    """Downloads Debian's packages for arm64 and all they depend on."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise SystemExit(f"The ARM system is put together from Debian's packages. Received: no {tool} on the PATH.")
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()  # nothing is installed
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Debug::NoLocking": "true",
    }
    apt = ["apt-get", "-q", "-y", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]
    _run(*apt, "update")
    _run(*apt, "install", "--download-only", "--no-install-recommends", *names)
    return sorted((folder / "archives").glob("*.deb"))


def sysroot() -> Path:
    """The folder for qemu's -L, made when it is missing."""
    root = cache() / "root"
    if root.exists():
        return root
    work = cache() / f"work-{os.getpid()}"
    work.mkdir(parents=True)
    try:
        for package in packages(work, PACKAGES):
            _run("dpkg-deb", "-x", package, work / "root")
        if not (work / "root/usr/bin/python3.11").exists():
            raise SystemExit("The wheel of tflite-runtime is for Python 3.11, which Debian 12 has. Use Debian 12.")
        requirement, platform, version = WHEEL
        _run(
            *(sys.executable, "-m", "pip", "download", requirement, "--no-deps", "--only-binary=:all:"),
            *("--platform", platform, "--python-version", version, "--dest", work / "wheel"),
        )
        (wheel,) = (work / "wheel").glob("*.whl")
        shutil.unpack_archive(wheel, work / "root/usr/lib/python3/dist-packages", "zip")
        (work / "root").rename(root)
    finally:
        shutil.rmtree(work)
    return root
