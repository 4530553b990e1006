"""Android's arm64 libraries in an arm64 JVM under qemu: Debian's packages, unpacked and never installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from android_demo.tools import native
from android_demo.tools.common import CACHE
from android_demo.tools.host import Host, shim
from tests.delegate.arm.sysroot import packages

JVM = "openjdk-17-jre-headless"


def root() -> Path:
    """The folder for qemu's -L, made when it is missing; about 250 MB."""
    target = CACHE / "arm64-jvm"
    if not target.exists():
        work = CACHE / f"arm64-jvm-{os.getpid()}"
        try:
            for package in packages(work, [JVM]):
                subprocess.run(["dpkg-deb", "-x", package, work / "root"], check=True)
            (work / "root").rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def host(processor: str = "max") -> Host:
    """As android_demo.tools.host.libraries, for arm64."""
    abi = "arm64-v8a"
    delegate = native.build(abi)
    system, libraries = root(), shim(abi)
    java = next((system / "usr/lib/jvm").glob("java-17-openjdk-arm64/bin/java"))
    paths = [libraries, *(system / folder / "aarch64-linux-gnu" for folder in ("usr/lib", "lib"))]
    emulator = (
        *("qemu-aarch64", "-cpu", processor, "-L", str(system), "-E", f"LD_PRELOAD={libraries / 'libtflbnn_guard.so'}"),
        *("-E", f"LD_LIBRARY_PATH={os.pathsep.join(map(str, paths))}", str(java), "-Xshare:auto"),
    )
    folders = os.pathsep.join([str(native.stock_library(abi).parent), str(delegate.parent)])
    return Host(emulator, "", folders)
