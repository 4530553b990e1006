"""Runs Android's libraries on this machine: the stock TensorFlow Lite for Android and the delegate, in a plain JVM.

Android's libraries are ordinary ELF files that import from bionic, Android's C library. A shim by bionic's names
(shim/) sends what they import to glibc. x86-64 runs natively; arm64 runs under qemu with an arm64 JVM, which is made of
Debian's packages that are unpacked and never installed.
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from android_demo.tools import elf, native
from android_demo.tools.common import BUILD, BuildError, require, run, up_to_date
from android_demo.tools.shim import trampolines

SHIM = Path(__file__).with_name("shim")


@dataclass(frozen=True)
class Host:
    """What a JVM is started with: `command`, LD_LIBRARY_PATH and -Djava.library.path."""

    command: tuple[str, ...]
    ld_library_path: str
    java_library_path: str

    def java(
        self, classpath: str, *arguments: str | Path, extra: str = "", **options: object
    ) -> subprocess.CompletedProcess[str]:
        """Runs a main class; `extra` is put in front of java.library.path."""
        libraries = os.pathsep.join(filter(None, [extra, self.java_library_path]))
        environment = {**os.environ, "LD_LIBRARY_PATH": self.ld_library_path, "TFLBNN_KERNEL": ""}
        command = [*self.command, f"-Djava.library.path={libraries}", "-cp", classpath, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, **options)


def shim(abi: str) -> Path:
    """The folder with libc.so, libm.so, libdl.so and liblog.so by Android's names, for glibc of the same processor."""
    machine, prefix = {"x86_64": ("x86_64", ""), "arm64-v8a": ("aarch64", "aarch64-linux-gnu-")}[abi]
    folder = BUILD / "shim" / machine
    libraries = [native.stock_library(abi), BUILD / "native" / abi / native.LIBRARY]
    sources = [*SHIM.iterdir(), *libraries]
    if up_to_date(folder / "libc.so", sources):
        return folder
    compiler = require(f"{prefix}gcc", f"gcc-{machine}-linux-gnu" if prefix else "gcc")
    folder.mkdir(parents=True, exist_ok=True)
    names = frozenset().union(*(elf.read(library).undefined for library in libraries)) | {"__libc_init"}
    names = {name for name in names if not name.startswith(("__android_log", "_Z", "TfLite", "tflbnn"))}
    (folder / "trampolines.S").write_text(trampolines.assembler(names, machine))
    versions = f"-Wl,--version-script={SHIM / 'versions.map'}"
    shared = (compiler, "-O1", "-fPIC", "-fno-builtin", "-shared")
    for name in ("m", "dl"):
        run(*shared, versions, f"-Wl,-soname,lib{name}.so", "-o", folder / f"lib{name}.so", SHIM / "empty.c")
    run(*shared, "-Wl,-soname,liblog.so", "-o", folder / "liblog.so", SHIM / "liblog.c")
    run(*shared, "-o", folder / "libtflbnn_guard.so", SHIM / "guard.c")
    run(
        *(*shared, versions, "-Wl,-soname,libc.so", "-Wl,-z,defs", "-o", folder / "libc.so"),
        *(SHIM / "libc.c", folder / "trampolines.S", "-lm"),
    )
    return folder


def libraries(abi: str = "x86_64") -> Host:
    """A JVM's surroundings for the stock library and the delegate, both built for Android.

    Raises:
        BuildError: this machine is no x86-64 Linux, or a tool is missing.
    """
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        received = f"{platform.system()} on {platform.machine()}"
        raise BuildError(f"Android's libraries run on x86-64 Linux here. Received: {received}.")
    delegate = native.build(abi)
    folders = os.pathsep.join([str(native.stock_library(abi).parent), str(delegate.parent)])
    return Host((require("java", "openjdk-17-jre-headless"),), str(shim(abi)), folders)
