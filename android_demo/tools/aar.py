"""Assembles build/android/tflbnn-delegate.aar, which any Android project can use beside org.tensorflow:tensorflow-lite.

    python -m android_demo.tools.aar [ABI...]

The library of each ABI lies in it twice, as the format wants it: below jni/ for Java, below prefab/ with the C header
for native code (find_package(tflbnn-delegate CONFIG), the target tflbnn-delegate::tflbnn).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from android_demo.tools import native
from android_demo.tools.archive import write_zip
from android_demo.tools.common import BUILD, DELEGATE_MIN_SDK, ROOT, main, run, up_to_date
from android_demo.tools.maven import classpath

DELEGATE = ROOT / "android_demo" / "delegate"
AAR = BUILD / "tflbnn-delegate.aar"
CLASSES = BUILD / "delegate" / "classes.jar"


def compile_java() -> Path:
    """The Java half: build/android/delegate/classes.jar, of classes that any Android version can read."""
    sources = sorted((DELEGATE / "src" / "main" / "java").rglob("*.java"))
    if up_to_date(CLASSES, sources):
        return CLASSES
    classes = BUILD / "delegate" / "classes"
    lint = ("-Xlint:all,-options", "-Werror")
    run("javac", "--release", "8", *lint, "-cp", classpath("tflite"), "-d", classes, *sources)
    members = {str(path.relative_to(classes)): path.read_bytes() for path in sorted(classes.rglob("*.class"))}
    write_zip(CLASSES, members)
    return CLASSES


def prefab(libraries: dict[str, Path]) -> dict[str, bytes]:
    """The part for native code, in the format of google/prefab, version 2."""
    module = "prefab/modules/tflbnn"
    header = ROOT / "delegate" / "c" / "tflbnn_delegate.h"
    members = {
        "prefab/prefab.json": {"schema_version": 2, "name": "tflbnn-delegate", "dependencies": []},
        f"{module}/module.json": {"export_libraries": [], "library_name": "libtflbnn_delegate"},
    }
    files = {f"{module}/include/{header.name}": header.read_bytes()}
    for abi, library in libraries.items():
        folder = f"{module}/libs/android.{abi}"
        members[f"{folder}/abi.json"] = {"abi": abi, "api": DELEGATE_MIN_SDK, "ndk": 26, "stl": "none", "static": False}
        files[f"{folder}/{library.name}"] = library.read_bytes()
    return {name: json.dumps(value, indent=2).encode() + b"\n" for name, value in members.items()} | files


def build(abis: tuple[str, ...] = native.ABIS) -> Path:
    libraries = native.build_all(abis)
    manifest = (
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.tflbnn.delegate">\n'
        f'  <uses-sdk android:minSdkVersion="{DELEGATE_MIN_SDK}"/>\n</manifest>\n'
    )
    members = {
        "AndroidManifest.xml": manifest.encode(),
        "classes.jar": compile_java().read_bytes(),
        "R.txt": b"",
        "proguard.txt": (DELEGATE / "consumer-rules.pro").read_bytes(),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
        **{f"jni/{abi}/{library.name}": library.read_bytes() for abi, library in libraries.items()},
        **prefab(libraries),
    }
    write_zip(AAR, members)
    return AAR


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("abis", nargs="*", metavar="ABI", help="all by default")
    path = build(native.checked(parser.parse_args().abis) or native.ABIS)
    print(f"{os.path.relpath(path)}  {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(_main)
