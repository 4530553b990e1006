"""Cross-compiles the delegate's library for Android with Zig: build/android/native/ABI/libtflbnn_delegate.so.

Beside it come TensorFlow Lite's own library and the program that `tflbnn benchmark --adb` runs on a phone.

    python -m android_demo.tools.native [ABI...]

Needs the package ziglang (pip install 'tflbnn[wheels]') and a JDK, whose jni.h serves for Android's. What Zig compiles
of its own libraries it keeps in ~/.cache/zig; the first time takes a minute or two for each ABI.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from android_demo.tools import elf
from android_demo.tools.common import BUILD, DELEGATE_MIN_SDK, PAGE, ROOT, BuildError, main, require, run, up_to_date
from android_demo.tools.maven import fetch, unpack

ABIS = ("arm64-v8a", "armeabi-v7a", "x86_64", "x86")
LIBRARY = "libtflbnn_delegate.so"
PROGRAM = "tflbnn_benchmark"  # what `tflbnn benchmark --adb` runs on a phone
SOURCE = ROOT / "android_demo" / "delegate" / "src" / "main" / "cpp"


def zig() -> Path:
    """The compiler within the package ziglang."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise BuildError("Cross-compiling needs the package ziglang. Run: pip install 'tflbnn[wheels]'")
    return Path(found.origin).with_name("zig")


def java_home() -> Path:
    """The folder of the JDK whose javac is on the PATH."""
    return Path(require("javac", "openjdk-17-jdk-headless")).resolve().parents[1]


def stock_library(abi: str) -> Path:
    """TensorFlow Lite's own library for Android."""
    return unpack(fetch("tflite")[0], f"jni/{abi}/libtensorflowlite_jni.so")


def check(library: Path, abi: str, beside: tuple[Path, ...] = ()) -> None:
    """Whether Android can load the library with those beside it, from the API level on that the delegate promises.

    Raises:
        BuildError: segments that pages of 16 KiB do not allow, thread-local storage of ELF (API level 29 on), or
            functions that Android's C library is not known to have.
    """
    facts = elf.read(library)
    if min(facts.load_alignments) < PAGE:
        raise BuildError(f"{library}: LOAD segments must be aligned to {PAGE}. Received: {facts.load_alignments}")
    if facts.has_tls:
        raise BuildError(f"{library} has a TLS segment, which Android loads from API level 29 on only.")
    # Stock TensorFlow Lite runs on the same API levels, so whatever it imports is there.
    known = elf.read(stock_library(abi)).undefined | elf.ALSO_IN_BIONIC
    for path in beside:
        known |= elf.read(path).defined
    if unknown := facts.undefined - known:
        raise BuildError(
            f"{library} needs {', '.join(sorted(unknown))}, not known to be in Android's libraries of API level "
            f"{DELEGATE_MIN_SDK}. Add what is to elf.ALSO_IN_BIONIC"
        )
    if foreign := facts.needed - {"libc.so", "libm.so", "libdl.so", "liblog.so"} - {path.name for path in beside}:
        raise BuildError(f"{library} needs {', '.join(sorted(foreign))}, which Android does not have.")


def build(abi: str) -> Path:
    """The library of one ABI, built anew where sources have changed, checked."""
    folder = BUILD / "native" / abi
    settings = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_TOOLCHAIN_FILE": ROOT / "android_demo" / "tools" / "zig.cmake",
        "TFLBNN_ZIG": zig(),
        "TFLBNN_ABI": abi,
        "TFLBNN_JNI": java_home() / "include",
        "TFLBNN_TFLITE": stock_library(abi),
    }
    objects = BUILD / "cmake" / abi
    run("cmake", "-G", "Ninja", "-S", SOURCE, "-B", objects, *(f"-D{key}={value}" for key, value in settings.items()))
    run("cmake", "--build", objects)
    check(objects / LIBRARY, abi)
    check(objects / PROGRAM, abi, (objects / LIBRARY, stock_library(abi)))
    for source in (objects / LIBRARY, objects / PROGRAM, stock_library(abi)):
        target = folder / source.name
        if not up_to_date(target, [source]):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / f"{target.name}.new")
            (folder / f"{target.name}.new").replace(target)
    return folder / LIBRARY


def build_all(abis: tuple[str, ...]) -> dict[str, Path]:
    """The libraries of these ABIs, built beside each other: Zig makes its own libraries on one processor."""
    for abi in abis:
        stock_library(abi)  # fetched once, before the threads want it
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(abis, pool.map(build, abis), strict=True))


def checked(abis: list[str]) -> tuple[str, ...]:
    """The names as given, which must be those of ABIs."""
    if unknown := set(abis) - set(ABIS):
        raise BuildError(f"An ABI is one of {', '.join(ABIS)}. Received: {', '.join(sorted(unknown))}")
    return tuple(abis)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("abis", nargs="*", metavar="ABI", help=f"of {', '.join(ABIS)}; all by default")
    for library in build_all(checked(parser.parse_args().abis) or ABIS).values():
        print(os.path.relpath(library))


if __name__ == "__main__":
    main(_main)
